import { assertInvariant } from "../model/errors.ts";

/** Room that is worth a read: who waits is woken when there is so much for it, and not before. */
const QUANTUM_BYTES = 256 * 1024;
/** The same of small budgets. */
const QUANTUM_SHARE = 1 / 4;

/**
 * Bytes read and not settled, bounded: for a mapping, and above it for the process. Who finds it full waits for room,
 * and is woken in turn, each with a quantum that is kept for it until it has read: were all woken by each release,
 * reads would shrink to single records. A shard that holds nothing may read in any case, so that no shard starves
 * behind another's stalled function.
 */
export class ByteBudget {
  readonly #bytesMax: number;
  readonly #parent: ByteBudget | undefined;
  /** Whose it is, for people. */
  readonly name: string;
  readonly #children = new Set<ByteBudget>();
  readonly #waiting = new Set<() => void>();
  /** Those of whose readers some wait, in the order of their turns. */
  readonly #childrenWaiting = new Set<ByteBudget>();
  /** What a reader waits for. */
  readonly quantum: number;
  #used = 0;
  /** Kept for readers that were woken and have not read yet. */
  #promised = 0;

  constructor(bytesMax: number, parent?: ByteBudget, name = "") {
    this.#bytesMax = bytesMax;
    this.#parent = parent;
    this.name = name;
    const own = Math.min(QUANTUM_BYTES, Math.ceil(bytesMax * QUANTUM_SHARE));
    this.quantum = Math.min(own, parent?.quantum ?? own);
  }

  get used(): number {
    return this.#used;
  }

  /** Bytes that may still be read; 0 or less when full. */
  get room(): number {
    const own = this.#ownRoom;
    return this.#parent === undefined ? own : Math.min(own, this.#parent.room);
  }

  /** There is as much as is worth a read. */
  get hasRoom(): boolean {
    return this.room >= this.quantum;
  }

  /** Whose bound is reached, and who has most of it; `undefined`: there is room. */
  get fullBy():
    | { readonly kind: "mapping" }
    | { readonly kind: "process"; readonly mapping: string }
    | undefined {
    if (this.#ownRoom < this.quantum) return { kind: "mapping" };
    if (this.#parent === undefined || this.#parent.#ownRoom >= this.quantum) return undefined;
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
    if (this.#parent === undefined) this.#wakeInTurn();
  }

  /**
   * Calls `wake` once when there is a quantum of room for it, which is kept for it until it is given back. Returns a
   * way to take the waiting back.
   */
  onRoom(wake: () => void): () => void {
    this.#waiting.add(wake);
    if (this.#parent !== undefined) this.#parent.#childrenWaiting.add(this);
    return () => {
      this.#waiting.delete(wake);
      if (this.#waiting.size > 0 || this.#parent === undefined) return;
      this.#parent.#childrenWaiting.delete(this);
    };
  }

  /** Who was woken has read, and taken what it read, or does not read. */
  giveBackQuantum(): void {
    this.#promise(-this.quantum);
    (this.#parent ?? this).#wakeInTurn();
  }

  get #ownRoom(): number {
    return this.#bytesMax - this.#used - this.#promised;
  }

  #promise(bytes: number): void {
    this.#promised += bytes;
    assertInvariant(this.#promised >= 0, "A reader gives back room that was not kept for it");
    if (this.#parent !== undefined) this.#parent.#promised += bytes;
  }

  /** In the uppermost budget alone: one reader of each child, and again from the first, while there is room. */
  #wakeInTurn(): void {
    while (this.#waiting.size > 0 && this.#wakeNext());
    for (let isWoken = this.#childrenWaiting.size > 0; isWoken; ) {
      isWoken = false;
      let turns = this.#childrenWaiting.size;
      for (const child of this.#childrenWaiting) {
        if (turns-- === 0) break;
        if (!child.#wakeNext()) continue;
        isWoken = true;
        this.#childrenWaiting.delete(child);
        if (child.#waiting.size > 0) this.#childrenWaiting.add(child);
      }
    }
  }

  /** False: nobody waits, or there is no room for who waits. */
  #wakeNext(): boolean {
    const [next] = this.#waiting;
    // plant: who-waits-for-room-is-never-woken
    if (next === undefined || !this.hasRoom) return false;
    this.#waiting.delete(next);
    this.#promise(this.quantum);
    next();
    return true;
  }
}
