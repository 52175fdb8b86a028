import { turn } from "../../src/lib/steps.ts";
import type { KinesisRecord } from "../../src/model/kinesis-event.ts";
import type { Position } from "../../src/model/record.ts";
import { type Aggregate, looksAggregated, openAggregate } from "./aggregate.ts";
import type { ApiRecord, HashKeyRange } from "./kinesis-api.ts";
import { comparePositions, formatInnerPosition } from "./position.ts";

/** Made at a time, whatever there is room for. */
const RECORDS_MAX = 1_000;

export interface ExpansionOptions {
  /** The shard's: user records of others are left out. */
  readonly hashKeys: HashKeyRange;
  readonly makeRecord: (
    sequence: string,
    key: string,
    data: Buffer,
    arrivalMs: ApiRecord["arrivalMs"],
    position?: Position,
  ) => KinesisRecord;
}

/**
 * Records of one event of a subscription, with their aggregates taken apart: no more of them at a time than are wanted.
 */
export class Expansion {
  readonly #options: ExpansionOptions;
  /** Up to here all was delivered, or was before the start. */
  #delivered: Position | undefined;
  #records: readonly ApiRecord[] = [];
  #next = 0;
  /** What is being taken apart. */
  #open: { readonly record: ApiRecord; readonly aggregate: Aggregate; next: number } | undefined;

  constructor(options: ExpansionOptions, delivered: Position | undefined) {
    this.#options = options;
    this.#delivered = delivered;
  }

  get isEmpty(): boolean {
    return this.#open === undefined && this.#next >= this.#records.length;
  }

  /** Only when empty. */
  fill(records: readonly ApiRecord[]): void {
    this.#records = records;
    this.#next = 0;
  }

  /** What comes next is not behind what was delivered. */
  forgetDelivered(): void {
    this.#delivered = undefined;
  }

  /** About as much as is wanted: one record beyond the bytes at most. */
  async take(recordsMax: number, bytesMax: number): Promise<readonly KinesisRecord[]> {
    const taken: KinesisRecord[] = [];
    let looked = 0;
    for (let bytes = 0; taken.length < Math.min(recordsMax, RECORDS_MAX) && bytes < bytesMax; looked++) {
      if (looked % RECORDS_MAX === RECORDS_MAX - 1) await endStep();
      if (this.#open === undefined && !(await this.#openNext())) break;
      const made = this.#makeNext();
      if (made === undefined) continue;
      bytes += made.bytes;
      taken.push(made);
    }
    return taken;
  }

  /** False when there is nothing more. */
  async #openNext(): Promise<boolean> {
    const record = this.#records[this.#next];
    if (record === undefined) return false;
    const isCandidate = looksAggregated(record.data);
    const aggregate = isCandidate ? await openAggregate(record.data, this.#options.hashKeys) : undefined;
    if (aggregate !== undefined) this.#open = { record, aggregate, next: 0 };
    return true;
  }

  /** `undefined`: it was delivered before, or there was none left of an aggregate. */
  #makeNext(): KinesisRecord | undefined {
    const { makeRecord } = this.#options;
    if (this.#open === undefined) {
      const plain = this.#records[this.#next++];
      if (plain === undefined || !this.#isNew(plain.sequenceNumber)) return undefined;
      const { sequenceNumber, partitionKey, data, arrivalMs } = plain;
      this.#delivered = sequenceNumber;
      return makeRecord(sequenceNumber, partitionKey, data, arrivalMs);
    }
    const { record, aggregate } = this.#open;
    const place = this.#open.next++;
    const user = aggregate.at(place);
    // The last one ends the aggregate: a checkpoint behind it is a plain sequence number.
    const isLast = place >= aggregate.length - 1;
    if (isLast) {
      this.#open = undefined;
      this.#next++;
    }
    if (user === undefined) return undefined;
    const { sequenceNumber, arrivalMs } = record;
    const position = isLast ? sequenceNumber : formatInnerPosition(sequenceNumber, user.index);
    if (!this.#isNew(position)) return undefined;
    this.#delivered = position;
    return makeRecord(sequenceNumber, user.partitionKey, user.data, arrivalMs, position);
  }

  #isNew(position: Position): boolean {
    return this.#delivered === undefined || comparePositions(position, this.#delivered) > 0;
  }
}

async function endStep(): Promise<void> {
  turn.count(0, RECORDS_MAX);
  if (turn.isFullWith(0, RECORDS_MAX)) await turn.roomFor(0, RECORDS_MAX);
}
