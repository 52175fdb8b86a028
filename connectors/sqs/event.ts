import type { Message, MessageAttributeValue } from "@aws-sdk/client-sqs";
import { MillraceError } from "../../src/model/errors.ts";
import { JsonBytesWriter, quoteJson } from "../../src/model/json-bytes.ts";
import type { QueueEvents, QueueMessage } from "../../src/ports/queue-source.ts";
import type { FilterDocument } from "../../src/ports/stream-source.ts";
import type { QueueArn } from "./queue-arn.ts";

/** Member of a message's filter document that holds its data (queues §6.2). */
export const FILTER_DATA_KEY = "body";

/** The message's JSON is written once, when it is received: batches that are assembled anew then only copy bytes. */
export interface SqsMessage extends QueueMessage {
  readonly receiptHandle: string;
  /** The element of the event's `Records` array. */
  readonly element: Buffer;
}

const EMPTY_ENVELOPE = '{"Records":[]}';
/** Bookkeeping in memory beside the element: object, strings, Buffer header. */
const MESSAGE_OVERHEAD_BYTES = 512;

/** Lambda's event of SQS (queues §2.6). */
export function createSqsEvents(): QueueEvents {
  return {
    encode: (messages) => encodeEvent(messages.map(asSqs)),
    envelopeBytes: EMPTY_ENVELOPE.length,
    filterDocument: (message) => filterDocument(asSqs(message)),
    filterDataKey: FILTER_DATA_KEY,
  };
}

/** The engine hands back only messages that this source gave (law of QueueEvents), and those are these. */
export function asSqs(message: QueueMessage): SqsMessage {
  return message as SqsMessage;
}

/**
 * Makes the messages of one queue. A message without attributes has no `md5OfMessageAttributes` when the mapping has no
 * batching window, and one of `null` when it has: so AWS's recorded events show it (queues §2.6).
 */
export function createMessageFactory({ arn, region, isFifo }: QueueArn, hasBatchingWindow: boolean) {
  const noAttributesSum = hasBatchingWindow ? ',"md5OfMessageAttributes":null' : "";
  const tail = `,"eventSource":"aws:sqs","eventSourceARN":${quoteJson(arn)},"awsRegion":${quoteJson(region)}}`;
  return (message: Message): SqsMessage => {
    const { MessageId, ReceiptHandle, Body = "", Attributes = {}, MD5OfBody = "" } = message;
    if (MessageId === undefined || ReceiptHandle === undefined) throw messageIsIncomplete(arn);
    const sum = message.MD5OfMessageAttributes;
    const element = Buffer.from(
      `{"messageId":${quoteJson(MessageId)},"receiptHandle":${quoteJson(ReceiptHandle)},"body":${quoteJson(Body)}` +
        `,"attributes":${systemAttributesJson(Attributes)}` +
        `,"messageAttributes":${messageAttributesJson(message.MessageAttributes ?? {})}` +
        `${sum === undefined ? noAttributesSum : `,"md5OfMessageAttributes":${quoteJson(sum)}`}` +
        `,"md5OfBody":${quoteJson(MD5OfBody)}${tail}`,
    );
    return {
      messageId: MessageId,
      receiptHandle: ReceiptHandle,
      // A standard queue serves its groups fairly, and keeps no order in them.
      groupId: isFifo ? Attributes["MessageGroupId"] : undefined,
      receiveCount: Number(Attributes["ApproximateReceiveCount"] ?? 1),
      bytes: element.length + ReceiptHandle.length + MESSAGE_OVERHEAD_BYTES,
      encodedBytes: element.length,
      element,
    };
  };
}

function messageIsIncomplete(arn: string): MillraceError {
  return new MillraceError(
    "ERR_MILLRACE_SOURCE_UNAVAILABLE",
    `The queue ${arn} gave a message without an id or a receipt handle. If an endpoint override is set, look at what answers there.`,
  );
}

/** In AWS's order; what is not among them follows as it came. */
const SYSTEM_ATTRIBUTES = [
  "ApproximateReceiveCount",
  "AWSTraceHeader",
  "SentTimestamp",
  "SequenceNumber",
  "MessageGroupId",
  "SenderId",
  "MessageDeduplicationId",
  "ApproximateFirstReceiveTimestamp",
];

function systemAttributesJson(attributes: Readonly<Record<string, string>>): string {
  const others = Object.keys(attributes).filter((name) => !SYSTEM_ATTRIBUTES.includes(name));
  const members = [...SYSTEM_ATTRIBUTES, ...others].flatMap((name) => {
    const value = attributes[name];
    return value === undefined ? [] : [`${quoteJson(name)}:${quoteJson(value)}`];
  });
  return `{${members.join(",")}}`;
}

function messageAttributesJson(attributes: Readonly<Record<string, MessageAttributeValue>>): string {
  const members = Object.entries(attributes).map(([name, { DataType = "", StringValue, BinaryValue }]) => {
    const text = StringValue === undefined ? "" : `"stringValue":${quoteJson(StringValue)},`;
    const binary = BinaryValue === undefined ? "" : `"binaryValue":"${base64(BinaryValue)}",`;
    // SQS has never given lists, and AWS writes them nevertheless.
    const lists = '"stringListValues":[],"binaryListValues":[]';
    return `${quoteJson(name)}:{${text}${binary}${lists},"dataType":${quoteJson(DataType)}}`;
  });
  return `{${members.join(",")}}`;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

/** The whole record (queues §6.1), its body decoded when it is a JSON object: scalars and lists are plain text (§6.3). */
function filterDocument({ element }: SqsMessage): FilterDocument {
  const document = JSON.parse(element.toString()) as { body: unknown };
  const body = parseObject(String(document.body));
  if (body === undefined) return { document, isDataJson: false };
  document.body = body;
  return { document, isDataJson: true };
}

function parseObject(text: string): object | undefined {
  if (!text.trimStart().startsWith("{")) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function encodeEvent(messages: readonly SqsMessage[]): Uint8Array {
  let byteLength = EMPTY_ENVELOPE.length + Math.max(0, messages.length - 1);
  for (const { encodedBytes } of messages) byteLength += encodedBytes;
  const writer = new JsonBytesWriter(byteLength);
  writer.ascii('{"Records":[');
  let isFirst = true;
  for (const { element } of messages) {
    if (!isFirst) writer.ascii(",");
    isFirst = false;
    writer.bytes(element);
  }
  writer.ascii("]}");
  return writer.finish();
}
