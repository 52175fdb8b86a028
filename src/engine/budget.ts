import { assertInvariant } from "../model/errors.ts";

/** Who waits is woken when this share is used at most, so that reads do not shrink to single records. */
const WAKE_SHARE = 3 / 4;

/**
 * Bytes read and not settled, bounded: for a mapping, and above it for the process. Who finds it full waits for room;
 * a shard that holds nothing may read in any case, so that no shard starves behind another's stalled function.
 */
export class ByteBudget {
  readonly #bytesMax: number;
  readonly #parent: ByteBudget | undefined;
  #used = 0;
  #waiting = new Set<() => void>();

  constructor(bytesMax: number, parent?: ByteBudget) {
    this.#bytesMax = bytesMax;
    this.#parent = parent;
  }

  get used(): number {
    return this.#used;
  }

  /** Bytes that may still be read; 0 or less when full. */
  get room(): number {
    const own = this.#bytesMax - this.#used;
    return this.#parent === undefined ? own : Math.min(own, this.#parent.room);
  }

  take(bytes: number): void {
    // plant: what-is-read-is-not-taken-from-the-budget
    this.#used += bytes;
    this.#parent?.take(bytes);
  }

  release(bytes: number): void {
    this.#used -= bytes;
    assertInvariant(this.#used >= 0, "More bytes are given back to a budget than were taken from it");
    this.#parent?.release(bytes);
    if (this.#waiting.size > 0 && this.#used <= this.#bytesMax * WAKE_SHARE) this.#wakeAll();
  }

  /** Calls `wake` once when there may be room again. Returns a way to take that back. */
  onRoom(wake: () => void): () => void {
    this.#waiting.add(wake);
    const parentCancel = this.#parent?.onRoom(wake);
    return () => {
      this.#waiting.delete(wake);
      parentCancel?.();
    };
  }

  #wakeAll(): void {
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const wake of waiting) wake();
  }
}
