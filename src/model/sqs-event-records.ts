import { isObject, memberOf, objectOf, recordsOf, textMember } from "./event-elements.ts";
import { pipedElements } from "./pipe-elements.ts";
import type { Position } from "./record.ts";
import type { SqsAttribute } from "./sqs-event.ts";

/** One message of an SQS event, as `EventRecord` has it. */
interface SqsEventRecord {
  readonly shardId: undefined;
  readonly position: Position;
  readonly itemId: string;
  readonly key: string | undefined;
  readonly arrivalMs: number | undefined;
  readonly element: Uint8Array;
}

/** Takes an SQS event apart (queues §2.6), of whichever queue functions see as SQS's. */
export function splitSqsEvent(event: Uint8Array): readonly SqsEventRecord[] | undefined {
  return recordsOf(event)?.map(({ text, value }) => {
    const attributes = memberOf(value, "attributes");
    const sent = textMember(attributes, "SentTimestamp") ?? "0";
    return {
      shardId: undefined,
      position: textMember(attributes, "SequenceNumber") ?? sent.padStart(20, "0"),
      itemId: textMember(value, "messageId") ?? "",
      key: textMember(attributes, "MessageGroupId"),
      arrivalMs: Number(sent) > 0 ? Number(sent) : undefined,
      element: Buffer.from(text),
    };
  });
}

/** With a body of JSON as such. */
export function decodeSqsElement(element: Uint8Array): unknown {
  const message = objectOf(element);
  const body = textMember(message, "body");
  if (body === undefined) return message;
  try {
    const parsed: unknown = JSON.parse(body);
    return { ...message, body: parsed };
  } catch {
    return message;
  }
}

/** Sequence numbers of digits, which are longer than a number. */
export function compareSqsPositions(a: Position, b: Position): number {
  return a.length - b.length || (a < b ? -1 : Number(a > b));
}

/** What its sender sent. */
export interface SentSqsMessage {
  readonly body: string;
  readonly groupId: string | undefined;
  readonly traceHeader: string | undefined;
  readonly attributes: Readonly<Record<string, SqsAttribute>>;
}

/** `undefined`: it is no message. */
export function sentSqsMessage(element: Uint8Array): SentSqsMessage | undefined {
  const message = objectOf(element);
  const body = textMember(message, "body");
  if (body === undefined) return undefined;
  const system = memberOf(message, "attributes");
  const own = memberOf(message, "messageAttributes");
  return {
    body,
    groupId: textMember(system, "MessageGroupId"),
    traceHeader: textMember(system, "AWSTraceHeader"),
    attributes: Object.fromEntries(
      Object.entries(isObject(own) ? own : {}).map(([name, value]) => [name, attributeOf(value)]),
    ),
  };
}

function attributeOf(value: unknown): SqsAttribute {
  const dataType = textMember(value, "dataType") ?? "String";
  const binary = textMember(value, "binaryValue");
  if (binary !== undefined) return { dataType, binaryValue: Buffer.from(binary, "base64") };
  return { dataType, stringValue: textMember(value, "stringValue") };
}

/** As EventBridge Pipes hands messages of queues on. */
export const SQS_PIPE_RECORDS = { data: { body: "json" }, split: pipedElements } as const;
