import type { TraceCarrier } from "../model/trace-context.ts";
import type { FilterDocument } from "./stream-source.ts";

/**
 * A queue whose messages are hidden while they are worked on and come again when nobody settles them: a queue of AWS, a
 * local one, one of a broker.
 *
 * Laws, which the contract suite `test/contract/queue-source.ts` checks of every adapter:
 * - A message is handed out with a hold: until it ends, no other receive gets the message.
 * - Settlement (`acknowledge`, `release`) answers for each message by itself, in the order given. `lost`: the hold had
 *   ended before, or the message was settled already; nothing was changed. `failed`: unknown, to be tried again.
 * - A message that is released, or whose hold ends, comes again with a higher receive count.
 * - FIFO: messages of one group are handed out in order, and none of a group while an earlier one of it is held.
 * - An abort says that no more is wanted. It never throws away what the queue may have handed out, since that would be
 *   hidden and its receive spent: a receive that is pending comes back with what there is, perhaps nothing; at once
 *   where the question can be taken back, else when it is answered. One that is asked for behind an abort asks nothing
 *   and gives nothing.
 * - What one source gave, another source of the same queue in this process may settle, also within a minute after the
 *   first was closed.
 * - A message that its function failed comes again when its hold ends. A source that has `failed` is told instead, and
 *   brings it again after the pause, in its place among those of its group, or gives it up where its queue gives up to.
 * - An element that cannot be converted is given with its `damage`; its neighbours are given as they are. Failures of a
 *   whole call reject with `ERR_MILLRACE_SOURCE_UNAVAILABLE`, `…_THROTTLED` or `…_NOT_FOUND`.
 */
export interface QueueSource {
  readonly description: QueueDescription;
  readonly events: QueueEvents;
  receive(wanted: ReceiveBounds, signal: AbortSignal): Promise<readonly QueueMessage[]>;
  /** Takes the messages off the queue for good. */
  acknowledge(messages: readonly QueueMessage[]): Promise<readonly Settlement[]>;
  /** Ends the holds after `delayMs`: the messages come again. */
  release(messages: readonly QueueMessage[], delayMs: number): Promise<readonly Settlement[]>;
  /**
   * A batch with them failed: they come again after `delayMs`, or their queue gives them up. Left out by queues that
   * bring them again by a time-out of their own.
   */
  failed?(messages: readonly QueueMessage[], delayMs: number): Promise<readonly Settlement[]>;
  /** Has the holds end `holdMs` from now. */
  extend(messages: readonly QueueMessage[], holdMs: number): Promise<readonly Settlement[]>;
  close(): Promise<void>;
}

export interface ReceiveBounds {
  /** At most `receiveMessagesMax` are given, whatever is asked for. */
  readonly messagesMax: number;
  /** How long to wait for a first message, at most: a source that knows that it holds none at all may answer sooner. */
  readonly waitMs: number;
  /** How long what is received is held. */
  readonly holdMs: number;
}

export type Settlement = "settled" | "lost" | "failed";

export interface QueueDescription {
  /** Closed set, from the connector registry: the `source` label of metrics. */
  readonly kind: string;
  readonly eventSourceArn: string;
  readonly isFifo: boolean;
  /** The queue's own visibility time-out. */
  readonly visibilityMs: number;
  /** Messages of one receive, at most. */
  readonly receiveMessagesMax: number;
  /** Where a message goes that was received so often and not settled; absent: nowhere, or the queue does not say. */
  readonly deadLetter?: { readonly queue: string; readonly receivesMax: number } | undefined;
}

/** What the engine needs to know of a message; a connector's own message carries more, its receipt among it. */
export interface QueueMessage {
  /** Why no event can be made of it, without a word of its contents. The engine gives it up alone, and tells. */
  readonly damage?: string | undefined;
  /** What functions call it in a partial response. */
  readonly messageId: string;
  /** FIFO: its group. `undefined` on queues without order. */
  readonly groupId: string | undefined;
  /** When the queue received it, epoch milliseconds; absent: the queue does not say. */
  readonly sentMs?: number | undefined;
  /** 1 at its first delivery. */
  readonly receiveCount: number;
  /** Bytes that the message holds in memory: what the budget counts. */
  readonly bytes: number;
  /** Exact bytes of the message's element in the event's `Records` array, without its separator. */
  readonly encodedBytes: number;
}

/** The source's Lambda event: pure functions of the messages that this source gave. */
export interface QueueEvents {
  /** Exactly `envelopeBytes + Σ encodedBytes + (n − 1)` bytes for n > 0 messages. */
  encode(messages: readonly QueueMessage[]): Uint8Array;
  readonly envelopeBytes: number;
  /** The message's element of the event, byte for byte: what `encode` makes of it. */
  element(message: QueueMessage): Uint8Array;
  /** The event of such elements, also of those that another process has made. */
  eventOf(elements: readonly Uint8Array[]): Uint8Array;
  filterDocument(message: QueueMessage): FilterDocument;
  /** Trace headers that came with the message. Only asked when the engine traces. Without it messages carry none. */
  traceCarrier?(message: QueueMessage): TraceCarrier | undefined;
  /** Member of the filter document that holds the message's own data: `body`. */
  readonly filterDataKey: string;
}
