import type { KinesisApi } from "./kinesis-api.ts";

/**
 * How long an answer counts as long as nothing contradicts it: a stream may be deleted and made anew while it is read.
 */
const BELIEVED_MS = 60_000;

/**
 * Which stream it is that stands under the name: known by the moment of its creation. A stream that was deleted and
 * made anew is another one, whose sequence numbers mean something else.
 */
export class StreamIdentity {
  readonly #api: Pick<KinesisApi, "describeStream">;
  readonly #now: () => number;
  #logId: string | undefined;
  #askedMs = Number.NEGATIVE_INFINITY;
  /** The service gives another moment with each answer: it says nothing. */
  #isUnsteady = false;
  #asking: Promise<void> | undefined;

  constructor(api: Pick<KinesisApi, "describeStream">, now: () => number) {
    this.#api = api;
    this.#now = now;
  }

  /** An answer of the service contradicted what is known: the next look asks. */
  doubt(): void {
    this.#askedMs = Number.NEGATIVE_INFINITY;
  }

  /** `undefined`: the service does not say. One question at a time, whoever asks. */
  async current(signal: AbortSignal): Promise<string | undefined> {
    if (this.#now() - this.#askedMs >= BELIEVED_MS) {
      const isDoubted = this.#askedMs === Number.NEGATIVE_INFINITY;
      this.#asking ??= this.#ask(signal).finally(() => {
        this.#asking = undefined;
      });
      // Reading waits for an answer where it contradicts what is known, and not each minute.
      if (isDoubted) await this.#asking;
    }
    return this.#isUnsteady ? undefined : this.#logId;
  }

  async #ask(signal: AbortSignal): Promise<void> {
    try {
      let found = await this.#describe(signal);
      if (this.#logId !== undefined && found !== undefined && found !== this.#logId) {
        // All that was known is given up for it: so it is asked twice.
        const again = await this.#describe(signal);
        if (again !== found) this.#isUnsteady = true;
        found = again;
      }
      this.#logId = found ?? this.#logId;
      this.#askedMs = this.#now();
    } catch {
      // Without an answer what was known stays so; reading itself tells what is wrong.
    }
  }

  async #describe(signal: AbortSignal): Promise<string | undefined> {
    const { createdMs } = await this.#api.describeStream(signal);
    return createdMs === undefined ? undefined : `created:${createdMs}`;
  }
}
