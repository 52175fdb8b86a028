import type { QueueEvents, QueueMessage } from "../../../src/ports/queue-source.ts";
import type { FilterDocument } from "../../../src/ports/stream-source.ts";
import { SIM_ENVELOPE_BYTES, sharedView } from "./events.ts";
import type { SimDelivery } from "./queue-message.ts";

export const QUEUE_FILTER_PATTERN = '{"body":{"kind":["wanted"]}}';

/** An event of honest length whose contents are the deliveries themselves: see `SimPayload`. */
export class SimQueuePayload extends Uint8Array<ArrayBuffer> {
  deliveries: readonly SimDelivery[] = [];
}

export const SIM_QUEUE_EVENTS: QueueEvents = {
  envelopeBytes: SIM_ENVELOPE_BYTES,
  filterDataKey: "body",
  element(message) {
    const payload = new SimQueuePayload(sharedView(message.encodedBytes), 0, message.encodedBytes);
    payload.deliveries = asSimDeliveries([message]);
    return payload;
  },
  eventOf: (elements) =>
    SIM_QUEUE_EVENTS.encode(
      elements.flatMap((element) => (element instanceof SimQueuePayload ? element.deliveries : [])),
    ),
  encode(messages: readonly QueueMessage[]): Uint8Array {
    const deliveries = asSimDeliveries(messages);
    if (deliveries.some(({ sent }) => sent.unmade !== undefined))
      throw new TypeError("a message cannot be encoded");
    let byteLength = SIM_ENVELOPE_BYTES + Math.max(0, deliveries.length - 1);
    for (const { encodedBytes } of deliveries) byteLength += encodedBytes;
    const payload = new SimQueuePayload(sharedView(byteLength), 0, byteLength);
    payload.deliveries = deliveries;
    return payload;
  },
  filterDocument(message: QueueMessage): FilterDocument {
    const [delivery] = asSimDeliveries([message]);
    if (delivery?.sent.unmade === "filter document") throw new TypeError("a message cannot be looked into");
    const kind = delivery?.sent.accepted === true ? "wanted" : "unwanted";
    return { document: { body: { kind }, group: delivery?.sent.groupId }, isDataJson: true };
  },
};

/** The engine may only hand back what the source gave; a copy of the list protects the history from its changes. */
export function asSimDeliveries(messages: readonly QueueMessage[]): readonly SimDelivery[] {
  return messages.map((message) => {
    if ("sent" in message) return message as SimDelivery;
    throw new TypeError("the engine handed back a message that the source never gave");
  });
}
