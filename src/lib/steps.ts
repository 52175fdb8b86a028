/**
 * What adapters work on in one turn of the event loop at most (invariant I25): bytes that somebody else chose, and what
 * is made of them. A few bytes of theirs are not to hold everybody else for seconds.
 */
export const STEP_BYTES_MAX = 1024 * 1024;
export const STEP_ITEMS_MAX = 10_000;

/** Sees how much was worked on in each turn as that ends. */
export type StepWitness = (bytes: number, items: number) => void;

/** The work of the present turn, of all who count theirs: readers of a thousand shards share one event loop. */
class Turn {
  readonly #witnesses = new Set<StepWitness>();
  #bytes = 0;
  #items = 0;
  #isEndPlanned = false;

  /** For checkers of I25. Returns how to stop. */
  watch(witness: StepWitness): () => void {
    this.#witnesses.add(witness);
    return () => this.#witnesses.delete(witness);
  }

  /** Whether so much more is to wait for the next turn. What is more than a whole turn alone has one for itself. */
  isFullWith(bytes: number, items: number): boolean {
    if (this.#bytes === 0 && this.#items === 0) return false;
    // plant: a-turn-of-the-event-loop-is-never-full
    return this.#bytes + bytes > STEP_BYTES_MAX || this.#items + items > STEP_ITEMS_MAX;
  }

  count(bytes: number, items: number): void {
    this.#bytes += bytes;
    this.#items += items;
    if (this.#isEndPlanned) return;
    this.#isEndPlanned = true;
    setImmediate(() => this.#end());
  }

  /** Resolves in a turn that has room for so much. Timers, sockets and others go first. */
  async roomFor(bytes: number, items: number): Promise<void> {
    while (this.isFullWith(bytes, items)) await new Promise<void>((resolve) => setImmediate(resolve));
  }

  #end(): void {
    for (const witness of this.#witnesses) witness(this.#bytes, this.#items);
    this.#bytes = 0;
    this.#items = 0;
    this.#isEndPlanned = false;
  }
}

export const turn = new Turn();
