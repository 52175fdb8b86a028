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

/** Member of a record's filter document that holds its data, as for Kinesis (filters §2). */
export const FILTER_DATA_KEY = "data";

/**
 * Functions see the records of a local stream as Kinesis records: a handler written for Kinesis reads them unchanged.
 */
export function createLocalEvents(eventSourceArn: string): StreamEvents {
  return {
    encode: (records, window) => encodeKinesisEvent(asLocal(records), eventSourceArn, window),
    element: (record) => kinesisElement(record as KinesisRecord),
    eventOf: (_shardId, elements) => kinesisEventOf(elements),
    envelopeBytes: () => KINESIS_ENVELOPE_BYTES,
    filterDocument: (record) => kinesisFilterDocument(asLocal([record])[0] as KinesisRecord),
    filterDataKey: FILTER_DATA_KEY,
  };
}

/** Makes the records of one shard. The role is a name for the event only: nothing here has or needs it. */
export function createLocalRecordFactory({ arn, region, account }: StreamArn, shardId: string) {
  return createKinesisRecordFactory({
    eventSourceArn: arn,
    awsRegion: region,
    invokeIdentityArn: `arn:aws:iam::${account}:role/millrace`,
    shardId,
  });
}

/** The engine hands back only records that this source gave (law of StreamEvents), and those are these. */
function asLocal(records: readonly StreamRecord[]): readonly KinesisRecord[] {
  return records as readonly KinesisRecord[];
}
