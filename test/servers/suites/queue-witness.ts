import { failuresOf, type QueueAnswer, type SqsRecord } from "../../integration/queue-run.ts";

/** How the function fails. Shares are of invocations, and of messages in the others. */
export interface Failing {
  readonly invocationShare: number;
  readonly messageShare: number;
  /** What was received more often fails no more, unless it is poison: then it is listed always. */
  readonly receivesMax: number;
  isPoison(body: string): boolean;
}

/**
 * A function that fails by the hash of a message and its receive count, keeps the laws of delivery and says which of
 * them was broken. Bodies are unique.
 */
export class QueueWitness {
  /** What broke, in sentences. */
  readonly breaches: string[] = [];
  invocations = 0;
  failures = 0;
  deliveries = 0;
  /** Messages listed in partial responses. */
  listed = 0;
  /** Successful deliveries of messages that had succeeded before. */
  repeats = 0;
  readonly #failing: Failing;
  readonly #receiveCounts = new Map<string, number>();
  readonly #succeeded = new Set<string>();

  constructor(failing: Failing) {
    this.#failing = failing;
  }

  /** Messages that succeeded at least once. */
  get distinct(): number {
    return this.#succeeded.size;
  }

  /** Highest receive count that the function saw of a message; 0: it never came. */
  receiveCountOf(body: string): number {
    return this.#receiveCounts.get(body) ?? 0;
  }

  invoked(records: readonly SqsRecord[]): QueueAnswer {
    this.invocations++;
    for (const record of records) this.#delivered(record);
    if (this.#fails(records)) {
      this.failures++;
      return { fails: true };
    }
    const listed = new Set(records.filter((record) => this.#isListed(record)));
    this.listed += listed.size;
    for (const record of records) if (!listed.has(record)) this.#succeed(record);
    return failuresOf([...listed]);
  }

  /**
   * The queue's count rises with every receive: it is higher each time, so the function never sees more deliveries than
   * it.
   */
  #delivered(record: SqsRecord): void {
    this.deliveries++;
    const { body } = record;
    const before = this.receiveCountOf(body);
    const count = receiveCount(record);
    if (!(count > before)) this.breaches.push(`${body} came with receive count ${count} after ${before}`);
    this.#receiveCounts.set(body, count);
  }

  #fails(records: readonly SqsRecord[]): boolean {
    const { isPoison, receivesMax, invocationShare } = this.#failing;
    const [first] = records;
    if (first === undefined) return false;
    const mayFail = records.every((record) => isPoison(record.body) || receiveCount(record) <= receivesMax);
    return mayFail && chance(`invocation of ${first.body}`, first) < invocationShare;
  }

  #isListed(record: SqsRecord): boolean {
    const { isPoison, receivesMax, messageShare } = this.#failing;
    if (isPoison(record.body)) return true;
    return receiveCount(record) <= receivesMax && chance(record.body, record) < messageShare;
  }

  #succeed({ body }: SqsRecord): void {
    if (this.#succeeded.has(body)) this.repeats++;
    this.#succeeded.add(body);
  }
}

function receiveCount({ attributes }: SqsRecord): number {
  return Number(attributes.ApproximateReceiveCount);
}

/** FNV-1a with a last mix: a number from 0 to 1, the same for the same delivery in every run. */
function chance(salt: string, record: SqsRecord): number {
  let hash = 0x811c9dc5;
  for (const char of `${salt}:${receiveCount(record)}`) {
    hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return ((hash ^ (hash >>> 13)) >>> 0) / 4_294_967_296;
}
