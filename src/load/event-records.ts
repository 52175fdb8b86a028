import { decodePayload, type RecordIdentity } from "./payload.ts";

/** What a function reads out of an event of any source. */
export interface EventRecords {
  /** In the event's order; `undefined` for what no load test has sent. */
  readonly identities: readonly (RecordIdentity | undefined)[];
  /** What a partial response names a record by. */
  readonly itemIdentifiers: readonly unknown[];
  readonly partialRule: PartialRule;
}

/**
 * What comes again after a partial response that names one record: it and all behind it (streams §5.4), it and those of
 * its key behind it (Kafka, FIFO queues), or it alone (queues §2.4).
 */
export type PartialRule = "allBehind" | "keyBehind" | "alone";

/** @throws Error when the body is no event of a source that millrace has. */
export function readEvent(body: string): EventRecords {
  const event: unknown = JSON.parse(body);
  const topics = member(event, "records");
  if (typeof topics === "object" && topics !== null) return readTopics(topics);
  const records = member(event, "Records");
  if (!Array.isArray(records)) throw new Error("The event has neither Records nor records.");
  const kinds = records.map(readRecord);
  return {
    identities: kinds.map(({ text }) => (text === undefined ? undefined : decodePayload(text))),
    itemIdentifiers: kinds.map(({ identifier }) => identifier),
    partialRule: kinds[0]?.partialRule ?? "allBehind",
  };
}

/**
 * What something else than millrace may post: one of its events, a CloudEvent whose body or `data` is a record, a
 * record itself, or a list of these.
 * @throws Error when the body is no JSON.
 */
export function readAnyEvent(body: string): EventRecords {
  const event: unknown = JSON.parse(body);
  if (member(event, "records") !== undefined || member(event, "Records") !== undefined)
    return readEvent(body);
  const items = Array.isArray(event) ? event : [event];
  return {
    identities: items.map((item) => identityOf(dataOf(item))),
    itemIdentifiers: items.map((item) => member(item, "id")),
    partialRule: "alone",
  };
}

/** The data of a CloudEvent, or what stands there itself. */
function dataOf(item: unknown): unknown {
  if (member(item, "specversion") === undefined) return item;
  return fromBase64(member(item, "data_base64")) ?? member(item, "data");
}

function identityOf(data: unknown): RecordIdentity | undefined {
  if (typeof data === "string") return decodePayload(data);
  const [run, key, index, dueMs] = ["run", "key", "index", "dueMs"].map((name) => member(data, name));
  const isOurs = typeof run === "string" && [key, index, dueMs].every((value) => typeof value === "number");
  return isOurs ? { run, key: Number(key), index: Number(index), dueMs: Number(dueMs) } : undefined;
}

interface OneRecord {
  readonly text: string | undefined;
  readonly identifier: unknown;
  readonly partialRule: PartialRule;
}

function readRecord(record: unknown): OneRecord {
  const kinesis = member(record, "kinesis");
  if (kinesis !== undefined) {
    const identifier = member(kinesis, "sequenceNumber");
    return { text: fromBase64(member(kinesis, "data")), identifier, partialRule: "allBehind" };
  }
  const dynamodb = member(record, "dynamodb");
  if (dynamodb !== undefined) {
    const text = member(member(member(dynamodb, "NewImage"), ITEM_ATTRIBUTE), "S");
    const identifier = member(dynamodb, "SequenceNumber");
    return { text: textOf(text), identifier, partialRule: "allBehind" };
  }
  const isFifo = member(member(record, "attributes"), "MessageGroupId") !== undefined;
  return {
    text: textOf(member(record, "body")),
    identifier: member(record, "messageId"),
    partialRule: isFifo ? "keyBehind" : "alone",
  };
}

/** The attribute of an item that holds what a record of another source is. */
export const ITEM_ATTRIBUTE = "payload";

function readTopics(topics: object): EventRecords {
  const identities: (RecordIdentity | undefined)[] = [];
  const itemIdentifiers: unknown[] = [];
  for (const [partition, records] of Object.entries(topics)) {
    if (!Array.isArray(records)) continue;
    for (const record of records) {
      const text = fromBase64(member(record, "value"));
      identities.push(text === undefined ? undefined : decodePayload(text));
      itemIdentifiers.push({ partition, offset: member(record, "offset") });
    }
  }
  return { identities, itemIdentifiers, partialRule: "keyBehind" };
}

function fromBase64(value: unknown): string | undefined {
  return typeof value === "string" ? Buffer.from(value, "base64").toString("latin1") : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return Reflect.get(value, name);
}
