import type { Message, MessageAttributeValue } from "@aws-sdk/client-sqs";
import { describeError, MillraceError } from "../../src/model/errors.ts";
import {
  createSqsMessageFactory,
  encodeSqsEvent,
  SQS_ENVELOPE_BYTES,
  type SqsMessage,
  type SqsMessageParts,
  sqsEventOf,
  sqsFilterDocument,
} from "../../src/model/sqs-event.ts";
import type { QueueEvents, QueueMessage } from "../../src/ports/queue-source.ts";
import { nameOf } from "./odd-names.ts";
import type { QueueArn } from "./queue-arn.ts";

/** Member of a message's filter document that holds its data (filters §2). */
export const FILTER_DATA_KEY = "body";

/** Lambda's event of SQS (queues §2.6). */
export function createSqsEvents(): QueueEvents {
  return {
    encode: (messages) => encodeSqsEvent(messages.map(asSqs)),
    envelopeBytes: SQS_ENVELOPE_BYTES,
    element: (message) => asSqs(message).element,
    eventOf: sqsEventOf,
    filterDocument: (message) => sqsFilterDocument(asSqs(message)),
    traceCarrier: (message) => asSqs(message).trace,
    filterDataKey: FILTER_DATA_KEY,
  };
}

/** The engine hands back only messages that this source gave (law of QueueEvents), and those are these. */
export function asSqs(message: QueueMessage): SqsMessage {
  return message as SqsMessage;
}

/** Makes the messages of one queue out of what the SDK gives. */
export function createMessageFactory({ arn, region, isFifo }: QueueArn, hasBatchingWindow: boolean) {
  const toSqsMessage = createSqsMessageFactory({
    eventSourceArn: arn,
    awsRegion: region,
    isFifo,
    missingAttributesMd5: hasBatchingWindow ? "null" : "left-out",
  });
  const convert = (message: Message): SqsMessage => {
    const { MessageId, ReceiptHandle, Body = "", Attributes = {}, MD5OfBody = "" } = message;
    if (MessageId === undefined || ReceiptHandle === undefined) throw messageIsIncomplete(arn);
    return toSqsMessage({
      messageId: MessageId,
      receiptHandle: ReceiptHandle,
      body: Body,
      attributes: Attributes,
      messageAttributes: toSqsAttributes(message.MessageAttributes),
      md5OfMessageAttributes: message.MD5OfMessageAttributes,
      md5OfBody: MD5OfBody,
    });
  };
  return (message: Message): SqsMessage => {
    try {
      return convert(message);
    } catch (error) {
      // plant: a-message-that-is-incomplete-fails-its-whole-receive
      return damaged(message, isFifo, describeError(error));
    }
  };
}

/** A message of which no event can be made: its neighbours are none the worse for it. */
function damaged({ MessageId, ReceiptHandle, Attributes = {} }: Message, isFifo: boolean, damage: string) {
  const receiptHandle = typeof ReceiptHandle === "string" ? ReceiptHandle : "";
  return {
    damage,
    messageId: typeof MessageId === "string" ? MessageId : "",
    receiptHandle,
    groupId: isFifo ? Attributes["MessageGroupId"] : undefined,
    sentMs: undefined,
    receiveCount: Number(Attributes["ApproximateReceiveCount"] ?? 1),
    bytes: receiptHandle.length,
    encodedBytes: 0,
    element: Buffer.alloc(0),
    trace: undefined,
  };
}

function toSqsAttributes(
  attributes: Readonly<Record<string, MessageAttributeValue>> = {},
): SqsMessageParts["messageAttributes"] {
  return Object.entries(attributes).map(([name, { DataType = "", StringValue, BinaryValue }]) => [
    nameOf(name),
    { dataType: DataType, stringValue: StringValue, binaryValue: BinaryValue },
  ]);
}

function messageIsIncomplete(arn: string): MillraceError {
  return new MillraceError(
    "ERR_MILLRACE_SOURCE_UNAVAILABLE",
    `The queue ${arn} gave a message without an id or a receipt handle. If an endpoint override is set, look at what answers there.`,
  );
}
