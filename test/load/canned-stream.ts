import {
  createKinesisRecordFactory,
  encodeKinesisEvent,
  KINESIS_ENVELOPE_BYTES,
  type KinesisRecord,
  kinesisElement,
  kinesisEventOf,
  kinesisFilterDocument,
} from "../../src/model/kinesis-event.ts";
import type { StreamRecord } from "../../src/model/record.ts";
import type { ShardRead, StreamSource } from "../../src/ports/stream-source.ts";

const ARN = "arn:aws:kinesis:eu-west-1:123456789012:stream/bench";

export interface CannedStreamOptions {
  readonly shards: number;
  readonly recordsPerShard: number;
  readonly data: Buffer;
  /** Key of the nth record of a shard. */
  key(index: number): string;
}

/** A stream that costs nearly nothing to read, so that what is measured is the engine and what is behind it. */
export function createCannedStream(options: CannedStreamOptions): StreamSource {
  const { shards, recordsPerShard, data, key } = options;
  const shardIds = Array.from({ length: shards }, (_, index) => `shardId-${String(index).padStart(12, "0")}`);
  const arrivalMs = Date.now();
  return {
    description: {
      kind: "canned",
      eventSourceArn: ARN,
      batchInfoName: "KinesisBatchInfo",
      arrivalPrecision: "milliseconds",
    },
    events: {
      envelopeBytes: () => KINESIS_ENVELOPE_BYTES,
      filterDataKey: "data",
      element: (record) => kinesisElement(record as KinesisRecord),
      eventOf: (_shardId, elements) => kinesisEventOf(elements),
      // The engine hands back only records of this stream.
      encode: (records: readonly StreamRecord[], window) =>
        encodeKinesisEvent(records as readonly KinesisRecord[], ARN, window),
      filterDocument: (record: StreamRecord) => kinesisFilterDocument(record as KinesisRecord),
    },
    listShards: async () => shardIds.map((shardId) => ({ shardId, parentShardIds: [], closed: true })),
    captureLatest: async () => ({ kind: "oldest" }),
    comparePositions: (a, b) => Number(a) - Number(b),
    openReader: async (shardId, start) => {
      const makeRecord = cannedRecordFactory(shardId);
      let next = start.kind === "after" ? Number(start.position) + 1 : 0;
      return {
        read: async (recordsMax, bytesMax): Promise<ShardRead> => {
          const fitting = Math.max(1, Math.floor(bytesMax / (data.length + 512)));
          const end = Math.min(recordsPerShard, next + Math.min(recordsMax, fitting));
          const records: KinesisRecord[] = [];
          for (; next < end; next++) records.push(makeRecord(String(next), key(next), data, arrivalMs));
          const endOfShard = next === recordsPerShard;
          return { records, endOfShard, lagMs: 0, readAgainAfterMs: 0, trimmed: false };
        },
        close: async () => {},
      };
    },
    close: async () => {},
  };
}

export function cannedRecordFactory(shardId: string) {
  return createKinesisRecordFactory({
    eventSourceArn: ARN,
    awsRegion: "eu-west-1",
    invokeIdentityArn: "arn:aws:iam::123456789012:role/bench",
    shardId,
  });
}
