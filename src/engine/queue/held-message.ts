import type { QueueMessage } from "../../ports/queue-source.ts";

/** A message between its receive and its settlement. */
export interface HeldMessage {
  readonly message: QueueMessage;
  /** Monotonic. Counted from the receive's answer; of a prolonged hold, from before it was asked for. */
  holdUntilMs: number;
  /** The hold is to be prolonged before it ends. */
  keepsHold: boolean;
  /** Whoever received it next has it: nothing that we do to it counts. */
  isLost: boolean;
}

export function messagesOf(held: readonly HeldMessage[]): QueueMessage[] {
  return held.map(({ message }) => message);
}
