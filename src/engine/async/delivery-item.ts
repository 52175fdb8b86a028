import type { Envelope, EnvelopeMessage } from "../../model/envelope.ts";

import { oneLine } from "./outcome-record.ts";

/** What a destination is to get of an event that came to its end: the body of an item of the queue. */
export interface Delivery {
  /** `deadLetter`: the event as it is, and why it was given up beside it. */
  readonly kind: "record" | "deadLetter";
  readonly functionName: string;
  readonly requestId: string;
  /** Path for destinations that keep each as an object of its own. */
  readonly name: string;
  readonly message: EnvelopeMessage;
}

export function writeDelivery(delivery: Delivery): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(delivery));
}

/** `undefined`: no version of millrace that this one knows wrote it. */
export function readDelivery(body: Uint8Array): Delivery | undefined {
  try {
    const read: unknown = JSON.parse(new TextDecoder().decode(body));
    return isDelivery(read) ? read : undefined;
  } catch {
    return undefined;
  }
}

function isDelivery(read: unknown): read is Delivery {
  if (typeof read !== "object" || read === null || !("message" in read)) return false;
  const { message } = read;
  return typeof message === "object" && message !== null && "text" in message && "attributes" in message;
}

export function envelopeOf(id: string, delivery: Delivery): Envelope {
  const { name, message } = delivery;
  return { id, name, payload: undefined, text: () => documentOf(delivery), message };
}

/** For who takes documents, and not messages: a dead letter's event stands beside what is said of it. */
function documentOf({ kind, message: { text, attributes } }: Delivery): string {
  if (kind === "record") return text;
  const said = Object.entries(attributes).map(([name, { type, value }]) => {
    return `${JSON.stringify(name)}:${type === "Number" ? value : JSON.stringify(value)}`;
  });
  return `{${said.join(",")},"event":${oneLine(text)}}`;
}
