import { JsonBytesWriter, quoteJson } from "./json-bytes.ts";

/**
 * The SQS event (queues §2.6), shared by the connectors whose functions see SQS messages: a handler written for SQS reads
 * a local queue unchanged.
 */
export interface SqsMessage {
  readonly messageId: string;
  readonly groupId: string | undefined;
  readonly receiveCount: number;
  readonly bytes: number;
  readonly encodedBytes: number;
  /** Its element of `Records`, ready to be sent. The one copy of the body: filters read it from here. */
  readonly element: Buffer;
}

/** A message as the queue gave it. */
export interface SqsMessageParts {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  /** System attributes by AWS's names; `ApproximateReceiveCount` among them. They are put into AWS's order. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly messageAttributes: Readonly<Record<string, SqsAttribute>>;
  /** `undefined`: the message has no attributes of its own. */
  readonly md5OfMessageAttributes: string | undefined;
  readonly md5OfBody: string;
}

/** One attribute that the sender set: `stringValue` for the types String and Number, `binaryValue` for Binary. */
export interface SqsAttribute {
  readonly dataType: string;
  readonly stringValue?: string;
  readonly binaryValue?: Uint8Array;
}

export interface SqsEventSource {
  readonly eventSourceArn: string;
  readonly awsRegion: string;
  /** A standard queue may show groups, which it serves fairly; it keeps no order in them. */
  readonly isFifo: boolean;
  /**
   * What stands for the MD5 of no attributes: AWS leaves the member out for mappings without a batching window, and sends
   * `null` with one (queues §2.6).
   */
  readonly missingAttributesMd5: "left-out" | "null";
}

const BEFORE_ELEMENTS = '{"Records":[';
const AFTER_ELEMENTS = "]}";
export const SQS_ENVELOPE_BYTES = BEFORE_ELEMENTS.length + AFTER_ELEMENTS.length;

/** The order in which AWS sends them; attributes that it may add one day come last. */
const SYSTEM_ATTRIBUTES = [
  "DeadLetterQueueSourceArn",
  "ApproximateReceiveCount",
  "AWSTraceHeader",
  "SentTimestamp",
  "SequenceNumber",
  "MessageGroupId",
  "SenderId",
  "MessageDeduplicationId",
  "ApproximateFirstReceiveTimestamp",
];

/** Per-message bookkeeping in memory beside the element: objects, strings, Buffer header. */
const MESSAGE_OVERHEAD_BYTES = 512;

/** Makes the messages of one queue; what all of them share is written once. */
export function createSqsMessageFactory(source: SqsEventSource) {
  const missingMd5 = source.missingAttributesMd5 === "null" ? '"md5OfMessageAttributes":null,' : "";
  const tail =
    `"eventSource":"aws:sqs","eventSourceARN":${quoteJson(source.eventSourceArn)}` +
    `,"awsRegion":${quoteJson(source.awsRegion)}}`;
  return (parts: SqsMessageParts): SqsMessage => {
    const md5 = parts.md5OfMessageAttributes;
    const element = Buffer.from(
      `{"messageId":${quoteJson(parts.messageId)},"receiptHandle":${quoteJson(parts.receiptHandle)}` +
        `,"body":${quoteJson(parts.body)},"attributes":${systemAttributesJson(parts.attributes)}` +
        `,"messageAttributes":${messageAttributesJson(parts.messageAttributes)},` +
        (md5 === undefined ? missingMd5 : `"md5OfMessageAttributes":${quoteJson(md5)},`) +
        `"md5OfBody":${quoteJson(parts.md5OfBody)},${tail}`,
    );
    return {
      messageId: parts.messageId,
      groupId: source.isFifo ? parts.attributes["MessageGroupId"] : undefined,
      receiveCount: Number(parts.attributes["ApproximateReceiveCount"] ?? 1),
      bytes: element.length + MESSAGE_OVERHEAD_BYTES,
      encodedBytes: element.length,
      element,
    };
  };
}

export function encodeSqsEvent(messages: readonly SqsMessage[]): Uint8Array {
  let byteLength = SQS_ENVELOPE_BYTES + Math.max(0, messages.length - 1);
  for (const message of messages) byteLength += message.encodedBytes;
  const writer = new JsonBytesWriter(byteLength);
  writer.ascii(BEFORE_ELEMENTS);
  let isFirst = true;
  for (const { element } of messages) {
    if (!isFirst) writer.ascii(",");
    isFirst = false;
    writer.bytes(element);
  }
  writer.ascii(AFTER_ELEMENTS);
  return writer.finish();
}

/** What a filter pattern sees: the message of the event, with a body that is a JSON object parsed (queues §6.2, §6.3). */
export function sqsFilterDocument(message: SqsMessage): { document: unknown; isDataJson: boolean } {
  const record = JSON.parse(message.element.toString()) as { readonly body: string };
  const body = parseJsonObject(record.body);
  return { document: { ...record, body: body ?? record.body }, isDataJson: body !== undefined };
}

/** Only objects count as JSON bodies; scalars and lists do not (queues §6.3, decision in architecture.md). */
function parseJsonObject(body: string): object | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function systemAttributesJson(attributes: Readonly<Record<string, string>>): string {
  const known = SYSTEM_ATTRIBUTES.filter((name) => Object.hasOwn(attributes, name));
  const others = Object.keys(attributes).filter((name) => !SYSTEM_ATTRIBUTES.includes(name));
  const members = [...known, ...others].map(
    (name) => `${quoteJson(name)}:${quoteJson(attributes[name] ?? "")}`,
  );
  return `{${members.join(",")}}`;
}

function messageAttributesJson(attributes: Readonly<Record<string, SqsAttribute>>): string {
  const members = Object.entries(attributes).map(
    ([name, attribute]) => `${quoteJson(name)}:${attributeJson(attribute)}`,
  );
  return `{${members.join(",")}}`;
}

function attributeJson({ dataType, stringValue, binaryValue }: SqsAttribute): string {
  const text = stringValue === undefined ? "" : `"stringValue":${quoteJson(stringValue)},`;
  const binary =
    binaryValue === undefined ? "" : `"binaryValue":"${Buffer.from(binaryValue).toString("base64")}",`;
  return `{${text}${binary}"stringListValues":[],"binaryListValues":[],"dataType":${quoteJson(dataType)}}`;
}
