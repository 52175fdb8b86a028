import type { CodecName } from "../../src/codecs/undo-compression.ts";
import { ByteReader } from "./bytes.ts";
import type { TimestampType } from "./record.ts";

/** Where a batch says in which format it is written; only the second is read. */
export const MAGIC_AT = 16;
export const MAGIC = 2;
const LENGTH_AT = 8;
const LAST_DELTA_AT = 23;
/** From a batch's start to its records. */
export const BATCH_HEAD_BYTES = 61;
/** Offset and length, which the length does not count. */
const LENGTH_END = 12;
/** By their numbers in a batch's attributes. */
const CODECS: readonly (CodecName | undefined)[] = ["none", "gzip", "snappy", "lz4", "zstd"];
const CODEC_MASK = 0x07;
const LOG_APPEND_TIME_FLAG = 0x08;
const TRANSACTIONAL_FLAG = 0x10;
const CONTROL_FLAG = 0x20;
/** Second number in the key of a control record: the transaction was given up. */
const ABORT_MARKER = 0;

/** Where the batch at this place says to end. */
export function batchEnd(bytes: Buffer, at: number): number {
  return at + LENGTH_END + bytes.readInt32BE(at + LENGTH_AT);
}

/** The last offset of a batch whose head cannot be read as a whole. */
export function claimedLastOffset(bytes: Buffer, at: number): number {
  return Number(bytes.readBigInt64BE(at)) + Math.max(0, bytes.readInt32BE(at + LAST_DELTA_AT));
}

/** Whether the first batch is there to its end. One that says to end before its head does is: reading it tells more. */
export function isWholeBatch(bytes: Buffer): boolean {
  return bytes.length >= BATCH_HEAD_BYTES && batchEnd(bytes, 0) <= bytes.length;
}

export interface BatchHead {
  readonly baseOffset: number;
  readonly leaderEpoch: number;
  readonly lastOffset: number;
  readonly codec: CodecName;
  readonly isTransactional: boolean;
  readonly isControl: boolean;
  readonly timestampType: TimestampType;
  /** As producers and brokers give them: not all of them are times. */
  readonly baseTimestampMs: number | bigint;
  readonly maxTimestampMs: number | bigint;
  readonly producerId: bigint;
  readonly count: number;
}

export function readHead(bytes: Buffer, at: number, end: number): BatchHead {
  const reader = new ByteReader(bytes, at, end);
  const baseOffset = reader.int64();
  // Its length.
  reader.skip(4);
  const leaderEpoch = reader.int32();
  // Magic, checksum.
  reader.skip(1 + 4);
  const attributes = reader.int16();
  const lastOffsetDelta = reader.int32();
  const codec = CODECS[attributes & CODEC_MASK];
  if (codec === undefined) throw new RangeError(`its compression ${attributes & CODEC_MASK} is not known`);
  // plant: a-time-beyond-2-53-is-taken-for-damage
  const baseTimestampMs = reader.exactInt64();
  const maxTimestampMs = reader.exactInt64();
  const producerId = reader.bigint64();
  reader.skip(2 + 4);
  const count = reader.int32();
  // Else a damaged head would pass for a batch that compaction has emptied.
  if (lastOffsetDelta < 0 || count < 0 || count > lastOffsetDelta + 1) {
    throw new RangeError(`it says to hold ${count} records up to its ${lastOffsetDelta + 1}th offset`);
  }
  return {
    baseOffset,
    leaderEpoch,
    lastOffset: baseOffset + lastOffsetDelta,
    codec,
    isTransactional: (attributes & TRANSACTIONAL_FLAG) !== 0,
    isControl: (attributes & CONTROL_FLAG) !== 0,
    timestampType: (attributes & LOG_APPEND_TIME_FLAG) !== 0 ? "LOG_APPEND_TIME" : "CREATE_TIME",
    baseTimestampMs,
    maxTimestampMs,
    producerId,
    count,
  };
}

/** The key of a control record: version, then what it marks. Control batches have one record and are not compressed. */
export function isAbortMarker(bytes: Buffer, at: number, end: number): boolean {
  const reader = new ByteReader(bytes, at, end);
  reader.varint();
  reader.skip(1);
  reader.varlong();
  reader.varint();
  const key = reader.varintBytes();
  return key !== null && key.length >= 4 && key.readInt16BE(2) === ABORT_MARKER;
}
