import { ByteReader } from "./bytes.ts";
import { type CodecName, codecName, decompress } from "./codecs.ts";
import { KafkaFault } from "./fault.ts";
import type { KafkaHeader, KafkaMessage, TimestampType } from "./record.ts";

/** A transaction of a fetched range that was given up: its records are not to be seen. */
export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: number;
}

/** What one fetch gave of one partition. */
export interface FetchedRecords {
  readonly bytes: Buffer;
  /** What was asked for; batches may begin before it. */
  readonly fetchOffset: number;
  /** In the order of their first offsets. */
  readonly aborted: readonly AbortedTransaction[];
  /** For messages: `orders-3`. */
  readonly shardId: string;
  /** Told of every batch: the epoch of the leader that wrote it (−1: not known), and its first offset. */
  readonly onEpoch?: (epoch: number, baseOffset: number) => void;
}

/** Undone, a batch is held in memory whole: one that claims more is refused, not a reason to run out of memory. */
export const BATCH_BYTES_MAX = 64 * 1024 * 1024;

const MAGIC_AT = 16;
const MAGIC = 2;
/** From a batch's start to its records. */
const BATCH_HEAD_BYTES = 61;
/** Offset and length, which the length does not count. */
const LENGTH_END = 12;
const CODEC_MASK = 0x07;
const LOG_APPEND_TIME_FLAG = 0x08;
const TRANSACTIONAL_FLAG = 0x10;
const CONTROL_FLAG = 0x20;
const NO_HEADERS: readonly KafkaHeader[] = [];
/** Second number in the key of a control record: the transaction was given up. */
const ABORT_MARKER = 0;

interface BatchHead {
  readonly baseOffset: number;
  readonly leaderEpoch: number;
  readonly lastOffset: number;
  readonly codec: CodecName;
  readonly isTransactional: boolean;
  readonly isControl: boolean;
  readonly timestampType: TimestampType;
  readonly baseTimestampMs: number;
  readonly maxTimestampMs: number;
  readonly producerId: bigint;
  readonly count: number;
}

/**
 * The record batches of one fetch, undone one at a time as the reader gets to them. Batches of control records and of
 * aborted transactions are passed over; `nextOffset` moves behind them all the same, and behind gaps that compaction left.
 */
export class RecordBatches {
  readonly #fetched: FetchedRecords;
  readonly #abortedProducers = new Set<bigint>();
  #nextAborted = 0;
  #at = 0;
  #nextOffset: number;

  constructor(fetched: FetchedRecords) {
    this.#fetched = fetched;
    this.#nextOffset = fetched.fetchOffset;
  }

  /** Behind what was passed so far: where the next fetch goes on. */
  get nextOffset(): number {
    return this.#nextOffset;
  }

  /**
   * Gives the messages of the next batch that has any, in order; false: there is no further whole batch. The message is
   * one object, filled anew for each.
   * @throws KafkaFault for bytes that cannot be read; what came before them has been given.
   */
  next(give: (message: KafkaMessage) => void): boolean {
    const { bytes } = this.#fetched;
    while (bytes.length - this.#at >= BATCH_HEAD_BYTES) {
      const end = this.#at + LENGTH_END + bytes.readInt32BE(this.#at + 8);
      // A fetch cuts its last batch where its bytes end.
      if (end > bytes.length) return false;
      const given = this.#read(end, give);
      this.#at = end;
      if (given > 0) return true;
    }
    return false;
  }

  #read(end: number, give: (message: KafkaMessage) => void): number {
    const { bytes, fetchOffset } = this.#fetched;
    try {
      if (end < this.#at + BATCH_HEAD_BYTES || bytes[this.#at + MAGIC_AT] !== MAGIC) throw this.#tooOld();
      const head = readHead(bytes, this.#at, end);
      this.#fetched.onEpoch?.(head.leaderEpoch, head.baseOffset);
      const isSeen = this.#isSeen(head, this.#at + BATCH_HEAD_BYTES, end);
      let given = 0;
      if (isSeen && head.lastOffset >= fetchOffset) {
        const body = decompress(
          head.codec,
          bytes.subarray(this.#at + BATCH_HEAD_BYTES, end),
          BATCH_BYTES_MAX,
        );
        given = readMessages(head, body, fetchOffset, give);
      }
      this.#nextOffset = Math.max(this.#nextOffset, head.lastOffset + 1);
      return given;
    } catch (error) {
      throw error instanceof KafkaFault ? error : this.#corrupt(error);
    }
  }

  /** Follows the transactions: a producer's batches are left out from its aborted transaction's start to its marker. */
  #isSeen(head: BatchHead, bodyAt: number, end: number): boolean {
    const { aborted, bytes } = this.#fetched;
    for (;;) {
      const next = aborted[this.#nextAborted];
      if (next === undefined || next.firstOffset > head.lastOffset) break;
      this.#abortedProducers.add(next.producerId);
      this.#nextAborted++;
    }
    if (head.isControl) {
      if (isAbortMarker(bytes, bodyAt, end)) this.#abortedProducers.delete(head.producerId);
      return false;
    }
    return !(head.isTransactional && this.#abortedProducers.has(head.producerId));
  }

  #corrupt(cause: unknown): KafkaFault {
    const text = cause instanceof Error ? cause.message : String(cause);
    return new KafkaFault(
      "corrupt",
      `The batch of records at offset ${this.#nextOffset} of ${this.#fetched.shardId} cannot be read: ${text}. Reading ` +
        `stands still there. Batches hold at most ${BATCH_BYTES_MAX} bytes when decompressed; one that is damaged must be ` +
        "passed over by resetting the consumer group's offset.",
      { cause },
    );
  }

  #tooOld(): KafkaFault {
    return new KafkaFault(
      "unsupported",
      `${this.#fetched.shardId} holds messages in the format of Kafka before 0.11 at offset ${this.#nextOffset}, which is ` +
        "not read. Reset the consumer group behind them, or copy the topic.",
    );
  }
}

function readHead(bytes: Buffer, at: number, end: number): BatchHead {
  const reader = new ByteReader(bytes, at, end);
  const baseOffset = reader.int64();
  // Its length.
  reader.skip(4);
  const leaderEpoch = reader.int32();
  // Magic, checksum.
  reader.skip(1 + 4);
  const attributes = reader.int16();
  const lastOffsetDelta = reader.int32();
  const codec = codecName(attributes & CODEC_MASK);
  if (codec === undefined) throw new RangeError(`its compression ${attributes & CODEC_MASK} is not known`);
  const baseTimestampMs = reader.int64();
  const maxTimestampMs = reader.int64();
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

interface MutableMessage {
  offset: number;
  key: Buffer | null;
  value: Buffer | null;
  headers: readonly KafkaHeader[];
  timestampMs: number;
  timestampType: TimestampType;
}

function readMessages(
  head: BatchHead,
  body: Buffer,
  fetchOffset: number,
  give: (message: KafkaMessage) => void,
): number {
  const { baseOffset, baseTimestampMs, maxTimestampMs, timestampType, count } = head;
  const isAppendTime = timestampType === "LOG_APPEND_TIME";
  const reader = new ByteReader(body);
  const message: MutableMessage = {
    offset: 0,
    key: null,
    value: null,
    headers: NO_HEADERS,
    timestampMs: 0,
    timestampType,
  };
  let given = 0;
  for (let index = 0; index < count; index++) {
    const length = reader.varint();
    const end = reader.at + length;
    // Attributes that no version uses.
    reader.skip(1);
    const timestampDelta = reader.varlong();
    const offset = baseOffset + reader.varint();
    if (offset < fetchOffset) {
      reader.at = end;
      continue;
    }
    message.offset = offset;
    message.timestampMs = isAppendTime ? maxTimestampMs : baseTimestampMs + timestampDelta;
    message.key = reader.varintBytes();
    message.value = reader.varintBytes();
    message.headers = readHeaders(reader);
    if (reader.at !== end)
      throw new RangeError(`the record at offset ${offset} has another length than it says`);
    give(message);
    given++;
  }
  if (reader.left > 0) throw new RangeError(`${reader.left} bytes are left behind its last record`);
  return given;
}

function readHeaders(reader: ByteReader): readonly KafkaHeader[] {
  const count = reader.varint();
  if (count === 0) return NO_HEADERS;
  const headers: KafkaHeader[] = [];
  for (let index = 0; index < count; index++) {
    const key = reader.varintBytes();
    headers.push({ key: key === null ? "" : key.toString(), value: reader.varintBytes() });
  }
  return headers;
}

/** The key of a control record: version, then what it marks. Control batches have one record and are not compressed. */
function isAbortMarker(bytes: Buffer, at: number, end: number): boolean {
  const reader = new ByteReader(bytes, at, end);
  reader.varint();
  reader.skip(1);
  reader.varlong();
  reader.varint();
  const key = reader.varintBytes();
  return key !== null && key.length >= 4 && key.readInt16BE(2) === ABORT_MARKER;
}
