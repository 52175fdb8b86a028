import { base64Length, quoteJson } from "../../src/model/json-bytes.ts";
import type { StreamRecord } from "../../src/model/record.ts";

/** A record of one partition. Its position is its offset, in decimal digits. */
export interface KafkaRecord extends StreamRecord {
  readonly partition: KafkaPartition;
  /** `null`: none; an empty key is a key. */
  readonly keyBytes: Buffer | null;
  /** `null`: a tombstone. */
  readonly value: Buffer | null;
  /**
   * As the broker says, epoch milliseconds; −1 when it has none. Producers write other numbers too, nanoseconds among
   * them: a `bigint` where a number does not hold it. The event shows it as it is.
   */
  readonly timestampMs: number | bigint;
  readonly timestampType: TimestampType;
  /** JSON of the headers, as the event shows them. */
  readonly headersJson: string;
  /** JSON of what the event says of their schemas, ASCII; absent: nothing. */
  readonly keySchema?: string;
  readonly valueSchema?: string;
  /** What patterns see in the place of key and value, where the event shows them as they were written. */
  readonly readableKey?: Buffer;
  readonly readableValue?: Buffer;
}

export type TimestampType = "CREATE_TIME" | "LOG_APPEND_TIME" | "NO_TIMESTAMP_TYPE";

export interface KafkaHeader {
  readonly key: string;
  readonly value: Buffer | null;
}

/** What the broker gives of a record. Buffers are kept, not copied. */
export interface KafkaMessage {
  /** A safe integer: partitions do not come near 2⁵³ records. */
  readonly offset: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** In their order; a key may come twice. */
  readonly headers: readonly KafkaHeader[];
  readonly timestampMs: number | bigint;
  readonly timestampType: TimestampType;
  /** Why no function can have it; ends a sentence. */
  readonly damage?: string | undefined;
}

/** What the records of one partition share. */
export interface KafkaPartition {
  readonly topic: string;
  readonly partition: number;
  /** `TOPIC-PARTITION`: the shard's id, and the name of the partition in events. */
  readonly shardId: string;
  /** JSON of an element from its start to its offset. ASCII, as names of topics are. */
  readonly head: string;
}

/** What each header takes beside its data: an object, a string, a Buffer. */
const HEADER_OVERHEAD_BYTES = 256;
/** Per-record bookkeeping in memory beside the data: objects, strings, Buffer headers. */
const RECORD_OVERHEAD_BYTES = 512;

export const NO_HEADERS = "[]";
export const BEFORE_TIMESTAMP = ',"timestamp":';
export const BEFORE_TIMESTAMP_TYPE = ',"timestampType":"';
export const BEFORE_KEY = ',"key":"';
export const BEFORE_VALUE = ',"value":"';
export const BEFORE_HEADERS = ',"headers":';
export const BEFORE_KEY_SCHEMA = ',"keySchemaMetadata":';
export const BEFORE_VALUE_SCHEMA = ',"valueSchemaMetadata":';
/** Behind the type, the key, the value: their closing quotes; and the brace at the end of the element. */
const FIXED_BYTES = BEFORE_TIMESTAMP.length + BEFORE_TIMESTAMP_TYPE.length + 1 + BEFORE_HEADERS.length + 1;

export function createKafkaPartition(topic: string, partition: number): KafkaPartition {
  const head = `{"topic":${quoteJson(topic)},"partition":${partition},"offset":`;
  return { topic, partition, shardId: `${topic}-${partition}`, head };
}

/**
 * Makes a record. `readMs` is the present time: a record without a timestamp, as very old producers write, or with one
 * that is no time of milliseconds counts as arrived now, so that its age never gives it up.
 */
export function createKafkaRecord(
  partition: KafkaPartition,
  message: KafkaMessage,
  readMs: number,
): KafkaRecord {
  const { key, value, headers, timestampMs, timestampType, damage } = message;
  const offset = String(message.offset);
  const headersJson = headers.length === 0 ? NO_HEADERS : encodeHeaders(headers);
  const headersBytes = headersJson.length === 2 ? 2 : Buffer.byteLength(headersJson);
  const encodedBytes =
    partition.head.length +
    FIXED_BYTES +
    offset.length +
    String(timestampMs).length +
    timestampType.length +
    quotedBytes(BEFORE_KEY, key) +
    quotedBytes(BEFORE_VALUE, value) +
    headersBytes;
  return {
    position: offset,
    // One character a byte: different keys stay different, and equal bytes are the same key in every process.
    key: key === null ? undefined : key.toString("latin1"),
    arrivalMs: isTime(timestampMs) ? timestampMs : readMs,
    bytes:
      (key?.length ?? 0) * 2 +
      (value?.length ?? 0) +
      headersBytes +
      headers.length * HEADER_OVERHEAD_BYTES +
      RECORD_OVERHEAD_BYTES,
    encodedBytes,
    partition,
    keyBytes: key,
    value,
    timestampMs,
    timestampType,
    headersJson,
    ...(damage === undefined ? {} : { damage }),
  };
}

/** Key and value of a record in the place of what its registry's frames are around (kafka §8). */
export interface ReadParts {
  readonly keyBytes: Buffer | null;
  readonly value: Buffer | null;
  readonly keySchema?: string;
  readonly valueSchema?: string;
  readonly readableKey?: Buffer;
  readonly readableValue?: Buffer;
}

/** Its order stays that of its key as it was written. */
export function withReadParts(record: KafkaRecord, parts: ReadParts): KafkaRecord {
  const { keyBytes, value, keySchema, valueSchema, readableKey, readableValue } = parts;
  const grown = (after: Buffer | null, before: Buffer | null) => (after?.length ?? 0) - (before?.length ?? 0);
  const beside = (readableKey?.length ?? 0) + (readableValue?.length ?? 0);
  return {
    ...record,
    ...parts,
    bytes: record.bytes + grown(keyBytes, record.keyBytes) + grown(value, record.value) + beside,
    encodedBytes:
      record.encodedBytes +
      quotedBytes(BEFORE_KEY, keyBytes) -
      quotedBytes(BEFORE_KEY, record.keyBytes) +
      quotedBytes(BEFORE_VALUE, value) -
      quotedBytes(BEFORE_VALUE, record.value) +
      (keySchema === undefined ? 0 : BEFORE_KEY_SCHEMA.length + keySchema.length) +
      (valueSchema === undefined ? 0 : BEFORE_VALUE_SCHEMA.length + valueSchema.length),
  };
}

/** What a `Date` holds, from 1970 on: only of such a number is an age made. */
function isTime(timestampMs: number | bigint): timestampMs is number {
  return typeof timestampMs === "number" && timestampMs >= 0 && timestampMs <= 8.64e15;
}

/** A missing key or value is left out of the element (kafka §3). */
function quotedBytes(before: string, bytes: Buffer | null): number {
  return bytes === null ? 0 : before.length + base64Length(bytes.length) + 1;
}

/**
 * A list of objects with one member each, so that a key that comes twice is shown twice. Bytes are signed, −128…127, as
 * Lambda's pollers write them: AWS's libraries for typed languages read nothing else. A header without a value is
 * empty.
 */
function encodeHeaders(headers: readonly KafkaHeader[]): string {
  const elements = headers.map(({ key, value }) => {
    const bytes = value === null ? "" : new Int8Array(value.buffer, value.byteOffset, value.length).join(",");
    return `{${quoteJson(key)}:[${bytes}]}`;
  });
  return `[${elements.join(",")}]`;
}
