import { ByteReader } from "./bytes.ts";
import { FETCH_BY_TOPIC_ID } from "./own-requests.ts";
import type { AbortedTransaction } from "./record-batch.ts";

export interface FetchResponse {
  /** The broker's quota: no fetch is to follow for so long. */
  readonly throttleMs: number;
  /** The error of the whole request; 0: none. */
  readonly errorCode: number;
  readonly partitions: readonly FetchedPartition[];
}

export interface FetchedPartition {
  readonly partition: number;
  readonly errorCode: number;
  /** Offset behind the newest record that readers may see at all. */
  readonly highWatermark: number;
  /** Offset behind the newest record of no open transaction: where reading of committed records ends. */
  readonly lastStableOffset: number;
  readonly aborted: readonly AbortedTransaction[];
  /** Record batches, the last one perhaps cut. Bytes of the whole answer, not copied. */
  readonly records: Buffer;
  /** The id of the log that was read; absent: the broker was asked for a name. */
  readonly topicId?: string;
  /** The log and what was read of it before have parted; there are no records. */
  readonly diverging?: EpochEnd;
}

/** The newest leader epoch of a log that is not newer than the one asked for, and where it ends there. */
export interface EpochEnd {
  readonly epoch: number;
  readonly endOffset: number;
}

const NOTHING = Buffer.alloc(0);

/** Reads the answer to a Fetch of one topic, versions 4 to 11 and 13. @throws RangeError when it ends too early. */
export function readFetchResponse(payload: Buffer, version: number): FetchResponse {
  const reader = new ByteReader(payload);
  if (version >= FETCH_BY_TOPIC_ID) return readResponseByTopicId(reader);
  const throttleMs = reader.int32();
  let errorCode = 0;
  if (version >= 7) {
    errorCode = reader.int16();
    // A session, which is not used.
    reader.skip(4);
  }
  const partitions: FetchedPartition[] = [];
  const topics = reader.int32();
  for (let topic = 0; topic < topics; topic++) {
    reader.string();
    const count = reader.int32();
    for (let index = 0; index < count; index++) partitions.push(readPartition(reader, version));
  }
  return { throttleMs, errorCode, partitions };
}

function readResponseByTopicId(reader: ByteReader): FetchResponse {
  reader.tags();
  const throttleMs = reader.int32();
  const errorCode = reader.int16();
  reader.skip(4);
  const topics = reader.array(reader.uvarint() - 1, () => {
    const topicId = reader.uuid();
    const partitions = reader.array(reader.uvarint() - 1, () => readPartitionByTopicId(reader));
    reader.tags();
    return topicId === undefined ? partitions : partitions.map((partition) => ({ ...partition, topicId }));
  });
  return { throttleMs, errorCode, partitions: topics.flat() };
}

const DIVERGING_EPOCH_TAG = 0;

function readPartitionByTopicId(reader: ByteReader): FetchedPartition {
  const [partition, errorCode] = [reader.int32(), reader.int16()];
  const [highWatermark, lastStableOffset] = [reader.int64(), reader.int64()];
  reader.skip(8);
  const aborted = reader.array(boundedCount(reader.uvarint() - 1), () => {
    const transaction = { producerId: reader.bigint64(), firstOffset: reader.int64() };
    reader.tags();
    return transaction;
  });
  reader.skip(4);
  const length = reader.uvarint() - 1;
  const records = length <= 0 ? NOTHING : reader.slice(length);
  let diverging: EpochEnd | undefined;
  reader.tags((tag) => {
    if (tag === DIVERGING_EPOCH_TAG) diverging = { epoch: reader.int32(), endOffset: reader.int64() };
  });
  return {
    ...{ partition, errorCode, highWatermark, lastStableOffset, records },
    aborted: sortAborted(aborted),
    ...(diverging === undefined ? {} : { diverging }),
  };
}

function readPartition(reader: ByteReader, version: number): FetchedPartition {
  const partition = reader.int32();
  const errorCode = reader.int16();
  const highWatermark = reader.int64();
  const lastStableOffset = reader.int64();
  // The log's start: OFFSET_OUT_OF_RANGE says what is to be known of it.
  if (version >= 5) reader.skip(8);
  const aborted = readAborted(reader);
  // A replica to read from instead: only told to clients that name their rack.
  if (version >= 11) reader.skip(4);
  const length = reader.int32();
  const records = length <= 0 ? NOTHING : reader.slice(length);
  return { partition, errorCode, highWatermark, lastStableOffset, aborted, records };
}

function readAborted(reader: ByteReader): readonly AbortedTransaction[] {
  const count = boundedCount(reader.int32());
  const aborted: AbortedTransaction[] = [];
  for (let index = 0; index < count; index++) {
    aborted.push({ producerId: reader.bigint64(), firstOffset: reader.int64() });
  }
  return sortAborted(aborted);
}

/** More transactions than the records of an answer can be of: the broker is none. */
const ABORTED_MAX = 100_000;

function boundedCount(count: number): number {
  if (count > ABORTED_MAX) throw new RangeError(`${count} aborted transactions are more than there can be`);
  return count;
}

function sortAborted(aborted: AbortedTransaction[]): readonly AbortedTransaction[] {
  return aborted.sort((a, b) => a.firstOffset - b.firstOffset);
}
