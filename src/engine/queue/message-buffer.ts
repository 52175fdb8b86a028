import type { HeldMessage } from "./held-message.ts";

export interface BufferLimits {
  readonly batchSize: number;
  readonly payloadBytesMax: number;
  readonly envelopeBytes: number;
}

/**
 * Messages that wait for a batch, in the order of their arrival. On FIFO queues a group has one batch at a time: while one
 * runs, later messages of its groups wait, and those of other groups pass them (queues §2.5).
 */
export class MessageBuffer {
  readonly #limits: BufferLimits;
  #waiting: HeldMessage[] = [];
  /** Groups with a batch that runs. */
  readonly #busy = new Set<string>();
  #bytes = 0;

  constructor(limits: BufferLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#waiting.length;
  }

  get messages(): readonly HeldMessage[] {
    return this.#waiting;
  }

  /** Groups of the messages that wait, those with most of them first. */
  groups(max: number): readonly { readonly group: string; readonly messages: number }[] {
    const counts = new Map<string, number>();
    for (const { message } of this.#waiting) {
      if (message.groupId !== undefined) counts.set(message.groupId, (counts.get(message.groupId) ?? 0) + 1);
    }
    const groups = [...counts].map(([group, messages]) => ({ group, messages }));
    return groups.toSorted((a, b) => b.messages - a.messages).slice(0, max);
  }

  /** Since when the oldest message has waited that could go now; `undefined`: none could. Groups keep their order. */
  get oldestMs(): number | undefined {
    const oldest = this.#waiting.find(
      ({ message: { groupId } }) => groupId === undefined || !this.#busy.has(groupId),
    );
    return oldest?.receivedMs;
  }

  /** Waiting would not make the next batch larger. */
  get isFull(): boolean {
    const { batchSize, payloadBytesMax, envelopeBytes } = this.#limits;
    return this.#waiting.length >= batchSize || envelopeBytes + this.#bytes - 1 > payloadBytesMax;
  }

  add(held: HeldMessage): void {
    this.#waiting.push(held);
    this.#bytes += held.message.encodedBytes + 1;
  }

  /** The next batch; empty when nothing may run now. Its groups are busy until `freeGroups`. */
  take(): readonly HeldMessage[] {
    const { batchSize, payloadBytesMax, envelopeBytes } = this.#limits;
    const batch: HeldMessage[] = [];
    /** Groups of which a message was passed over: nothing behind it may overtake it. */
    const passed = new Set<string>();
    let bytes = envelopeBytes;
    for (const held of this.#waiting) {
      if (batch.length >= batchSize) break;
      const { groupId, encodedBytes } = held.message;
      if (groupId !== undefined && (this.#busy.has(groupId) || passed.has(groupId))) continue;
      const withIt = bytes + encodedBytes + (batch.length === 0 ? 0 : 1);
      if (batch.length > 0 && withIt > payloadBytesMax) {
        if (groupId === undefined) break;
        passed.add(groupId);
        continue;
      }
      bytes = withIt;
      batch.push(held);
    }
    for (const { message } of batch) if (message.groupId !== undefined) this.#busy.add(message.groupId);
    this.remove(new Set(batch));
    return batch;
  }

  freeGroups(batch: readonly HeldMessage[]): void {
    for (const { message } of batch) if (message.groupId !== undefined) this.#busy.delete(message.groupId);
  }

  /** Messages that wait behind a failed one of their group: they must not overtake it when it comes again. */
  takeGroups(groups: ReadonlySet<string>): readonly HeldMessage[] {
    const behind = this.#waiting.filter(
      ({ message }) => message.groupId !== undefined && groups.has(message.groupId),
    );
    this.remove(new Set(behind));
    return behind;
  }

  remove(gone: ReadonlySet<HeldMessage>): void {
    if (gone.size === 0) return;
    this.#waiting = this.#waiting.filter((held) => !gone.has(held));
    for (const { message } of gone) this.#bytes -= message.encodedBytes + 1;
  }
}
