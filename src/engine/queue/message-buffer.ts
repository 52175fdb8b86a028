import { assertInvariant } from "../../model/errors.ts";
import type { KeySplit } from "../../model/key-split.ts";
import type { HeldMessage } from "./held-message.ts";
import type { BatchLimits, WaitingMessages } from "./waiting-messages.ts";

/**
 * Messages that wait for a batch, in the order of their arrival. On FIFO queues a group has one batch at a time: while
 * one runs, later messages of its groups wait, and those of other groups pass them (queues §2.5).
 */
export class MessageBuffer implements WaitingMessages {
  readonly #limits: BatchLimits;
  readonly #waiting = new Set<HeldMessage>();
  /** Groups with a batch that runs. */
  readonly #busy = new Set<string>();
  #bytes = 0;

  constructor(limits: BatchLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#waiting.size;
  }

  get messages(): readonly HeldMessage[] {
    return [...this.#waiting];
  }

  groups(max: number): readonly { readonly group: string; readonly messages: number }[] {
    const counts = new Map<string, number>();
    for (const { message } of this.#waiting) {
      if (message.groupId !== undefined) counts.set(message.groupId, (counts.get(message.groupId) ?? 0) + 1);
    }
    const groups = [...counts].map(([group, messages]) => ({ group, messages }));
    return groups.toSorted((a, b) => b.messages - a.messages).slice(0, max);
  }

  /** Groups keep their order. */
  get oldestMs(): number | undefined {
    for (const { message, receivedMs } of this.#waiting) {
      if (message.groupId === undefined || !this.#busy.has(message.groupId)) return receivedMs;
    }
    return undefined;
  }

  get isFull(): boolean {
    const { batchSize, payloadBytesMax, envelopeBytes } = this.#limits;
    return this.#waiting.size >= batchSize || envelopeBytes + this.#bytes - 1 > payloadBytesMax;
  }

  explainTenants(): undefined {
    return undefined;
  }

  sizeWithin(): number {
    return this.size;
  }

  add(held: HeldMessage): void {
    this.#waiting.add(held);
    this.#bytes += held.message.encodedBytes + 1;
    if (held.together !== undefined) held.together.waiting++;
  }

  /** Groups of the batch are busy until it has ended. */
  take(split?: KeySplit, onOtherSide?: () => void): readonly HeldMessage[] {
    const { batchSize, payloadBytesMax, envelopeBytes } = this.#limits;
    const batch: HeldMessage[] = [];
    /** Groups of which a message was passed over: nothing behind it may overtake it. */
    const passed = new Set<string>();
    let bytes = envelopeBytes;
    let side: number | undefined;
    for (const held of this.#waiting) {
      // plant: a-batch-of-messages-is-one-too-large
      if (batch.length >= batchSize && !isOfLargerBatch(batch, held)) break;
      if (isCut(batch, held, batchSize)) break;
      const { groupId, encodedBytes } = held.message;
      // plant: two-batches-of-a-group-run-at-once
      if (groupId !== undefined && (this.#busy.has(groupId) || passed.has(groupId))) continue;
      if (split !== undefined && groupId !== undefined) {
        const own = split.sideOf(groupId);
        // plant: a-batch-has-groups-of-two-sides
        if (own !== (side ?? own)) {
          onOtherSide?.();
          continue;
        }
        side = own;
      }
      const withIt = bytes + encodedBytes + (batch.length === 0 ? 0 : 1);
      // plant: the-payload-limit-of-messages-is-not-exact
      if (batch.length > 0 && withIt > payloadBytesMax) {
        if (groupId === undefined) break;
        passed.add(groupId);
        continue;
      }
      bytes = withIt;
      batch.push(held);
    }
    for (const { message } of batch) if (message.groupId !== undefined) this.#busy.add(message.groupId);
    this.remove(batch);
    return batch;
  }

  ended(batch: readonly HeldMessage[]): void {
    // plant: a-group-stays-busy-after-its-batch
    for (const { message } of batch) if (message.groupId !== undefined) this.#busy.delete(message.groupId);
  }

  takeGroups(groups: ReadonlySet<string>): readonly HeldMessage[] {
    const behind = this.messages.filter(
      ({ message }) => message.groupId !== undefined && groups.has(message.groupId),
    );
    this.remove(behind);
    return behind;
  }

  remove(gone: readonly HeldMessage[]): void {
    // plant: what-has-left-the-buffer-is-counted-in-it
    for (const held of gone) if (this.#waiting.delete(held)) this.#hasLeft(held);
    assertInvariant(this.#waiting.size > 0 || this.#bytes === 0, "Messages are counted that do not wait");
  }

  #hasLeft({ message, together }: HeldMessage): void {
    this.#bytes -= message.encodedBytes + 1;
    if (together !== undefined) together.waiting--;
  }
}

/** All of it came in one receive that asked for more than a batch has now: the mapping was changed meanwhile. */
function isOfLargerBatch(batch: readonly HeldMessage[], { together }: HeldMessage): boolean {
  return together !== undefined && together === batch[0]?.together && batch.length < together.adoptedMax;
}

/** Another receive begins with it, and not all of that would find room. */
function isCut(batch: readonly HeldMessage[], { together }: HeldMessage, batchSize: number): boolean {
  if (together === undefined || together === batch.at(-1)?.together || batch.length === 0) return false;
  return batch.length + together.waiting > batchSize;
}
