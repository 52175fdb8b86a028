import type { QueueMessage } from "../../ports/queue-source.ts";

/** A message between its receive and its settlement. */
export interface HeldMessage {
  readonly message: QueueMessage;
  /** Monotonic: since when it has been here. */
  readonly receivedMs: number;
  /** Monotonic. Counted from before the receive or extension was asked for: the queue may count from any time since. */
  holdUntilMs: number;
  /** How long the hold was when it began or was prolonged last. */
  spanMs: number;
  /** Whoever received it next has it: nothing that we do to it counts. */
  isLost: boolean;
  /** Those that came with it; `undefined`: there is no order, and nothing waits behind one that fails. */
  readonly together: Together | undefined;
  /** It was handed over to be deleted or given back: that happens once. */
  isSettled: boolean;
}

/**
 * Messages of one receive of a queue with order. They go in one batch: what would wait behind it goes back when a
 * message of its group fails in it, and that is a receive that no function saw.
 */
export interface Together {
  /** As many were asked for by the worker before, whose batches were larger perhaps; 0: it was this one. */
  readonly adoptedMax: number;
  /** Those that wait for a batch. */
  waiting: number;
}

/** Nobody else can have been given the message yet, as far as we were told. */
export function isHeldAt({ isLost, holdUntilMs }: HeldMessage, nowMs: number): boolean {
  return !isLost && holdUntilMs > nowMs;
}

export function messagesOf(held: readonly HeldMessage[]): QueueMessage[] {
  return held.map(({ message }) => message);
}

/** What AWS adds to a hold that must outlast window and function (queues §2.1). */
const HOLD_MARGIN_MS = 30_000;

/** A hold outlasts the batching window and the function (queues §2.1). */
export function holdMsFor(batchingWindowMs: number, functionTimeoutMs: number, visibilityMs: number): number {
  const neededMs = batchingWindowMs + functionTimeoutMs;
  return batchingWindowMs > 0 && neededMs > visibilityMs ? neededMs + HOLD_MARGIN_MS : visibilityMs;
}
