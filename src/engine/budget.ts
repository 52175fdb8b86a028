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
  /** Whose it is, for people. */
  readonly name: string;
  readonly #children = new Set<ByteBudget>();
  #used = 0;
  #waiting = new Set<() => void>();

  constructor(bytesMax: number, parent?: ByteBudget, name = "") {
    this.#bytesMax = bytesMax;
    this.#parent = parent;
    this.name = name;
  }

  get used(): number {
    return this.#used;
  }

  /** Bytes that may still be read; 0 or less when full. */
  get room(): number {
    const own = this.#bytesMax - this.#used;
    return this.#parent === undefined ? own : Math.min(own, this.#parent.room);
  }

  /** Whose bound is reached, and who has most of it; `undefined`: there is room. */
  get fullBy():
    | { readonly kind: "mapping" }
    | { readonly kind: "process"; readonly mapping: string }
    | undefined {
    if (this.#bytesMax - this.#used <= 0) return { kind: "mapping" };
    if (this.#parent === undefined || this.#parent.room > 0) return undefined;
    let most: ByteBudget = this;
    for (const child of this.#parent.#children) if (child.#used > most.#used) most = child;
    return most === this ? { kind: "mapping" } : { kind: "process", mapping: most.name };
  }

  take(bytes: number): void {
    // Those that hold something, and no more: budgets of mappings that have ended must not be kept.
    if (this.#used === 0 && this.#parent !== undefined) this.#parent.#children.add(this);
    // plant: what-is-read-is-not-taken-from-the-budget
    this.#used += bytes;
    this.#parent?.take(bytes);
  }

  release(bytes: number): void {
    this.#used -= bytes;
    assertInvariant(this.#used >= 0, "More bytes are given back to a budget than were taken from it");
    if (this.#used === 0 && this.#parent !== undefined) this.#parent.#children.delete(this);
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
