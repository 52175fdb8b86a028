import { undoCompression } from "../../src/codecs/undo-compression.ts";
import { STEP_BYTES_MAX, STEP_ITEMS_MAX, turn } from "../../src/lib/steps.ts";
import { BatchBody } from "./batch-body.ts";
import type { BatchHead } from "./batch-head.ts";
import { type ByteReader, sumOfInt64 } from "./bytes.ts";
import { throwIfAborted } from "./fault.ts";
import type { KafkaHeader, KafkaMessage, TimestampType } from "./record.ts";

/**
 * What a batch holds at most when undone, and how many times its own bytes beyond the first ones: what is behind is
 * given up.
 */
export const BATCH_BYTES_MAX = 64 * 1024 * 1024;
const RATIO_MAX = 1_000;
const RATIO_FREE_BYTES = 8 * 1024 * 1024;
/** A record that is larger fits no event: it is passed over without being held. */
export const RECORD_BYTES_MAX = 8 * 1024 * 1024;
/** How many headers a record may have: what is made of them is made in one step. Values are not copied. */
export const HEADERS_MAX = STEP_ITEMS_MAX - 1;
export const KEY_AND_HEADERS_BYTES_MAX = STEP_BYTES_MAX - 1024;
const RECORD_WORK_BYTES = 64;
/** Attributes, and a byte at least for each of its five numbers. */
const RECORD_BYTES_MIN = 6;
/** A record's length, and what stands before its key. */
const NUMBER_BYTES_MAX = 5;
const RECORD_HEAD_BYTES_MAX = 16;

const NO_HEADERS: readonly KafkaHeader[] = [];

/** A batch of which records are still to be given. */
export class OpenBatch {
  readonly head: BatchHead;
  /** Where it ends in what was fetched. */
  readonly end: number;
  readonly #body: BatchBody;
  readonly #fetchOffset: number;
  /** Behind what was given of it, or passed over. */
  nextOffset: number;
  /** Records that were read. */
  #count = 0;
  /** Offset of the last one. */
  #offset: number;
  /** The length of the record that is being read. */
  #length: number | undefined;
  /** The record and its headers, when they are to wait for a turn that has room for them. */
  #items = 1;
  /** Bytes of a record that was given without them. */
  #unread = 0;

  constructor(head: BatchHead, end: number, body: BatchBody, fetchOffset: number) {
    this.head = head;
    this.end = end;
    this.#body = body;
    this.#fetchOffset = fetchOffset;
    this.nextOffset = fetchOffset;
    this.#offset = head.baseOffset - 1;
  }

  /** `true`: no more is wanted. `false`: it has no more. @throws RangeError or a zlib error for what cannot be read. */
  async give(give: (message: KafkaMessage) => boolean, signal: AbortSignal): Promise<boolean> {
    const message = emptyMessage(this.head);
    for (;;) {
      const next = this.#giveReady(message, give);
      if (next === "enough") return true;
      if (next === "end") break;
      if (next === "turn") {
        await turn.roomFor(Math.min(this.#length ?? 0, STEP_BYTES_MAX), this.#items);
        throwIfAborted(signal);
      } else if (next === "large") {
        await this.#body.get(RECORD_HEAD_BYTES_MAX);
        if (!this.#giveLarge(message, give)) return true;
      } else if (next === "unread") {
        await this.#body.skip(this.#unread);
        this.#unread = 0;
      } else {
        await this.#body.get(next);
      }
    }
    await this.#body.get(1);
    const { left } = this.#body.reader;
    if (left > 0) throw new RangeError(`bytes are left behind its last record`);
    await this.#body.close();
    return false;
  }

  /**
   * Gives the records that are there and fit into this turn of the event loop. Says what is in the way of the next: a
   * number of bytes that are to be got.
   */
  #giveReady(
    message: MutableMessage,
    give: (message: KafkaMessage) => boolean,
  ): "enough" | "end" | "turn" | "large" | "unread" | number {
    const { head } = this;
    const body = this.#body;
    const { reader } = body;
    if (this.#unread > 0) return "unread";
    while (this.#count < head.count) {
      if (this.#length === undefined) {
        if (!body.has(NUMBER_BYTES_MAX)) return NUMBER_BYTES_MAX;
        this.#length = reader.varint();
        if (this.#length < RECORD_BYTES_MIN)
          throw new RangeError(`a record says to have ${this.#length} bytes`);
      }
      const length = this.#length;
      // plant: a-record-is-made-whatever-size-it-says-to-have
      if (length > RECORD_BYTES_MAX) return "large";
      if (!body.has(length)) return length;
      if (turn.isFullWith(Math.min(length, STEP_BYTES_MAX), 1)) return "turn";
      const start = reader.at;
      const offsetBefore = this.#offset;
      if (reader.left < length) throw new RangeError("the bytes end too early");
      this.#readStart(message);
      if (this.#offset < this.#fetchOffset) {
        reader.at = start + length;
        turn.count(0, 1);
      } else {
        message.key = reader.varintBytes();
        message.value = reader.varintBytes();
        const headerBytes = start + length - reader.at;
        this.#items = 1 + Math.min(peekCount(reader), HEADERS_MAX);
        // plant: headers-are-made-before-they-are-counted
        if (turn.isFullWith(0, this.#items)) {
          reader.at = start;
          this.#offset = offsetBefore;
          return "turn";
        }
        readHeaders(reader, start + length, message);
        const keyBytes = message.key?.length ?? 0;
        const madeBytes = message.damage === undefined ? keyBytes + headerBytes : 0;
        turn.count(RECORD_WORK_BYTES + madeBytes, 1 + message.headers.length);
        if (reader.at !== start + length) {
          throw new RangeError(`the record at offset ${this.#offset} has another length than it says`);
        }
        this.nextOffset = this.#offset + 1;
      }
      this.#length = undefined;
      this.#items = 1;
      this.#count++;
      if (this.#offset >= this.#fetchOffset && !give(message)) return "enough";
    }
    return "end";
  }

  /** Reads a record up to its key. */
  #readStart(message: MutableMessage): void {
    const { head } = this;
    const { reader } = this.#body;
    // Attributes that no version uses.
    reader.skip(1);
    const timestampDelta = reader.varlong();
    const offset = head.baseOffset + reader.varint();
    if (offset <= this.#offset || offset > head.lastOffset) {
      throw new RangeError(`a record behind offset ${this.#offset} says to be at offset ${offset}`);
    }
    this.#offset = offset;
    message.offset = offset;
    if (head.timestampType === "CREATE_TIME") {
      message.timestampMs = sumOfInt64(head.baseTimestampMs, timestampDelta);
    }
    message.damage = undefined;
  }

  /** Gives a record without what it holds. `false`: no more is wanted. */
  #giveLarge(message: MutableMessage, give: (message: KafkaMessage) => boolean): boolean {
    const { reader } = this.#body;
    const length = this.#length ?? 0;
    const start = reader.at;
    this.#readStart(message);
    this.#unread = length - (reader.at - start);
    this.#length = undefined;
    this.#count++;
    if (this.#offset < this.#fetchOffset) return true;
    this.nextOffset = this.#offset + 1;
    message.key = null;
    message.value = null;
    message.headers = NO_HEADERS;
    message.damage = `it has ${length} bytes, and none of more than ${RECORD_BYTES_MAX} fits an event`;
    return give(message);
  }

  /** What is left is not wanted. */
  async close(): Promise<void> {
    await this.#body.close();
  }
}

/** Begins to undo a batch. `fetchOffset`: records before it are not given. */
export async function openBatch(
  head: BatchHead,
  bytes: Buffer,
  end: number,
  fetchOffset: number,
): Promise<OpenBatch> {
  const bytesMax = Math.min(BATCH_BYTES_MAX, RATIO_FREE_BYTES + bytes.length * RATIO_MAX);
  return new OpenBatch(
    head,
    end,
    new BatchBody(await undoCompression(head.codec, bytes), bytesMax),
    fetchOffset,
  );
}

interface MutableMessage {
  offset: number;
  key: Buffer | null;
  value: Buffer | null;
  headers: readonly KafkaHeader[];
  timestampMs: number | bigint;
  timestampType: TimestampType;
  damage: string | undefined;
}

function emptyMessage({ timestampType, maxTimestampMs }: BatchHead): MutableMessage {
  return {
    ...{ offset: 0, key: null, value: null, headers: NO_HEADERS, damage: undefined },
    timestampMs: maxTimestampMs,
    timestampType,
  };
}

function peekCount(reader: ByteReader): number {
  const { at } = reader;
  const count = reader.varint();
  reader.at = at;
  return Math.max(0, count);
}

/** Those of a record that has too many are left out, and the message says so. */
function readHeaders(reader: ByteReader, end: number, message: MutableMessage): void {
  const keyBytes = message.key?.length ?? 0;
  const bytes = end - reader.at;
  const count = reader.varint();
  message.headers = NO_HEADERS;
  if (count === 0 && keyBytes <= KEY_AND_HEADERS_BYTES_MAX) return;
  // Each has a byte at least for the length of its key, and one for that of its value.
  if (count < 0 || count > bytes / 2) throw new RangeError(`a record says to have ${count} headers`);
  if (count > HEADERS_MAX || keyBytes + bytes > KEY_AND_HEADERS_BYTES_MAX) {
    message.damage =
      `it has a key of ${keyBytes} bytes and ${count} headers of ${bytes} bytes; at most ${HEADERS_MAX} headers, and ` +
      `${KEY_AND_HEADERS_BYTES_MAX} bytes of them and the key, are read`;
    if (keyBytes > KEY_AND_HEADERS_BYTES_MAX) message.key = null;
    reader.at = end;
    return;
  }
  const headers: KafkaHeader[] = [];
  for (let index = 0; index < count; index++) {
    const key = reader.varintBytes();
    headers.push({ key: key === null ? "" : key.toString(), value: reader.varintBytes() });
  }
  message.headers = headers;
}
