import { type FailureRecord, failureDocument } from "../../src/model/failure-record.ts";

/** One message of a failure topic: of one record that was given up. */
export interface FailureMessage {
  /** The same for every delivery of the same discard. */
  readonly id: string;
  /** Of the record; `null`: it has none. */
  readonly key: Buffer | null;
  readonly value: Buffer;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * AWS's messages for `kafka://TOPIC` (queues §3.5): one for each record, `recordInfo` in the singular, and the event with that
 * one record as an object, not as a text. `undefined`: the failure is none of a Kafka batch.
 */
export function failureMessages(failure: FailureRecord): readonly FailureMessage[] | undefined {
  const event = parseEvent(failure);
  const [place, elements] = Object.entries(objectOf(event?.["records"]) ?? {})[0] ?? [];
  if (event === undefined || place === undefined || !Array.isArray(elements)) return undefined;
  return elements.map((element: unknown) => failureMessage(failure, event, place, objectOf(element) ?? {}));
}

function failureMessage(failure: FailureRecord, event: Json, place: string, element: Json): FailureMessage {
  const payload = { ...event, records: { [place]: [element] } };
  const { requestContext, KafkaBatchInfo, ...rest } = failureDocument(failure);
  const { recordsInfo: _, ...info } = objectOf(KafkaBatchInfo) ?? {};
  const document = {
    requestContext: { ...objectOf(requestContext), condition: conditionOf(failure) },
    ...rest,
    KafkaBatchInfo: {
      ...info,
      batchSize: 1,
      payloadSize: Buffer.byteLength(JSON.stringify(payload)),
      recordInfo: { offset: String(element["offset"]), timestamp: timeOf(element["timestamp"]) },
    },
    payload,
  };
  const key = element["key"];
  return {
    id: `${failure.id}/${element["offset"]}`,
    key: typeof key === "string" ? Buffer.from(key, "base64") : null,
    value: Buffer.from(JSON.stringify(document)),
  };
}

/** AWS's sample of a failure topic has another word than its other destinations (queues §11). */
function conditionOf({ condition }: FailureRecord): string {
  return condition === "RetryAttemptsExhausted" ? "RetriesExhausted" : condition;
}

/** A record without a timestamp has −1. */
function timeOf(timestamp: unknown): string | null {
  const isTime = typeof timestamp === "number" && timestamp >= 0 && timestamp <= 8.64e15;
  return isTime ? new Date(timestamp).toISOString() : null;
}

function parseEvent({ payload }: FailureRecord): Json | undefined {
  if (payload === undefined) return undefined;
  try {
    return objectOf(JSON.parse(new TextDecoder().decode(payload)));
  } catch {
    return undefined;
  }
}

function objectOf(value: unknown): Json | undefined {
  return typeof value === "object" && value !== null ? (value as Json) : undefined;
}
