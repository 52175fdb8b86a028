import type { Envelope } from "../../src/model/envelope.ts";
import { elementTexts, memberTexts, parseExactJson } from "../../src/model/exact-json.ts";
import { isJson } from "../../src/model/json-check.ts";

/** One message of a failure topic: of one record that was given up. */
export interface FailureMessage {
  /** The same for every delivery of the same discard. */
  readonly id: string;
  /** The record's key; `null`: it has none. */
  readonly key: Buffer | null;
  readonly value: Buffer;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * AWS's messages for `kafka://TOPIC` (kafka §5): one for each record, `recordInfo` in the singular, and the event with
 * that one record as an object, not as a text. `undefined`: the failure is none of a Kafka batch. What the event holds
 * is handed on as it stands there: an offset or a time may be beyond what a JavaScript number holds.
 */
export function failureMessages(envelope: Envelope): readonly FailureMessage[] | undefined {
  const event = readEvent(envelope);
  if (event === undefined) return undefined;
  const document = objectOf(JSON.parse(envelope.text("metadata"))) ?? {};
  return event.elements.map((element) => failureMessage(envelope.id, document, event, element));
}

function failureMessage(id: string, failure: Json, event: EventTexts, element: string): FailureMessage {
  const { offset, timestamp, key } = objectOf(parseExactJson(element)) ?? {};
  const records = `"records":{${event.place}:[${element}]}`;
  const payload = `{${[...event.others, records].join(",")}}`;
  const { requestContext, KafkaBatchInfo, ...rest } = failure;
  const { recordsInfo: _, ...info } = objectOf(KafkaBatchInfo) ?? {};
  const document = JSON.stringify({
    requestContext: topicContext(objectOf(requestContext) ?? {}),
    ...rest,
    KafkaBatchInfo: {
      ...info,
      batchSize: 1,
      payloadSize: Buffer.byteLength(payload),
      recordInfo: { offset: String(offset), timestamp: timeOf(timestamp) },
    },
  });
  return {
    id: `${id}/${offset}`,
    key: typeof key === "string" ? Buffer.from(key, "base64") : null,
    value: Buffer.from(`${document.slice(0, -1)},"payload":${payload}}`),
  };
}

/** AWS's sample of a failure topic has another word than its other destinations (kafka §10). */
function topicContext(context: Json): Json {
  return context["condition"] === "RetryAttemptsExhausted"
    ? { ...context, condition: "RetriesExhausted" }
    : context;
}

/** A record without a timestamp has −1. */
function timeOf(timestamp: unknown): string | null {
  const isTime = typeof timestamp === "number" && timestamp >= 0 && timestamp <= 8.64e15;
  return isTime ? new Date(timestamp).toISOString() : null;
}

/** The parts of an event, as they stand there. */
interface EventTexts {
  /** All members but the records. */
  readonly others: readonly string[];
  /** The name of the partition, quoted. */
  readonly place: string;
  readonly elements: readonly string[];
}

function readEvent({ payload }: Envelope): EventTexts | undefined {
  if (payload === undefined) return undefined;
  const text = new TextDecoder().decode(payload);
  if (!isJson(Buffer.from(text))) return undefined;
  const members = [...memberTexts(text)];
  const [place] = memberTexts(members.find(({ name }) => name === "records")?.text ?? "");
  if (place === undefined) return undefined;
  const others = members.filter(({ name }) => name !== "records");
  return {
    others: others.map((member) => `${JSON.stringify(member.name)}:${member.text}`),
    place: JSON.stringify(place.name),
    elements: [...elementTexts(place.text)],
  };
}

function objectOf(value: unknown): Json | undefined {
  return typeof value === "object" && value !== null ? (value as Json) : undefined;
}
