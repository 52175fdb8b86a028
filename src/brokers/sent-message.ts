import type { TraceCarrier } from "../model/trace-context.ts";
import type { QueueMessage } from "../ports/queue-source.ts";

/** In which order messages are run. */
export type MessageOrder =
  /** As the queue gives them, one batch after the other. */
  | { readonly by: "queue" }
  /** Those of one group; those without one in none. */
  | { readonly by: "group" }
  | { readonly by: "none" };

/** What is made of a delivery once; each time that it is given is a message of its own. */
export interface SentBody {
  readonly messageId: string;
  readonly groupId: string | undefined;
  /** 1 at the first delivery, as far as the broker tells. */
  readonly deliveries: number;
  /** Its element of the event; empty where it has `damage`. */
  readonly element: Buffer;
  readonly damage: string | undefined;
  readonly trace: TraceCarrier | undefined;
}

/** A message that a queue of a broker gave. */
export interface SentMessage extends QueueMessage {
  readonly body: SentBody;
}

/** Bookkeeping in memory beside the element. */
const MESSAGE_OVERHEAD_BYTES = 512;

/** A message as it is given for the `gives`th time. */
export function messageOf(body: SentBody, gives: number): SentMessage {
  const encodedBytes = body.element.length;
  return {
    damage: body.damage,
    messageId: body.messageId,
    groupId: body.groupId,
    receiveCount: body.deliveries + gives - 1,
    bytes: encodedBytes + MESSAGE_OVERHEAD_BYTES,
    encodedBytes,
    body,
  };
}

/** Law of QueueEvents: only messages come here that a queue of this kind gave. */
export function asSent(message: QueueMessage): SentMessage {
  return message as SentMessage;
}
