import { dataDocumentOf } from "../../src/brokers/data-document.ts";
import { traceCarrierOf } from "../../src/brokers/headers.ts";
import { asSent, type SentBody } from "../../src/brokers/sent-message.ts";
import { joinElements, quoteJson } from "../../src/model/json-bytes.ts";
import { PAYLOAD_BYTES_MAX } from "../../src/model/limits.ts";
import type { QueueEvents, QueueMessage } from "../../src/ports/queue-source.ts";
import type { AmqpDelivery, AmqpMessage } from "./amqp-message.ts";
import { bodyOf } from "./message-body.ts";
import type { ActivemqSettings } from "./settings.ts";

/** Member of a message's filter document that holds its data (filters §2). */
export const FILTER_DATA_KEY = "data";

/** JMS's own. */
const PRIORITY_DEFAULT = 4;
const PERSISTENT = 2;
const NOT_PERSISTENT = 1;
const QUEUE_ADDRESS = "queue://";
const END = "]}";

type EventSource = Pick<ActivemqSettings, "eventSourceArn" | "queue">;

/** Lambda's event of ActiveMQ (brokers §3.1). */
export function createActivemqEvents({ eventSourceArn }: EventSource): QueueEvents {
  const front = frontOf(eventSourceArn);
  return {
    encode: (messages) => joinElements(front, messages.map(elementOf), END),
    envelopeBytes: front.length + END.length,
    element: elementOf,
    eventOf: (elements) => joinElements(front, elements, END),
    filterDocument: (message) => dataDocumentOf(elementOf(message)),
    traceCarrier: (message) => asSent(message).body.trace,
    filterDataKey: FILTER_DATA_KEY,
  };
}

/** ASCII, as ARNs are. */
function frontOf(eventSourceArn: string): string {
  return `{"eventSource":"aws:mq","eventSourceArn":${quoteJson(eventSourceArn)},"messages":[`;
}

function elementOf(message: QueueMessage): Buffer {
  return asSent(message).body.element;
}

/** Makes the body of each delivery of one queue. A message of which no event can be made has its damage. */
export function createBodyFactory(
  source: EventSource,
  givenBefore: (messageId: string) => number,
): (delivery: AmqpDelivery) => SentBody {
  const elementBytesMax = PAYLOAD_BYTES_MAX - frontOf(source.eventSourceArn).length - END.length;
  return (delivery) => {
    const { message, deliveryTag } = delivery;
    const messageId = idOf(message.message_id) ?? `delivery-${deliveryTag}`;
    const common = {
      messageId,
      groupId: textOf(message.group_id) || undefined,
      deliveries: Math.max(failedBefore(message), givenBefore(messageId)) + 1,
      trace: traceCarrierOf(message.application_properties),
    };
    const element = elementBytes(delivery, common, source.queue);
    if (typeof element === "string") return { ...common, element: Buffer.alloc(0), damage: element };
    if (element.length <= elementBytesMax) return { ...common, element, damage: undefined };
    const damage = `its event has ${element.length} bytes, more than an invocation may have`;
    return { ...common, element: Buffer.alloc(0), damage };
  };
}

/** In AWS's order. A text: what is wrong with it. */
function elementBytes(
  { message, cameAtMs }: AmqpDelivery,
  { messageId, deliveries }: Pick<SentBody, "messageId" | "deliveries">,
  queue: string,
): Buffer | string {
  const body = bodyOf(message);
  if (body.kind === "unsupported") return body.reason;
  // Larger than any event, before base64 makes it a third larger still.
  if (body.bytes.length > PAYLOAD_BYTES_MAX)
    return `it has ${body.bytes.length} bytes, more than an invocation may have`;
  const { reply_to, subject, correlation_id, creation_time, absolute_expiry_time } = message;
  const sentAtMs = timeOf(creation_time);
  const expiry = timeOf(absolute_expiry_time);
  return Buffer.from(
    `{"messageID":${quoteJson(messageId)},"messageType":"jms/${body.kind}-message"` +
      `,"deliveryMode":${message.durable === true ? PERSISTENT : NOT_PERSISTENT}` +
      `,"replyTo":${orNull(textOf(reply_to))},"type":${orNull(textOf(subject))}` +
      `,"expiration":${orNull(expiry === undefined ? undefined : String(expiry))}` +
      `,"priority":${integerOf(message.priority) ?? PRIORITY_DEFAULT}` +
      `,"correlationId":${orNull(idOf(correlation_id))},"redelivered":${deliveries > 1}` +
      `,"destination":{"physicalname":${quoteJson(nameOf(message.to) ?? queue)}}` +
      `,"data":"${body.bytes.toString("base64")}","timestamp":${sentAtMs ?? 0}` +
      // AMQP tells neither: a broker takes a message when it is sent, and gives it when it comes here.
      `,"brokerInTime":${sentAtMs ?? cameAtMs},"brokerOutTime":${cameAtMs}` +
      `,"properties":${propertiesJson(message.application_properties)}}`,
  );
}

function failedBefore({ delivery_count }: AmqpMessage): number {
  return integerOf(delivery_count) ?? 0;
}

/** A text, a number, or bytes, which AMQP allows as well: those in hexadecimal digits. */
function idOf(value: unknown): string | undefined {
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  if (Buffer.isBuffer(value)) return value.toString("hex");
  return textOf(value) || undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function orNull(value: string | undefined): string {
  return value === undefined ? "null" : quoteJson(value);
}

function integerOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** Epoch milliseconds; JMS's zero is none. */
function timeOf(value: unknown): number | undefined {
  const ms = value instanceof Date ? value.getTime() : value;
  return integerOf(ms) || undefined;
}

/** A wildcard reads several queues, and the message tells which it was in. */
function nameOf(address: unknown): string | undefined {
  if (typeof address !== "string" || !address.startsWith(QUEUE_ADDRESS)) return undefined;
  return address.slice(QUEUE_ADDRESS.length) || undefined;
}

/** All as texts, as AWS's type has them. */
function propertiesJson(properties: unknown): string {
  if (typeof properties !== "object" || properties === null) return "{}";
  const members = Object.entries(properties).map(
    ([name, value]) => `${quoteJson(name)}:${propertyJson(value)}`,
  );
  return `{${members.join(",")}}`;
}

function propertyJson(value: unknown): string {
  switch (typeof value) {
    case "string":
    case "number":
    case "bigint":
    case "boolean":
      return quoteJson(String(value));
    default:
      if (value instanceof Date) return quoteJson(String(value.getTime()));
      return Buffer.isBuffer(value) ? quoteJson(longText(value)) : "null";
  }
}

/** A whole number beyond JavaScript's comes as its eight bytes; other bytes in hexadecimal digits. */
function longText(bytes: Buffer): string {
  return bytes.length === 8 ? String(bytes.readBigInt64BE()) : bytes.toString("hex");
}
