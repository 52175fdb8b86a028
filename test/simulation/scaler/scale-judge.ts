import type { VirtualTime } from "../virtual-clock.ts";

export interface Observation {
  readonly isActive: boolean;
  /** Since when there has been something to do, as it is; `undefined`: there is nothing. */
  readonly oldestSinceMs: number | undefined;
  /** When something came to its end last. */
  readonly endedMs: number;
  readonly isStoreAway: boolean;
  /** Store and source answer. */
  readonly isKnown: boolean;
  /** Pods that are there. */
  readonly living: number;
  /** Why it is active, as it is told. */
  readonly reasons: readonly string[];
}

/** From the first message to the answer, with a look that was under way. */
const ACTIVE_MS_MAX = 5_000;
/** What a process has taken by then is known by its own word, which may come late. It drains if it is told to go. */
const TAKEN_MS_MAX = 10_000;
/** What was known last counts so long without a store. */
const UNKNOWN_MS_MAX = 20_000;
/** Beside the quiet time: words of processes, and the looks that see them. */
const SLACK_MS = 30_000;

/**
 * Judges answers by what there is (I46): not idle while something has waited, run, been parked or been due for five
 * seconds, or ten where a process lives that may have it; not idle while nobody can know; and idle once nothing has
 * been there for the quiet time.
 */
export class ScaleJudge {
  readonly violations: string[] = [];
  readonly #time: VirtualTime;
  readonly #quietMs: number;
  #knownSinceMs = 0;
  #awaySinceMs: number | undefined;
  #idleSinceMs = 0;

  constructor(time: VirtualTime, quietMs: number) {
    this.#time = time;
    this.#quietMs = quietMs;
  }

  answered({ isActive, oldestSinceMs, endedMs, isStoreAway, isKnown, living, reasons }: Observation): void {
    const nowMs = this.#time.now;
    if (!isKnown) this.#knownSinceMs = nowMs;
    this.#awaySinceMs = isStoreAway ? (this.#awaySinceMs ?? nowMs) : undefined;
    if (oldestSinceMs !== undefined) this.#idleSinceMs = nowMs;
    const thereMs = oldestSinceMs === undefined ? 0 : nowMs - Math.max(oldestSinceMs, this.#knownSinceMs);
    const allowedMs = living === 0 ? ACTIVE_MS_MAX : TAKEN_MS_MAX;
    if (!isActive && thereMs > allowedMs) this.#say(`it is idle, and something is there for ${thereMs} ms`);
    const awayMs = this.#awaySinceMs === undefined ? 0 : nowMs - this.#awaySinceMs;
    if (!isActive && awayMs > UNKNOWN_MS_MAX) this.#say(`it is idle, and the store is away for ${awayMs} ms`);
    const nothingMs = nowMs - Math.max(this.#idleSinceMs, endedMs, this.#knownSinceMs);
    if (isActive && nothingMs > this.#quietMs + SLACK_MS)
      this.#say(`it is active, and nothing is there for ${nothingMs} ms: ${reasons.join()}`);
  }

  #say(what: string): void {
    if (this.violations.length < 10) this.violations.push(`I46: ${Math.round(this.#time.now)} ms: ${what}`);
  }
}
