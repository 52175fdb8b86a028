/** As the SDK gives them, with whatever else it notes there. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

/** Newer ones are looked for this long before the old ones end. */
const AHEAD_MS = 5 * 60_000;
/** Credentials that name no end may be replaced all the same, as those of a file. */
const UNDATED_MS_MAX = 5 * 60_000;
/** What was just read for its end, or for a refusal, is not read again for the same at once. */
const REREAD_MS_MIN = 1_000;

/**
 * The credentials of a client, read again before they end, from time to time when they name no end, and when the
 * service has refused them: whoever rotates them need not restart this process.
 */
export class RotatingCredentials {
  readonly #read: () => Promise<AwsCredentials>;
  readonly #now: () => number;
  #known: AwsCredentials | undefined;
  #readMs = Number.NEGATIVE_INFINITY;
  /** After a refusal. */
  #rereadMs = Number.NEGATIVE_INFINITY;
  #reading: Promise<AwsCredentials> | undefined;

  /** `read` asks where they come from, and no cache. */
  constructor(read: () => Promise<AwsCredentials>, now: () => number = Date.now) {
    this.#read = read;
    this.#now = now;
  }

  /** What the next request is signed with. Rejects when there are none. */
  async get(): Promise<AwsCredentials> {
    const known = this.#known;
    if (known === undefined) return await this.#readAnew();
    if (!this.#isDue(known)) return known;
    const read = this.#readAnew();
    // What is known serves on, for as long as it may live: a place that fails now is asked again with the next call.
    const isOver = this.#leftMs(known) <= 0;
    return isOver ? await read.catch(() => known) : await settledOr(read, known);
  }

  /** What the last request was signed with, to be named to `refused`. */
  get current(): AwsCredentials | undefined {
    return this.#known;
  }

  /** The service has refused `used`. Resolves with whether there are others by now. */
  async refused(used: AwsCredentials | undefined): Promise<boolean> {
    if (isSame(used, this.#known) && Math.abs(this.#now() - this.#rereadMs) >= REREAD_MS_MIN) {
      this.#rereadMs = this.#now();
      // plant: refused-credentials-are-kept
      await this.#readAnew().catch(() => undefined);
    }
    return this.#known !== undefined && !isSame(used, this.#known);
  }

  #readAnew(): Promise<AwsCredentials> {
    this.#reading ??= this.#take().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #take(): Promise<AwsCredentials> {
    this.#readMs = this.#now();
    const read = await this.#read();
    this.#known = read;
    return read;
  }

  #isDue(known: AwsCredentials): boolean {
    if (!this.#isRested()) return false;
    if (known.expiration !== undefined) return this.#leftMs(known) < AHEAD_MS;
    return Math.abs(this.#now() - this.#readMs) >= UNDATED_MS_MAX;
  }

  #isRested(): boolean {
    return Math.abs(this.#now() - this.#readMs) >= REREAD_MS_MIN;
  }

  /** By this host's clock, which may be off: the service says whether they are good. */
  #leftMs({ expiration }: AwsCredentials): number {
    return expiration === undefined ? Number.POSITIVE_INFINITY : expiration.getTime() - this.#now();
  }
}

/** Does not wait for `read`. */
async function settledOr(read: Promise<AwsCredentials>, known: AwsCredentials): Promise<AwsCredentials> {
  read.catch(() => undefined);
  return known;
}

function isSame(a: AwsCredentials | undefined, b: AwsCredentials | undefined): boolean {
  return (
    a?.accessKeyId === b?.accessKeyId &&
    a?.secretAccessKey === b?.secretAccessKey &&
    a?.sessionToken === b?.sessionToken
  );
}
