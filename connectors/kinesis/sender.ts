import { PutRecordsCommand } from "@aws-sdk/client-kinesis";
import {
  type OutgoingRecord,
  outcomeOfFailure,
  type RecordSender,
  type SendOutcome,
} from "../../src/ports/record-sender.ts";
import { createPollingClient } from "./sdk-client.ts";
import { ServiceClock } from "./service-clock.ts";
import type { StreamArn } from "./stream-arn.ts";

/** Bounds of PutRecords. */
const RECORDS_MAX = 500;
const BYTES_MAX = 5 * 1024 * 1024;
const CONCURRENCY = 4;

/** PutRecords, sent once: a record that is tried again could end up behind later ones of its key. */
export function createStreamSender(arn: StreamArn): RecordSender {
  const client = createPollingClient(arn.region, new ServiceClock());
  const target = arn.streamArn === undefined ? { StreamName: arn.name } : { StreamARN: arn.streamArn };
  return {
    recordsMax: RECORDS_MAX,
    bytesMax: BYTES_MAX,
    concurrency: CONCURRENCY,
    // The service does not promise the order of the records of one call.
    repeatsKeys: false,
    async send(records) {
      try {
        const { Records = [] } = await client.send(
          new PutRecordsCommand({ ...target, Records: entries(records) }),
        );
        return records.map((_, index): SendOutcome => {
          const entry = Records[index];
          if (entry === undefined) return "unknown";
          return entry.ErrorCode === undefined || entry.ErrorCode === null ? "accepted" : "refused";
        });
      } catch (error) {
        return records.map(() => outcomeOfFailure(error));
      }
    },
    async close() {
      client.destroy();
    },
  };
}

function entries(records: readonly OutgoingRecord[]) {
  return records.map(({ key, data }) => ({ PartitionKey: key, Data: Buffer.from(data) }));
}
