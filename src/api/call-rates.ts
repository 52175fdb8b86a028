import type { Clock } from "../ports/clock.ts";

/** Seconds' worth of calls that may come at once. */
const BURST_SECONDS = 4;
/** More callers than there are; what is beyond forgets the one that was seen first. */
const CALLERS_MAX = 10_000;

/** A bucket of calls for each caller, which fills evenly. */
export class CallRates {
  readonly #perSecond: number;
  readonly #clock: Clock;
  readonly #buckets = new Map<string, { calls: number; atMs: number }>();

  constructor(perSecond: number, clock: Clock) {
    this.#perSecond = perSecond;
    this.#clock = clock;
  }

  /** `false`: the caller has had its share. */
  take(name: string): boolean {
    const bucket = this.#bucket(name);
    if (bucket.calls < 1) return false;
    bucket.calls -= 1;
    return true;
  }

  #bucket(name: string) {
    const nowMs = this.#clock.monotonic();
    const full = this.#perSecond * BURST_SECONDS;
    let bucket = this.#buckets.get(name);
    if (bucket === undefined) {
      const [oldest] = this.#buckets.keys();
      if (this.#buckets.size >= CALLERS_MAX && oldest !== undefined) this.#buckets.delete(oldest);
      bucket = { calls: full, atMs: nowMs };
      this.#buckets.set(name, bucket);
    }
    bucket.calls = Math.min(full, bucket.calls + ((nowMs - bucket.atMs) / 1000) * this.#perSecond);
    bucket.atMs = nowMs;
    return bucket;
  }
}
