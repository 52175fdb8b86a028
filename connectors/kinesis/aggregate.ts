import { createHash, hash } from "node:crypto";
import { STEP_BYTES_MAX, turn } from "../../src/lib/steps.ts";
import type { HashKeyRange } from "./kinesis-api.ts";
import { ProtobufFault, type ProtobufField, protobufFields } from "./protobuf-reader.ts";

/** A user record out of a record that the Kinesis Producer Library aggregated. */
export interface InnerRecord {
  /** Place in the aggregate, from 0, records of other shards counted. */
  readonly index: number;
  readonly partitionKey: string;
  /** A view into the aggregate. */
  readonly data: Buffer;
}

const MAGIC = Buffer.from("f3899ac2", "hex");
const DIGEST_BYTES = 16;
/** An aggregate that claims more is delivered as it is: a few bytes each would grow to hundreds in memory. */
export const INNER_RECORDS_MAX = 100_000;
/** How many fields of all kinds, those of its records included: fields that nobody knows cost as much as others. */
export const FIELDS_MAX = 6 * INNER_RECORDS_MAX;
/** Fields of one record, which is looked at in one step: its two indexes, its data and its tags. */
const ELEMENT_FIELDS_MAX = 1_000;
/** Kinesis's own bound: 256 characters. Each user record of a key carries it into the event. */
export const PARTITION_KEY_BYTES_MAX = 1_024;

/** Field numbers of KPL's `AggregatedRecord` and its `Record`. */
const PARTITION_KEYS = 1;
const HASH_KEYS = 2;
const RECORDS = 3;
const PARTITION_KEY_INDEX = 1;
const HASH_KEY_INDEX = 2;
const DATA = 3;

/** Whether this may be an aggregate: whether it is one, `openAggregate` says. */
export function looksAggregated(data: Buffer): boolean {
  return data.length >= MAGIC.length + DIGEST_BYTES && data.subarray(0, MAGIC.length).equals(MAGIC);
}

/**
 * The user records of an aggregate that belong to the shard, in order; `undefined` for a record that is no aggregate or
 * a damaged one, which is delivered as it is. A shard that was split or merged since the producer last looked may get
 * user records of its neighbour: these are left out, as KCL and Lambda do (streams §2.4).
 *
 * It is read once from its beginning to its end, in steps that others can go between (I25); what is kept of a user
 * record is where it stands. The records themselves are made when they are asked for.
 */
export async function openAggregate(data: Buffer, shard: HashKeyRange): Promise<Aggregate | undefined> {
  if (!looksAggregated(data)) return undefined;
  const message = data.subarray(MAGIC.length, data.length - DIGEST_BYTES);
  const digest = data.subarray(data.length - DIGEST_BYTES);
  if (!(await md5(message)).equals(digest)) return undefined;
  try {
    return await new AggregateReader(message, shard).read();
  } catch (error) {
    if (error instanceof ProtobufFault) return undefined;
    throw error;
  }
}

/** User records by their place among those that belong to the shard. */
export class Aggregate {
  readonly #message: Buffer;
  readonly #partitionKeys: readonly string[];
  /** For each record its index, that of its key, and where its data begins and ends. */
  readonly #places: readonly number[];

  constructor(message: Buffer, partitionKeys: readonly string[], places: readonly number[]) {
    this.#message = message;
    this.#partitionKeys = partitionKeys;
    this.#places = places;
  }

  get length(): number {
    return this.#places.length / PLACE_NUMBERS;
  }

  at(place: number): InnerRecord | undefined {
    const from = place * PLACE_NUMBERS;
    const [index, keyIndex, start, end] = this.#places.slice(from, from + PLACE_NUMBERS);
    const partitionKey = keyIndex === undefined ? undefined : this.#partitionKeys[keyIndex];
    if (index === undefined || partitionKey === undefined) return undefined;
    return { index, partitionKey, data: this.#message.subarray(start, end) };
  }
}

const PLACE_NUMBERS = 4;

/** How many fields are looked at before others may go. */
const FIELDS_A_STEP = 500;

class AggregateReader {
  readonly #message: Buffer;
  readonly #shard: HashKeyRange;
  readonly #partitionKeys: string[] = [];
  readonly #hashKeys: bigint[] = [];
  readonly #elements: number[] = [];
  readonly #ownHashKeys = new Map<number, bigint>();
  #fields = 0;
  #fieldsOfStep = 0;
  #bytesOfStep = 0;

  constructor(message: Buffer, shard: HashKeyRange) {
    this.#message = message;
    this.#shard = shard;
  }

  async read(): Promise<Aggregate> {
    await this.#readTables();
    const places: number[] = [];
    for (let element = 0; element * 2 < this.#elements.length; element++) {
      this.#readElement(element, places);
      if (this.#isStepOver) await this.#endStep();
    }
    return new Aggregate(this.#message, this.#partitionKeys, places);
  }

  /** Keys may stand behind the records that name them. */
  async #readTables(): Promise<void> {
    for (const { number, value } of protobufFields(this.#message)) {
      this.#count(typeof value === "number" ? 1 : value.length);
      if (number === PARTITION_KEYS) this.#partitionKeys.push(partitionKeyOf(value));
      if (number === HASH_KEYS) this.#hashKeys.push(parseHashKey(bytesOf(value)));
      if (number === RECORDS) this.#elements.push(...this.#spanOf(bytesOf(value)));
      if (this.#elements.length > 2 * INNER_RECORDS_MAX)
        throw new ProtobufFault("more records than are taken");
      if (this.#isStepOver) await this.#endStep();
    }
  }

  #readElement(element: number, places: number[]): void {
    const [start, end] = [this.#elements[element * 2], this.#elements[element * 2 + 1]];
    let keyIndex: number | undefined;
    let hashKeyIndex: number | undefined;
    let data: Buffer | undefined;
    let fields = 0;
    for (const { number, value } of protobufFields(this.#message.subarray(start, end))) {
      this.#count(1);
      if (++fields > ELEMENT_FIELDS_MAX)
        throw new ProtobufFault("a record of more fields than are looked at");
      if (number === PARTITION_KEY_INDEX) keyIndex = numberOf(value);
      if (number === HASH_KEY_INDEX) hashKeyIndex = numberOf(value);
      if (number === DATA) data = bytesOf(value);
    }
    if (keyIndex === undefined || data === undefined) throw new ProtobufFault("a record without key or data");
    const partitionKey = itemOf(this.#partitionKeys, keyIndex);
    const hashKey =
      hashKeyIndex === undefined
        ? this.#hashKeyOf(keyIndex, partitionKey)
        : itemOf(this.#hashKeys, hashKeyIndex);
    if (hashKey < this.#shard.first || hashKey > this.#shard.last) return;
    places.push(element, keyIndex, ...this.#spanOf(data));
  }

  #hashKeyOf(keyIndex: number, partitionKey: string): bigint {
    const known = this.#ownHashKeys.get(keyIndex);
    if (known !== undefined) return known;
    const own = BigInt(`0x${hash("md5", partitionKey, "hex")}`);
    this.#ownHashKeys.set(keyIndex, own);
    return own;
  }

  #spanOf(part: Buffer): readonly [start: number, end: number] {
    const start = part.byteOffset - this.#message.byteOffset;
    return [start, start + part.length];
  }

  #count(bytes: number): void {
    if (++this.#fields > FIELDS_MAX) throw new ProtobufFault("more fields than are looked at");
    this.#fieldsOfStep += 1;
    this.#bytesOfStep += bytes;
  }

  get #isStepOver(): boolean {
    return this.#fieldsOfStep >= FIELDS_A_STEP || this.#bytesOfStep >= STEP_BYTES_MAX / 4;
  }

  async #endStep(): Promise<void> {
    const [bytes, fields] = [this.#bytesOfStep, this.#fieldsOfStep];
    this.#bytesOfStep = 0;
    this.#fieldsOfStep = 0;
    turn.count(bytes, fields);
    // plant: an-aggregate-is-taken-apart-in-one-step
    if (turn.isFullWith(STEP_BYTES_MAX / 4, FIELDS_A_STEP))
      await turn.roomFor(STEP_BYTES_MAX / 4, FIELDS_A_STEP);
  }
}

async function md5(message: Buffer): Promise<Buffer> {
  const digest = createHash("md5");
  for (let from = 0; from < message.length; from += STEP_BYTES_MAX) {
    const part = message.subarray(from, from + STEP_BYTES_MAX);
    if (turn.isFullWith(part.length, 1)) await turn.roomFor(part.length, 1);
    turn.count(part.length, 1);
    digest.update(part);
  }
  return digest.digest();
}

function partitionKeyOf(value: ProtobufField["value"]): string {
  const bytes = bytesOf(value);
  // plant: an-aggregates-keys-have-no-bound
  if (bytes.length > PARTITION_KEY_BYTES_MAX)
    throw new ProtobufFault("a key that is longer than Kinesis has any");
  return bytes.toString();
}

function bytesOf(value: ProtobufField["value"]): Buffer {
  if (typeof value === "number") throw new ProtobufFault("a number where bytes belong");
  return value;
}

function numberOf(value: ProtobufField["value"]): number {
  if (typeof value !== "number") throw new ProtobufFault("bytes where a number belongs");
  return value;
}

function itemOf<T>(table: readonly T[], index: number): T {
  const item = table[index];
  if (item === undefined) throw new ProtobufFault("an index that its table does not have");
  return item;
}

function parseHashKey(digits: Buffer): bigint {
  const decimal = digits.length <= 39 ? digits.toString("latin1") : "";
  if (!/^\d{1,39}$/.test(decimal)) throw new ProtobufFault("a hash key that is no number");
  return BigInt(decimal);
}
