import { dataDocumentOf } from "../../src/brokers/data-document.ts";
import { headerOf, traceCarrierOf } from "../../src/brokers/headers.ts";
import { asSent, type SentBody } from "../../src/brokers/sent-message.ts";
import { describeError } from "../../src/model/errors.ts";
import { joinElements, quoteJson } from "../../src/model/json-bytes.ts";
import { PAYLOAD_BYTES_MAX } from "../../src/model/limits.ts";
import type { QueueEvents, QueueMessage } from "../../src/ports/queue-source.ts";
import type { AmqpDelivery, AmqpProperties } from "./amqp-api.ts";
import { propertiesJson } from "./properties-json.ts";
import type { RabbitOrder, RabbitSettings } from "./settings.ts";

/** Member of a message's filter document that holds its data (filters §2). */
export const FILTER_DATA_KEY = "data";

const END = "]}}";

/** Lambda's event of RabbitMQ (brokers §2.1). */
export function createRabbitEvents({ eventSourceArn, queue, virtualHost }: EventSource): QueueEvents {
  const front = frontOf({ eventSourceArn, queue, virtualHost });
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

type EventSource = Pick<RabbitSettings, "eventSourceArn" | "queue" | "virtualHost">;

/** ASCII: names of queues and virtual hosts that are not are escaped. */
function frontOf({ eventSourceArn, queue, virtualHost }: EventSource): string {
  const key = asciiJson(`${queue}::${virtualHost}`);
  return `{"eventSource":"aws:rmq","eventSourceArn":${asciiJson(eventSourceArn)},"rmqMessagesByQueue":{${key}:[`;
}

function asciiJson(text: string): string {
  return quoteJson(text).replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Makes the body of each delivery of one queue. A message of which no event can be made has its damage. */
export function createBodyFactory(
  source: EventSource,
  order: RabbitOrder,
): (delivery: AmqpDelivery) => SentBody {
  const elementBytesMax = PAYLOAD_BYTES_MAX - frontOf(source).length - END.length;
  return (delivery) => {
    const { properties, redelivered, deliveryTag } = delivery;
    const { headers, messageId } = properties;
    const common = {
      messageId: typeof messageId === "string" && messageId !== "" ? messageId : `delivery-${deliveryTag}`,
      groupId: groupOf(order, headers),
      deliveries: deliveriesOf(headers, redelivered),
      trace: traceCarrierOf(headers),
    };
    const element = elementBytes(delivery, properties);
    if (typeof element === "string") return { ...common, element: Buffer.alloc(0), damage: element };
    if (element.length <= elementBytesMax) return { ...common, element, damage: undefined };
    const damage = `its event has ${element.length} bytes, more than an invocation may have`;
    return { ...common, element: Buffer.alloc(0), damage };
  };
}

function elementOf(message: QueueMessage): Buffer {
  return asSent(message).body.element;
}

/** A text: what is wrong with it. */
function elementBytes({ redelivered, content }: AmqpDelivery, properties: AmqpProperties): Buffer | string {
  // Larger than any event, before base64 makes it a third larger still.
  if (content.length > PAYLOAD_BYTES_MAX)
    return `it has ${content.length} bytes, more than an invocation may have`;
  try {
    const front = propertiesJson(properties, content.length);
    return Buffer.from(
      `{"basicProperties":${front},"redelivered":${redelivered},"data":"${content.toString("base64")}"}`,
    );
  } catch (error) {
    return describeError(error);
  }
}

const QUEUE_GROUP = "queue";

function groupOf(order: RabbitOrder, headers: unknown): string | undefined {
  if (order.by === "queue") return QUEUE_GROUP;
  if (order.by === "none") return undefined;
  const value = headerOf(headers, order.name);
  switch (typeof value) {
    case "string":
      return value;
    case "number":
    case "bigint":
    case "boolean":
      return String(value);
    default:
      return Buffer.isBuffer(value) ? value.toString("latin1") : undefined;
  }
}

/** Quorum queues count; classic ones know that there was another before, at least. */
function deliveriesOf(headers: unknown, redelivered: boolean): number {
  const before = headerOf(headers, "x-delivery-count");
  if (typeof before === "number" && Number.isInteger(before) && before > 0) return before + 1;
  return redelivered ? 2 : 1;
}
