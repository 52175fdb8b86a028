import { hash } from "node:crypto";
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

/** Field numbers of KPL's `AggregatedRecord` and its `Record`. */
const PARTITION_KEYS = 1;
const HASH_KEYS = 2;
const RECORDS = 3;
const PARTITION_KEY_INDEX = 1;
const HASH_KEY_INDEX = 2;
const DATA = 3;

/**
 * The user records of an aggregate that belong to the shard, in order; `undefined` for a record that is no aggregate or
 * a damaged one, which is delivered as it is. A shard that was split or merged since the producer last looked may get
 * user records of its neighbour: these are left out, as KCL and Lambda do (streams §2).
 */
export function deaggregate(data: Buffer, shard: HashKeyRange): readonly InnerRecord[] | undefined {
  if (data.length < MAGIC.length + DIGEST_BYTES || !data.subarray(0, MAGIC.length).equals(MAGIC)) {
    return undefined;
  }
  const message = data.subarray(MAGIC.length, data.length - DIGEST_BYTES);
  const digest = data.subarray(data.length - DIGEST_BYTES);
  if (!hash("md5", message, "buffer").equals(digest)) return undefined;
  try {
    return innerRecords(message, shard);
  } catch (error) {
    if (error instanceof ProtobufFault) return undefined;
    throw error;
  }
}

function innerRecords(message: Buffer, shard: HashKeyRange): readonly InnerRecord[] {
  const partitionKeys: string[] = [];
  const hashKeys: bigint[] = [];
  const elements: Buffer[] = [];
  for (const { number, value } of protobufFields(message)) {
    if (number === PARTITION_KEYS) partitionKeys.push(bytesOf(value).toString());
    if (number === HASH_KEYS) hashKeys.push(parseHashKey(bytesOf(value).toString("latin1")));
    if (number === RECORDS) elements.push(bytesOf(value));
    if (elements.length > INNER_RECORDS_MAX) throw new ProtobufFault("more records than are taken apart");
  }
  const ownHashKeys = new Map<string, bigint>();
  const hashKeyOf = (partitionKey: string): bigint => {
    const known = ownHashKeys.get(partitionKey);
    if (known !== undefined) return known;
    const own = BigInt(`0x${hash("md5", partitionKey, "hex")}`);
    ownHashKeys.set(partitionKey, own);
    return own;
  };
  const records: InnerRecord[] = [];
  for (const [index, element] of elements.entries()) {
    const { keyIndex, hashKeyIndex, data } = parseElement(element);
    const partitionKey = itemOf(partitionKeys, keyIndex);
    const hashKey = hashKeyIndex === undefined ? hashKeyOf(partitionKey) : itemOf(hashKeys, hashKeyIndex);
    if (hashKey < shard.first || hashKey > shard.last) continue;
    records.push({ index, partitionKey, data });
  }
  return records;
}

function parseElement(element: Buffer) {
  let keyIndex: number | undefined;
  let hashKeyIndex: number | undefined;
  let data: Buffer | undefined;
  for (const { number, value } of protobufFields(element)) {
    if (number === PARTITION_KEY_INDEX) keyIndex = numberOf(value);
    if (number === HASH_KEY_INDEX) hashKeyIndex = numberOf(value);
    if (number === DATA) data = bytesOf(value);
  }
  if (keyIndex === undefined || data === undefined) throw new ProtobufFault("a record without key or data");
  return { keyIndex, hashKeyIndex, data };
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

function parseHashKey(decimal: string): bigint {
  if (!/^\d{1,39}$/.test(decimal)) throw new ProtobufFault("a hash key that is no number");
  return BigInt(decimal);
}
