export interface GroupedCallsOptions<Asked, Answer> {
  /** Answers all of them, in their order. Where it fails, whether any took effect is unknown. */
  readonly call: (group: readonly Asked[]) => Promise<readonly Answer[]>;
  /** What it weighs in a call, in bytes. */
  readonly bytesOf: (asked: Asked) => number;
  /** A call that failed so had no effect, and may have failed for one of those that it was made for. */
  readonly isRefusal: (error: unknown) => boolean;
}

interface Waiting<Asked, Answer> {
  readonly asked: Asked;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

/** Bounds of one call. */
const ASKED_MAX = 500;
const BYTES_MAX = 4 * 1024 * 1024;
/** An answer that is lost holds up only half of what comes behind it. */
const CALLS_AT_ONCE = 2;

/** Makes one call of what is asked for while others are under way: the server works, and the disk turns, once. */
export class GroupedCalls<Asked, Answer> {
  readonly #options: GroupedCallsOptions<Asked, Answer>;
  readonly #waiting: Waiting<Asked, Answer>[] = [];
  readonly #running = new Set<Promise<void>>();
  #isPlanned = false;

  constructor(options: GroupedCallsOptions<Asked, Answer>) {
    this.#options = options;
  }

  add(asked: Asked): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.#waiting.push({ asked, resolve, reject });
    if (!this.#isPlanned && this.#running.size < CALLS_AT_ONCE) {
      this.#isPlanned = true;
      // What is asked for in this turn of the event loop is in one call.
      setImmediate(() => {
        this.#isPlanned = false;
        this.#begin();
      });
    }
    return promise;
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    while (this.#isPlanned || this.#running.size > 0) {
      await new Promise(setImmediate);
      await Promise.all(this.#running);
    }
  }

  #begin(): void {
    while (this.#waiting.length > 0 && this.#running.size < CALLS_AT_ONCE) {
      const running = this.#run(this.#next()).finally(() => {
        this.#running.delete(running);
        this.#begin();
      });
      this.#running.add(running);
    }
  }

  #next(): readonly Waiting<Asked, Answer>[] {
    let bytes = 0;
    let count = 0;
    for (const { asked } of this.#waiting) {
      bytes += this.#options.bytesOf(asked);
      if (count === ASKED_MAX || (count > 0 && bytes > BYTES_MAX)) break;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  /** Never rejects. */
  async #run(group: readonly Waiting<Asked, Answer>[]): Promise<void> {
    try {
      const answers = await this.#options.call(group.map(({ asked }) => asked));
      for (const [index, { resolve, reject }] of group.entries()) {
        const answer = answers[index];
        if (answer === undefined) reject(new Error("a call of a group was not answered"));
        else resolve(answer);
      }
    } catch (error) {
      if (group.length > 1 && this.#options.isRefusal(error))
        for (const each of group) await this.#run([each]);
      else for (const { reject } of group) reject(error);
    }
  }
}
