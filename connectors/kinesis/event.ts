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
import type { StreamEvents } from "../../src/ports/stream-source.ts";
import type { StreamArn } from "./stream-arn.ts";

/** Member of a record's filter document that holds its data (filters §2). */
export const FILTER_DATA_KEY = "data";

/** The events of a stream or, with enhanced fan-out, of a consumer, whose whole ARN they carry (streams §2.3). */
export function createKinesisEvents(eventSourceArn: string): StreamEvents {
  return {
    encode: (records, window) => encodeKinesisEvent(asKinesis(records), eventSourceArn, window),
    element: (record) => kinesisElement(record as KinesisRecord),
    eventOf: (_shardId, elements) => kinesisEventOf(elements),
    envelopeBytes: () => KINESIS_ENVELOPE_BYTES,
    filterDocument: (record) => kinesisFilterDocument(record as KinesisRecord),
    filterDataKey: FILTER_DATA_KEY,
    itemIdentifier: (record) => (record as KinesisRecord).sequenceNumber,
  };
}

/** Makes the records of one shard. The role stands for Lambda's: what reads here are the process's own credentials. */
export function createRecordFactory({ arn, partition, region, account }: StreamArn, shardId: string) {
  return createKinesisRecordFactory({
    eventSourceArn: arn,
    awsRegion: region,
    invokeIdentityArn: `arn:${partition}:iam::${account}:role/millrace`,
    shardId,
  });
}

/** The engine hands back only records that this source gave (law of StreamEvents), and those are these. */
function asKinesis(records: readonly StreamRecord[]): readonly KinesisRecord[] {
  return records as readonly KinesisRecord[];
}
