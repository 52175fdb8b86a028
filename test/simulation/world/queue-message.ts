import type { QueueMessage } from "../../../src/ports/queue-source.ts";
import type { SimProcess } from "./process.ts";

/** A message as the queue's servers hold it. */
export interface SimMessage {
  /** Ordinal in the whole queue, in the order of sending: index of the checkers' arrays. */
  readonly id: number;
  readonly messageId: string;
  /** Standard queues know groups too, and do not show them. */
  readonly groupId: string;
  readonly bytes: number;
  readonly encodedBytes: number;
  readonly sentAt: number;
  /** The mapping's filter lets it pass. */
  readonly accepted: boolean;
  /** Every execution of the function with it fails. */
  readonly poison: boolean;
  /** What cannot be made of it: its source throws, or says so. */
  readonly unmade?: "event" | "filter document" | "damaged" | undefined;
  receiveCount: number;
  /** World time until which its newest delivery holds it. */
  hiddenUntil: number;
  /** The newest. */
  delivery: SimDelivery | undefined;
  deletedAt: number | undefined;
  /** Moved to the dead-letter queue by the queue's own policy. */
  redrivenAt: number | undefined;
}

export type NewMessage = Pick<
  SimMessage,
  "groupId" | "bytes" | "encodedBytes" | "accepted" | "poison" | "unmade"
>;

/** A message as one receive gave it: what the engine gets to see, and what the world knows of it. */
export interface SimDelivery extends QueueMessage {
  readonly sent: SimMessage;
  readonly process: SimProcess;
  readonly takenAt: number;
  /** World time at which the process got it; `undefined`: it never did. */
  deliveredAt: number | undefined;
  /** Until then the process may believe in its hold, by its own monotonic clock and the answers that reached it. */
  heldUntilLocalMs: number;
  /** The process was told that the hold is lost. */
  toldLost: boolean;
  /** The hold had ended by all that the process knew, and only then an extension was answered. */
  hasLapsed: boolean;
  /** Why the queue gave the message to somebody else, and since when this delivery counted for nothing. */
  over:
    | { readonly at: number; readonly by: "released" | "expired" | "duplicated"; readonly byQueue?: true }
    | undefined;
}

export interface QueueShape {
  readonly isFifo: boolean;
  readonly visibilityMs: number;
  /** The redrive policy's `maxReceiveCount`; `undefined`: there is no dead-letter queue. */
  readonly receivesMax: number | undefined;
  /**
   * Any held message of a group holds back all of it, as SQS does; `false`: only an earlier one, which is the port's
   * law.
   */
  readonly isGroupHeldByAny: boolean;
}

export interface ReceiveRequest {
  readonly process: SimProcess;
  readonly messagesMax: number;
  readonly waitMs: number;
  readonly holdMs: number;
  /** Nobody hears the answer any more: give it nothing. */
  isGone(): boolean;
  /** Hand out a message that is held: standard queues may. */
  duplicates(): boolean;
  answer(deliveries: readonly SimDelivery[]): void;
}

export function isThere(message: SimMessage): boolean {
  return message.deletedAt === undefined && message.redrivenAt === undefined;
}

/** Somebody else gets the message: what the delivery before was worth. */
export function endDelivery({ delivery, hiddenUntil }: SimMessage, now: number): void {
  if (delivery === undefined || delivery.over !== undefined) return;
  delivery.over = hiddenUntil > now ? { at: now, by: "duplicated" } : { at: hiddenUntil, by: "expired" };
}
