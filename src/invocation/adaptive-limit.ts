import type { OutcomeKind } from "../model/outcome.ts";

/**
 * A burst of refusals is one sign, however many calls it hits: the limit falls at most once in this time, milliseconds.
 */
const REFUSAL_PAUSE_MS = 1000;
/** Calls that take this many times as long as they usually do are waiting for something. */
const SLOW_FACTOR = 2;
const SLOW_SHARE = 0.8;
/** Weights of a new measurement in the average of now and in the average of long. */
const NOW_WEIGHT = 0.2;
const LONG_WEIGHT = 0.01;

/**
 * How many invocations of a function may run at once when nobody knows how many it stands: half as many after a
 * refusal, a fifth fewer while calls take twice as long as usual, and by the square root more after each round in which
 * all were used. Between 1 and the function's own bound. What is usual follows slowly, so a function that became slower
 * for good is not held back for ever.
 */
export class AdaptiveLimit {
  readonly #max: number;
  #limit: number;
  #nowMs = 0;
  #longMs = 0;
  /** Calls that ended since the limit was last looked at. */
  #ended = 0;
  #wasFull = false;
  #refusedAtMs = Number.NEGATIVE_INFINITY;

  constructor(max: number) {
    this.#max = max;
    this.#limit = max;
  }

  get limit(): number {
    return this.#limit;
  }

  /** A call came to its end. `inFlight`: how many ran, this one included. */
  ended(kind: OutcomeKind, durationMs: number, inFlight: number, nowMs: number): void {
    if (kind === "throttled" || kind === "unavailable") {
      this.#refused(nowMs);
      return;
    }
    this.#measure(durationMs);
    this.#wasFull ||= inFlight >= this.#limit;
    if (++this.#ended < this.#limit) return;
    if (this.#nowMs > this.#longMs * SLOW_FACTOR) this.#set(this.#limit * SLOW_SHARE);
    else if (this.#wasFull) this.#set(this.#limit + Math.sqrt(this.#limit));
    this.#ended = 0;
    this.#wasFull = false;
  }

  #refused(nowMs: number): void {
    if (nowMs - this.#refusedAtMs < REFUSAL_PAUSE_MS) return;
    this.#refusedAtMs = nowMs;
    this.#set(this.#limit / 2);
    this.#ended = 0;
    this.#wasFull = false;
  }

  #measure(durationMs: number): void {
    if (this.#longMs === 0) {
      this.#nowMs = durationMs;
      this.#longMs = durationMs;
      return;
    }
    this.#nowMs += (durationMs - this.#nowMs) * NOW_WEIGHT;
    this.#longMs += (durationMs - this.#longMs) * LONG_WEIGHT;
  }

  #set(limit: number): void {
    this.#limit = Math.min(this.#max, Math.max(1, Math.floor(limit)));
  }
}
