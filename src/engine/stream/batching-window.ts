import type { Clock } from "../../ports/clock.ts";

/**
 * How long a batch that is not full waits for more records (`MaximumBatchingWindowInSeconds`). Windows without records
 * follow one another, from the end of the last invocation on, so that the first record waits for the rest of the
 * present one (streams §3.3); or each opens with a first record (queues §1.3). Times are monotonic.
 */
export class BatchingWindow {
  readonly #lengthMs: number;
  readonly #from: "lastInvocation" | "firstRecord";
  readonly #clock: Clock;
  #startMs: number;
  #endsAtMs = 0;

  constructor(lengthMs: number, from: "lastInvocation" | "firstRecord" | undefined, clock: Clock) {
    this.#lengthMs = lengthMs;
    this.#from = from ?? "lastInvocation";
    this.#clock = clock;
    this.#startMs = clock.monotonic();
  }

  /** The mapping has one. */
  get isThere(): boolean {
    return this.#lengthMs > 0;
  }

  /** When the batch that is being filled goes; that of an empty queue says nothing. */
  get endsAtMs(): number {
    return this.#endsAtMs;
  }

  /** A record is queued, the first. */
  firstQueued(): void {
    this.#endsAtMs = this.#nextEndMs();
  }

  /** Records that a full batch left behind had come before this moment: their window runs from it at the latest. */
  batchTaken(): void {
    if (this.#from === "firstRecord") this.#endsAtMs = this.#nextEndMs();
  }

  /** The next window begins when the previous invocation completes (streams §3.3). */
  invocationEnded(): void {
    if (this.#from === "firstRecord") return;
    this.#startMs = this.#clock.monotonic();
    this.#endsAtMs = this.#nextEndMs();
  }

  #nextEndMs(): number {
    const lengthMs = this.#lengthMs;
    if (lengthMs === 0) return 0;
    if (this.#from === "firstRecord") return this.#clock.monotonic() + lengthMs;
    const elapsedMs = this.#clock.monotonic() - this.#startMs;
    // plant: a-batch-waits-for-two-windows
    // plant: batches-do-not-wait-for-their-window
    return this.#startMs + (Math.floor(elapsedMs / lengthMs) + 1) * lengthMs;
  }
}
