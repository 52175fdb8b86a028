import type { EventRecord } from "./event-records.ts";

/**
 * The queue to which a queue gives up.
 *
 * Laws, which the contract suite `test/contract/dead-letters.ts` checks of every adapter:
 * - `peek` leaves every message as available as it was, once it has answered. A queue that hides what it hands out does
 *   so meanwhile, and counts a receive: `peekHides` says so.
 * - `take` hides what it gives until `remove`, or for `holdMs`. Messages of a group come in their order.
 * - `send` puts a message back as its sender made it: body, attributes, group. The same `id` sent again within minutes
 *   is one message where the queue can tell.
 * - Failures reject with `ERR_MILLRACE_SOURCE_UNAVAILABLE`, `…_THROTTLED` or `…_NOT_FOUND`.
 */
export interface DeadLetters {
  /** ARN of the queue of dead letters. */
  readonly name: string;
  readonly peekHides: boolean;
  /** Not all, where a queue hands out few of a group at a time. Each once. */
  peek(max: number, signal: AbortSignal): Promise<readonly EventRecord[]>;
  /** How many there are, hidden ones too. A queue of several hosts may tell what was. */
  count(signal: AbortSignal): Promise<number>;
  take(max: number, holdMs: number, signal: AbortSignal): Promise<readonly TakenLetter[]>;
  /** Takes them off the queue for good. */
  remove(letters: readonly TakenLetter[]): Promise<void>;
  /** Ends the holds. */
  giveBack(letters: readonly TakenLetter[]): Promise<void>;
  /** `source`: the queue that gave them up. */
  send(to: "letters" | "source", messages: readonly SentLetter[]): Promise<void>;
  close(): Promise<void>;
}

export interface TakenLetter extends EventRecord {
  readonly receipt: string;
}

export interface SentLetter {
  readonly id: string;
  readonly element: Uint8Array;
}
