import { assertInvariant } from "../../src/model/errors.ts";
import { JsonBytesWriter, joinElements, quoteJson } from "../../src/model/json-bytes.ts";
import type { StreamRecord } from "../../src/model/record.ts";
import type { StreamEvents } from "../../src/ports/stream-source.ts";
import { kafkaFilterDocument } from "./filter.ts";
import {
  BEFORE_HEADERS,
  BEFORE_KEY,
  BEFORE_KEY_SCHEMA,
  BEFORE_TIMESTAMP,
  BEFORE_TIMESTAMP_TYPE,
  BEFORE_VALUE,
  BEFORE_VALUE_SCHEMA,
  type KafkaRecord,
  NO_HEADERS,
} from "./record.ts";
import { kafkaTraceCarrier } from "./trace-carrier.ts";

/** Member of a record's filter document that holds its data (filters §2). */
export const FILTER_DATA_KEY = "value";

export interface KafkaEventSource {
  /** An MSK cluster has it; `undefined`: a self-managed one. */
  readonly eventSourceArn: string | undefined;
  readonly bootstrapServers: readonly string[];
}

/** The events of one mapping: AWS's form for MSK or for self-managed clusters (kafka §3). */
export function createKafkaEvents(source: KafkaEventSource): StreamEvents {
  const opening = openingOf(source);
  return {
    encode: (records, window) => {
      assertInvariant(window === undefined, "A Kafka event has no tumbling window");
      return encodeKafkaEvent(opening, asKafka(records));
    },
    element: (record) => elementOf(record as KafkaRecord),
    eventOf: (shardId, elements) =>
      elements.length === 0
        ? emptyEvent(opening)
        : joinElements(`${opening}${quoteJson(shardId)}${BEHIND_SHARD_ID}`, elements, END),
    envelopeBytes: (shardId) =>
      opening.length + quoteJson(shardId).length + BEHIND_SHARD_ID.length + END.length,
    filterDocument: (record) => kafkaFilterDocument(record as KafkaRecord),
    traceCarrier: (record) => kafkaTraceCarrier(record as KafkaRecord),
    filterDataKey: FILTER_DATA_KEY,
    readItemIdentifier: readOffset,
    partialRetry: "listed",
  };
}

const BEHIND_SHARD_ID = ":[";
const END = "]}}";

/** Up to the name of the partition. ASCII: hosts, ARNs and topics are. */
function openingOf({ eventSourceArn, bootstrapServers }: KafkaEventSource): string {
  const kind =
    eventSourceArn === undefined
      ? '"eventSource":"SelfManagedKafka"'
      : `"eventSource":"aws:kafka","eventSourceArn":${quoteJson(eventSourceArn)}`;
  return `{${kind},"bootstrapServers":${quoteJson(bootstrapServers.join(","))},"records":{`;
}

/** All records are of one partition, as batches are; without any, the event names no partition. */
function encodeKafkaEvent(opening: string, records: readonly KafkaRecord[]): Uint8Array {
  const [first] = records;
  if (first === undefined) return emptyEvent(opening);
  const front = `${opening}${quoteJson(first.partition.shardId)}${BEHIND_SHARD_ID}`;
  let byteLength = front.length + END.length + records.length - 1;
  for (const record of records) byteLength += record.encodedBytes;
  const writer = new JsonBytesWriter(byteLength);
  writer.ascii(front);
  let isFirst = true;
  for (const record of records) {
    if (!isFirst) writer.ascii(",");
    isFirst = false;
    writeElement(writer, record);
  }
  writer.ascii(END);
  return writer.finish();
}

function emptyEvent(opening: string): Uint8Array {
  return Buffer.from(`${opening}}}`);
}

function elementOf(record: KafkaRecord): Uint8Array {
  const writer = new JsonBytesWriter(record.encodedBytes);
  writeElement(writer, record);
  return writer.finish();
}

function writeElement(writer: JsonBytesWriter, record: KafkaRecord): void {
  const { partition, position, timestampMs, timestampType, keyBytes, value, headersJson } = record;
  writer.ascii(
    `${partition.head}${position}${BEFORE_TIMESTAMP}${timestampMs}${BEFORE_TIMESTAMP_TYPE}${timestampType}"`,
  );
  if (keyBytes !== null) {
    writer.ascii(BEFORE_KEY);
    writer.base64(keyBytes);
    writer.ascii('"');
  }
  if (record.keySchema !== undefined) writer.ascii(`${BEFORE_KEY_SCHEMA}${record.keySchema}`);
  if (value !== null) {
    writer.ascii(BEFORE_VALUE);
    writer.base64(value);
    writer.ascii('"');
  }
  if (record.valueSchema !== undefined) writer.ascii(`${BEFORE_VALUE_SCHEMA}${record.valueSchema}`);
  if (headersJson === NO_HEADERS) {
    writer.ascii(`${BEFORE_HEADERS}[]}`);
    return;
  }
  writer.ascii(BEFORE_HEADERS);
  writer.text(headersJson);
  writer.ascii("}");
}

/** `{"partition":"orders-0","offset":100}` of a partial response (kafka §4), which is untrusted. */
function readOffset(value: unknown, shardId: string): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (!Object.hasOwn(value, "partition") || !Object.hasOwn(value, "offset")) return undefined;
  const { partition, offset } = value as { readonly partition: unknown; readonly offset: unknown };
  if (partition !== shardId) return undefined;
  const isOffset = Number.isInteger(offset) || typeof offset === "bigint";
  return isOffset && Number(offset) >= 0 ? BigInt(offset as number | bigint).toString() : undefined;
}

/** The engine hands back only records that this source gave (law of StreamEvents), and those are these. */
function asKafka(records: readonly StreamRecord[]): readonly KafkaRecord[] {
  return records as readonly KafkaRecord[];
}
