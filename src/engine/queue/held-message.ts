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
  /** It was handed over to be deleted or given back: that happens once. */
  isSettled: boolean;
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
