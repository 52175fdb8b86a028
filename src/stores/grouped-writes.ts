type Work<Tables, T> = (tables: Tables) => T;

interface Waiting<Tables> {
  readonly work: Work<Tables, void>;
  done(): void;
  failed(error: unknown): void;
}

/** Writes of one transaction, at most. */
const WRITES_MAX = 500;

/**
 * Makes writes that are asked for together in one transaction, which waits for the disk once. Each is answered behind
 * its commit; where that fails, so do all of them.
 */
export class GroupedWrites<Tables> {
  readonly #transact: (work: Work<Tables, void>) => Promise<void>;
  readonly #waiting: Waiting<Tables>[] = [];
  #running: Promise<void> | undefined;

  /** `transact`: all that the work does takes effect, or none. It may begin it anew. */
  constructor(transact: (work: Work<Tables, void>) => Promise<void>) {
    this.#transact = transact;
  }

  add<T>(work: Work<Tables, T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const result: { value?: T } = {};
    this.#waiting.push({
      work: (tables) => {
        result.value = work(tables);
      },
      done: () => resolve(result.value as T),
      failed: reject,
    });
    this.#running ??= this.#run();
    return promise;
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    // What is asked for in this turn of the event loop is in the first transaction.
    await new Promise(setImmediate);
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0, WRITES_MAX);
      try {
        await this.#transact((tables) => {
          for (const { work } of group) work(tables);
        });
        for (const { done } of group) done();
      } catch (error) {
        for (const { failed } of group) failed(error);
      }
    }
    this.#running = undefined;
  }
}
