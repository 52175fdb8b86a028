import { PutRecordsCommand, type PutRecordsResultEntry } from "@aws-sdk/client-kinesis";
import { ANSWER_MS_MAX, callAws } from "../../src/aws/call.ts";
import { abortable } from "../../src/aws/lean-client.ts";
import {
  type OutgoingRecord,
  outcomeOfFailure,
  type RecordSender,
  type SendOutcome,
} from "../../src/ports/record-sender.ts";
import { createPollingClient } from "./sdk-client.ts";
import type { StreamArn } from "./stream-arn.ts";

/** Bounds of PutRecords. */
const RECORDS_MAX = 500;
const BYTES_MAX = 5 * 1024 * 1024;
const CONCURRENCY = 4;
const NEVER = new AbortController().signal;
/** The other error of a record is an internal failure, which promises nothing. */
const THROTTLED = "ProvisionedThroughputExceededException";

/** PutRecords, sent once: a record that is tried again could end up behind later ones of its key. */
export function createStreamSender(arn: StreamArn): RecordSender {
  const client = createPollingClient(arn.region);
  const target = arn.streamArn === undefined ? { StreamName: arn.name } : { StreamARN: arn.streamArn };
  return {
    recordsMax: RECORDS_MAX,
    bytesMax: BYTES_MAX,
    concurrency: CONCURRENCY,
    // The service does not promise the order of the records of one call.
    repeatsKeys: false,
    async send(records) {
      try {
        const command = new PutRecordsCommand({ ...target, Records: entries(records) });
        const { Records = [] } = await callAws(NEVER, { timeoutMs: ANSWER_MS_MAX }, (signal) =>
          client.send(abortable(command, signal)),
        );
        return records.map((_, index) => outcomeOf(Records[index]));
      } catch (error) {
        return records.map(() => outcomeOfFailure(error));
      }
    },
    async close() {
      client.destroy();
    },
  };
}

/** The outcome of one record in the answer, where members may be null (as emulators write them). */
function outcomeOf(entry: PutRecordsResultEntry | undefined): SendOutcome {
  const { ErrorCode, SequenceNumber } = entry ?? {};
  if (ErrorCode === THROTTLED) return "refused";
  return (ErrorCode ?? undefined) === undefined && typeof SequenceNumber === "string"
    ? "accepted"
    : "unknown";
}

function entries(records: readonly OutgoingRecord[]) {
  return records.map(({ key, data }) => ({ PartitionKey: key, Data: Buffer.from(data) }));
}
