export interface RunningWorkOptions {
  /** Work that throws has a defect. */
  onDefect(error: unknown): void;
  /** Something has ended, one way or the other. */
  onEnd(): void;
}

/** What must end before a stop has ended: batches, and deletes and releases beside them. */
export class RunningWork {
  readonly #options: RunningWorkOptions;
  readonly #running = new Set<Promise<void>>();

  constructor(options: RunningWorkOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#running.size;
  }

  track(work: Promise<void>): void {
    const tracked = work
      .catch((error: unknown) => this.#options.onDefect(error))
      .finally(() => {
        this.#running.delete(tracked);
        this.#options.onEnd();
      });
    this.#running.add(tracked);
  }

  /** All that runs now. Never rejects. */
  async ended(): Promise<void> {
    await Promise.all(this.#running);
  }
}
