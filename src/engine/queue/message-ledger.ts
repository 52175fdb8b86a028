import { assertInvariant } from "../../model/errors.ts";
import type { QueueMessage } from "../../ports/queue-source.ts";
import type { ByteBudget } from "../budget.ts";
import type { HeldMessage, Together } from "./held-message.ts";
import type { HoldKeeper } from "./hold-keeper.ts";
import type { Hold } from "./open-receive.ts";
import type { WaitingMessages } from "./waiting-messages.ts";

export interface LedgerOptions {
  readonly buffer: WaitingMessages;
  readonly holds: HoldKeeper;
  readonly budget: ByteBudget;
}

/**
 * The one owner of what messages in hand take: bytes of the budget from their receive on, a hold that is kept, a place
 * in the buffer. Whatever a message has is given back here, once, however it leaves (I26).
 */
export class MessageLedger {
  readonly buffer: WaitingMessages;
  readonly #holds: HoldKeeper;
  readonly #budget: ByteBudget;
  readonly #inHand = new Set<HeldMessage>();
  /** On their way to be deleted unread. */
  readonly #unwanted = new Set<HeldMessage>();

  constructor({ buffer, holds, budget }: LedgerOptions) {
    this.buffer = buffer;
    this.#holds = holds;
    this.#budget = budget;
  }

  /** All messages in hand, whatever is done with them. */
  get size(): number {
    return this.#inHand.size;
  }

  get bytes(): number {
    return this.#budget.used;
  }

  get unwanted(): number {
    return this.#unwanted.size;
  }

  /** Age of the oldest message whose hold is kept, as far as its queue says when it was sent; `undefined`: none is. */
  oldestAgeMs(): number | undefined {
    return this.#holds.oldestAgeMs();
  }

  /** From now on the message is ours to give back. */
  take(
    message: QueueMessage,
    receivedMs: number,
    { askedMs, holdMs }: Hold,
    together?: Together,
  ): HeldMessage {
    // plant: a-hold-is-counted-from-the-answer-not-from-the-question
    const holdUntilMs = askedMs + holdMs;
    const held: HeldMessage = {
      message,
      receivedMs,
      holdUntilMs,
      spanMs: holdMs,
      isLost: false,
      together,
      isSettled: false,
    };
    this.#inHand.add(held);
    this.#budget.take(message.bytes);
    return held;
  }

  /** It waits for a batch, and its hold is kept until `unhold` or `letGo`. */
  wait(held: readonly HeldMessage[]): void {
    this.#holds.add(held);
    for (const each of held) this.buffer.add(each);
  }

  /** It is deleted unread, and takes room until it is. */
  discard(unwanted: readonly HeldMessage[]): void {
    for (const each of unwanted) this.#unwanted.add(each);
  }

  /** Its hold is of no use any more, or is somebody else's to end. */
  unhold(held: readonly HeldMessage[]): void {
    this.#holds.remove(held);
  }

  /** Out of our hands, with all that it has. Those that are out already stay so. */
  letGo(gone: readonly HeldMessage[]): void {
    const ours = gone.filter((each) => this.#inHand.delete(each));
    this.buffer.remove(ours);
    // plant: a-hold-is-kept-when-its-message-is-gone
    this.#holds.remove(ours);
    for (const each of ours) {
      this.#unwanted.delete(each);
      // plant: the-budget-of-a-settled-batch-is-not-freed
      // plant: the-bytes-of-a-message-are-given-back-twice
      this.#budget.release(each.message.bytes);
    }
  }

  /**
   * Nothing is kept behind this, whatever still runs. Returns how many messages were not given back by whoever had
   * them.
   * @throws ERR_MILLRACE_INVARIANT when something is still taken that belongs to no message.
   */
  close(): number {
    const left = [...this.#inHand];
    this.letGo(left);
    this.#holds.close();
    assertInvariant(this.#holds.size === 0, "Holds are kept of messages that are not in hand");
    assertInvariant(this.buffer.size === 0, "Messages wait that are not in hand");
    assertInvariant(this.#budget.used === 0, "Bytes are taken that belong to no message in hand");
    return left.length;
  }
}
