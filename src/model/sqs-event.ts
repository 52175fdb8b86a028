import { JsonTooDeep, parseExactJson } from "./exact-json.ts";
import { joinElements, quoteJson } from "./json-bytes.ts";
import { TRACE_HEADER_CHARS_MAX, type TraceCarrier } from "./trace-context.ts";

/**
 * The SQS event (queues §2.6), shared by the connectors whose functions see SQS messages: a handler written for SQS
 * reads a local queue unchanged. A message's JSON is written once, when it is received: batches that are assembled anew
 * then only copy bytes.
 */
export interface SqsMessage {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly groupId: string | undefined;
  readonly sentMs: number | undefined;
  readonly receiveCount: number;
  readonly bytes: number;
  readonly encodedBytes: number;
  /** Its element of `Records`, ready to be sent. The one copy of the body: filters read it from here. */
  readonly element: Buffer;
  /** No event can be made of it; `element` is empty. */
  readonly damage?: string | undefined;
  /** `undefined`: it came with none. */
  readonly trace: TraceCarrier | undefined;
}

/** A message as the queue gave it. */
export interface SqsMessageParts {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  /** System attributes by AWS's names; `ApproximateReceiveCount` among them. They are put into AWS's order. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly messageAttributes: readonly (readonly [name: string, attribute: SqsAttribute])[];
  /** `undefined`: the message has no attributes of its own. */
  readonly md5OfMessageAttributes: string | undefined;
  readonly md5OfBody: string;
}

/** One attribute that the sender set: `stringValue` for the types String and Number, `binaryValue` for Binary. */
export interface SqsAttribute {
  readonly dataType: string;
  readonly stringValue?: string | undefined;
  readonly binaryValue?: Uint8Array | undefined;
}

export interface SqsEventSource {
  readonly eventSourceArn: string;
  readonly awsRegion: string;
  /** A standard queue may show groups, which it serves fairly; it keeps no order in them. */
  readonly isFifo: boolean;
  /**
   * What stands for the MD5 of no attributes: AWS leaves the member out for mappings without a batching window, and
   * sends `null` with one (queues §2.6).
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
      receiptHandle: parts.receiptHandle,
      groupId: source.isFifo ? parts.attributes["MessageGroupId"] : undefined,
      sentMs: sentMsOf(parts.attributes["SentTimestamp"]),
      receiveCount: Number(parts.attributes["ApproximateReceiveCount"] ?? 1),
      bytes: element.length + parts.receiptHandle.length + MESSAGE_OVERHEAD_BYTES,
      encodedBytes: element.length,
      element,
      trace: traceCarrierOf(parts),
    };
  };
}

function sentMsOf(text: string | undefined): number | undefined {
  const sentMs = Number(text);
  return sentMs > 0 ? sentMs : undefined;
}

/** X-Ray's header is a system attribute; W3C's headers are attributes that the sender's tracing library set. */
function traceCarrierOf({ attributes, messageAttributes }: SqsMessageParts): TraceCarrier | undefined {
  const xray = traceHeader(attributes["AWSTraceHeader"]);
  if (messageAttributes.length === 0) return xray === undefined ? undefined : { xray };
  const textOf = (wanted: string) =>
    traceHeader(messageAttributes.find(([name]) => name === wanted)?.[1].stringValue);
  const traceparent = textOf("traceparent");
  if (traceparent === undefined && xray === undefined) return undefined;
  return { traceparent, tracestate: textOf("tracestate"), xray };
}

/** Kept beside the element: what is too long to be read is not. */
function traceHeader(text: string | undefined): string | undefined {
  return text !== undefined && text.length <= TRACE_HEADER_CHARS_MAX ? text : undefined;
}

export function encodeSqsEvent(messages: readonly SqsMessage[]): Uint8Array {
  return sqsEventOf(messages.map(({ element }) => element));
}

export function sqsEventOf(elements: readonly Uint8Array[]): Uint8Array {
  return joinElements(BEFORE_ELEMENTS, elements, AFTER_ELEMENTS);
}

/** What a filter pattern sees: the message of the event, with a body that is a JSON object parsed (filters §2, §3). */
export function sqsFilterDocument(message: SqsMessage): { document: unknown; isDataJson: boolean } {
  const record = JSON.parse(message.element.toString()) as { readonly body: string };
  const body = parseJsonObject(record.body);
  return { document: { ...record, body: body ?? record.body }, isDataJson: body !== undefined };
}

/** Only objects count as JSON bodies; scalars and lists do not (filters §3). */
function parseJsonObject(body: string): object | undefined {
  if (!body.trimStart().startsWith("{")) return undefined;
  try {
    const value = parseExactJson(body);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch (error) {
    // Taken for a text it would be dropped by patterns, and nobody would be told.
    if (error instanceof JsonTooDeep) throw error;
    return undefined;
  }
}

function systemAttributesJson(attributes: Readonly<Record<string, string>>): string {
  const members: string[] = [];
  for (const name of SYSTEM_ATTRIBUTES) {
    const value = attributes[name];
    if (value !== undefined) members.push(`"${name}":${quoteJson(value)}`);
  }
  for (const [name, value] of Object.entries(attributes)) {
    if (!SYSTEM_ATTRIBUTES.includes(name)) members.push(`${quoteJson(name)}:${quoteJson(value)}`);
  }
  return `{${members.join(",")}}`;
}

function messageAttributesJson(attributes: SqsMessageParts["messageAttributes"]): string {
  const members = attributes.map(([name, attribute]) => `${quoteJson(name)}:${attributeJson(attribute)}`);
  return `{${members.join(",")}}`;
}

function attributeJson({ dataType, stringValue, binaryValue }: SqsAttribute): string {
  const text = stringValue === undefined ? "" : `"stringValue":${quoteJson(stringValue)},`;
  const binary = binaryValue === undefined ? "" : `"binaryValue":"${base64(binaryValue)}",`;
  // SQS has never given lists, and AWS writes them nevertheless.
  return `{${text}${binary}"stringListValues":[],"binaryListValues":[],"dataType":${quoteJson(dataType)}}`;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}
