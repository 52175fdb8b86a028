import { createKafkaEvents } from "../../../../connectors/kafka/event.ts";
import type { KafkaRecord } from "../../../../connectors/kafka/record.ts";
import type { FailureRecord } from "../../../../src/model/failure-record.ts";
import { PARTITION, recordOf } from "./sample-messages.ts";

export const SERVERS = ["b-2.demo:9092", "b-1.demo:9092"];

/** A failure of two records with keys and one without, of a self-managed cluster. */
export function kafkaFailure(id: string, records: readonly KafkaRecord[] = SAMPLE): FailureRecord {
  const [first] = records;
  const last = records.at(-1);
  if (first === undefined || last === undefined) throw new Error("a failure of no records");
  const events = createKafkaEvents({ eventSourceArn: undefined, bootstrapServers: SERVERS });
  return {
    id,
    mappingUuid: "11111111-1111-4111-8111-111111111111",
    requestId: "316aa6d0-9e5e-4f1e-8f0e-000000000000",
    functionArn: "arn:aws:lambda:us-east-1:123456789012:function:myfunction",
    condition: "RetryAttemptsExhausted",
    approximateInvokeCount: 3,
    response: { functionError: "Unhandled" },
    timestampMs: Date.UTC(2019, 10, 14, 0, 38, 6, 21),
    batch: {
      infoName: "KafkaBatchInfo",
      shardId: PARTITION.shardId,
      eventSourceArn: undefined,
      bootstrapServers: SERVERS.join(","),
      arrivalPrecision: "milliseconds",
      records: {
        startPosition: first.position,
        endPosition: last.position,
        firstArrivalMs: first.arrivalMs,
        lastArrivalMs: last.arrivalMs,
        count: records.length,
      },
    },
    payload: events.encode(records, undefined),
    window: undefined,
  };
}

const TIME = Date.UTC(2019, 10, 14, 0, 38, 4, 835);
const SAMPLE = [
  recordOf({ offset: 100, key: Buffer.from("a"), value: Buffer.from("1"), timestampMs: TIME }),
  recordOf({ offset: 103, key: null, value: null, timestampMs: TIME + 1 }),
  recordOf({ offset: 104, key: Buffer.from("a"), value: Buffer.from("3"), timestampMs: TIME + 745 }),
];
