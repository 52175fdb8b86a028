import { describeError } from "../../src/model/errors.ts";
import {
  createSqsMessageFactory,
  encodeSqsEvent,
  SQS_ENVELOPE_BYTES,
  type SqsMessage,
  sqsEventOf,
  sqsFilterDocument,
} from "../../src/model/sqs-event.ts";
import type { QueueEvents, QueueMessage } from "../../src/ports/queue-source.ts";
import { parseAttributes } from "./message-attributes.ts";
import { formatPosition } from "./position.ts";
import { type QueueArn, siblingArn } from "./queue-arn.ts";
import type { DamagedDelivery, Delivery } from "./queue-delivery.ts";

/** Member of a message's filter document that holds its data, as for SQS (filters §2). */
export const QUEUE_FILTER_DATA_KEY = "body";

/** A message with what settles it. */
export interface LocalMessage extends SqsMessage {
  readonly id: number;
  readonly receipt: string;
}

/** Functions see the messages of a local queue as SQS messages: a handler written for SQS reads them unchanged. */
export function createLocalQueueEvents(): QueueEvents {
  return {
    encode: (messages) => encodeSqsEvent(asLocalMessages(messages)),
    envelopeBytes: SQS_ENVELOPE_BYTES,
    element: (message) => (message as LocalMessage).element,
    eventOf: sqsEventOf,
    filterDocument: (message) => sqsFilterDocument(asLocalMessages([message])[0] as LocalMessage),
    traceCarrier: (message) => (message as LocalMessage).trace,
    filterDataKey: QUEUE_FILTER_DATA_KEY,
  };
}

export function createLocalMessageFactory(queue: QueueArn, hasBatchingWindow: boolean) {
  const toSqsMessage = createSqsMessageFactory({
    eventSourceArn: queue.arn,
    awsRegion: queue.region,
    isFifo: queue.name.endsWith(".fifo"),
    missingAttributesMd5: hasBatchingWindow ? "null" : "left-out",
  });
  const convert = (delivery: Delivery): LocalMessage => {
    const message = toSqsMessage({
      messageId: delivery.messageId,
      receiptHandle: delivery.receipt,
      body: delivery.body,
      attributes: systemAttributes(delivery, queue),
      messageAttributes: parseAttributes(delivery.attributes),
      md5OfMessageAttributes: delivery.attributesMd5,
      md5OfBody: delivery.bodyMd5,
    });
    return { ...message, id: delivery.id, receipt: delivery.receipt };
  };
  return (delivery: Delivery | DamagedDelivery): LocalMessage => {
    if (delivery.damage !== undefined) return damaged(delivery, delivery.damage);
    try {
      return convert(delivery);
    } catch (error) {
      return damaged(delivery, describeError(error));
    }
  };
}

/** A message of which no event can be made: its neighbours are none the worse for it. */
function damaged(delivery: Delivery | DamagedDelivery, damage: string): LocalMessage {
  const { id, receipt, groupId, receiveCount } = delivery;
  return {
    damage,
    id,
    receipt,
    messageId: delivery.damage === undefined ? delivery.messageId : `row ${id}`,
    receiptHandle: receipt,
    groupId,
    sentMs: undefined,
    receiveCount,
    bytes: receipt.length,
    encodedBytes: 0,
    element: Buffer.alloc(0),
    trace: undefined,
  };
}

/** The engine hands back only messages that this source gave (law of QueueSource), and those are these. */
export function asLocalMessages(messages: readonly QueueMessage[]): readonly LocalMessage[] {
  return messages as readonly LocalMessage[];
}

function systemAttributes(delivery: Delivery, queue: QueueArn): Readonly<Record<string, string>> {
  const { deadLetterSource, traceHeader, groupId } = delivery;
  return {
    ...(deadLetterSource !== undefined && {
      DeadLetterQueueSourceArn: siblingArn(queue, deadLetterSource),
    }),
    ApproximateReceiveCount: String(delivery.receiveCount),
    ...(traceHeader !== undefined && { AWSTraceHeader: traceHeader }),
    SentTimestamp: String(delivery.sentMs),
    // A name for the event only: nothing here has or needs senders.
    SenderId: queue.account,
    ApproximateFirstReceiveTimestamp: String(delivery.firstReceivedMs),
    ...(groupId !== undefined && {
      SequenceNumber: formatPosition(delivery.sequence),
      MessageGroupId: groupId,
      // On a FIFO queue of AWS every message has one.
      MessageDeduplicationId: delivery.deduplicationId ?? delivery.messageId,
    }),
  };
}
