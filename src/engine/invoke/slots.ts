import { RecordQueue } from "../batch/record-queue.ts";

/**
 * A function's concurrency: so many at once, the rest in the order they came. Every invocation passes here, so it is made by
 * hand: a general queue costs 3 to 4 µs a task, this next to nothing while slots are free (`npm run bench -- engine`).
 */
export class Slots {
  #free: number;
  readonly #waiting = new RecordQueue<() => void>();

  constructor(slots: number) {
    this.#free = slots;
  }

  /** `undefined`: taken. Otherwise to be awaited. Each taken slot is given back once. */
  take(): Promise<void> | undefined {
    if (this.#free > 0) {
      this.#free--;
      return undefined;
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  give(): void {
    if (this.#waiting.size === 0) {
      this.#free++;
      return;
    }
    for (const next of this.#waiting.take(1)) next();
  }
}
