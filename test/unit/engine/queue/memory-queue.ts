import type {
  QueueEvents,
  QueueMessage,
  QueueSource,
  ReceiveBounds,
  Settlement,
} from "../../../../src/ports/queue-source.ts";
import type { ManualClock } from "../stream/small-world.ts";

interface Stored {
  readonly messageId: string;
  readonly groupId: string | undefined;
  readonly sentMs: number;
  readonly encodedBytes: number;
  receiveCount: number;
  hiddenUntilMs: number;
  receipt: number;
}

interface Delivered extends QueueMessage {
  readonly receipt: number;
}

export interface MemoryQueueOptions {
  readonly fifo?: boolean;
  readonly visibilityMs?: number;
  /** The redrive policy's `maxReceiveCount`. */
  readonly receivesMax?: number;
  /** As a broker's: it wants to know what failed. */
  readonly isTold?: boolean;
}

/** A queue in memory, with SQS's rules of visibility and groups, under a clock that tests move. */
export class MemoryQueue {
  readonly clock: ManualClock;
  readonly deleted: string[] = [];
  /** As its owner sets it; he may set it anew. */
  visibilityMs: number;
  /** Called when a receive is asked for; what it throws is its failure. */
  receiving: () => void | Promise<void> = () => {};
  acknowledging: () => Settlement = () => "settled";
  extending: (messageId: string) => Settlement = () => "settled";
  /** How long answers take on their way back, after the queue has done its part. */
  receiveAnswerMs = 0;
  extendAnswerMs = 0;
  readonly released: string[] = [];
  readonly prolonged: string[] = [];
  receivesAtOnce = 0;
  receivesAtOnceMax = 0;
  /** As SQS: a question that was asked is answered, whoever listens yet. `false`: an abort ends the wait at once. */
  isDeafToAborts = true;
  /** Moved away by the queue's own policy, as it would be received once more than it may be. */
  readonly dead: string[] = [];
  readonly waitsMs: number[] = [];
  readonly messagesMax: number[] = [];
  readonly holdsMs: number[] = [];
  events: Partial<QueueEvents> = {};
  #messages: Stored[] = [];
  #receipts = 0;
  /** What it was told that failed. */
  readonly told: { readonly ids: readonly string[]; readonly delayMs: number }[] = [];
  /** Messages of which no event can be made. */
  readonly damaged = new Set<string>();
  readonly #isTold: boolean;
  readonly #receivesMax: number;
  readonly #isFifo: boolean;

  constructor(clock: ManualClock, options: MemoryQueueOptions = {}) {
    this.clock = clock;
    this.visibilityMs = options.visibilityMs ?? 30_000;
    this.#receivesMax = options.receivesMax ?? Number.POSITIVE_INFINITY;
    this.#isFifo = options.fifo ?? false;
    this.#isTold = options.isTold ?? false;
  }

  /** `a1` in a group of its own letter on FIFO queues. */
  send(...ids: readonly string[]): void {
    for (const messageId of ids) {
      const groupId = messageId.replace(/\d+$/, "");
      this.#messages.push({
        messageId,
        groupId,
        sentMs: this.clock.now(),
        encodedBytes: 100,
        receiveCount: 0,
        hiddenUntilMs: 0,
        receipt: 0,
      });
    }
  }

  receiveCount(messageId: string): number {
    return this.#messages.find((stored) => stored.messageId === messageId)?.receiveCount ?? 0;
  }

  get left(): readonly string[] {
    return this.#messages.map(({ messageId }) => messageId);
  }

  /** One more opening of it. */
  openSource(): QueueSource {
    const isFifo = this.#isFifo;
    const describe = () => ({
      kind: "test",
      eventSourceArn: "arn:aws:sqs:eu-west-1:123456789012:test",
      isFifo,
      visibilityMs: this.visibilityMs,
      receiveMessagesMax: 10,
      ...(Number.isFinite(this.#receivesMax)
        ? { deadLetter: { queue: "dead", receivesMax: this.#receivesMax } }
        : {}),
    });
    return {
      get description() {
        return describe();
      },
      events: {
        encode: (messages) => Buffer.from(JSON.stringify(messages.map(({ messageId }) => messageId))),
        element: ({ messageId }) => Buffer.from(JSON.stringify(messageId)),
        eventOf: (elements) => Buffer.from(`[${elements.map((each) => Buffer.from(each)).join(",")}]`),
        envelopeBytes: 14,
        filterDocument: ({ messageId }) => ({ document: { body: messageId }, isDataJson: false }),
        filterDataKey: "body",
        ...this.events,
      },
      receive: (bounds, signal) => this.#receive(bounds, signal),
      acknowledge: async (messages) =>
        messages.map((message) => {
          const stored = this.#heldAs(message);
          if (stored === undefined) return "lost";
          const result = this.acknowledging();
          if (result !== "settled") return result;
          this.#messages = this.#messages.filter((other) => other !== stored);
          this.deleted.push(stored.messageId);
          return result;
        }),
      release: async (messages, delayMs) => {
        this.released.push(...messages.map(({ messageId }) => messageId));
        return this.#hide(messages, delayMs);
      },
      ...(this.#isTold
        ? {
            failed: async (messages: readonly QueueMessage[], delayMs: number) => {
              this.told.push({ ids: messages.map(({ messageId }) => messageId), delayMs });
              return this.#hide(messages, delayMs);
            },
          }
        : {}),
      extend: async (messages, holdMs) => {
        this.prolonged.push(...messages.map(({ messageId }) => messageId));
        const results = messages.map((message) => {
          const result = this.extending(message.messageId);
          return result === "settled" ? (this.#hide([message], holdMs)[0] ?? "lost") : result;
        });
        await this.#answer(this.extendAnswerMs);
        return results;
      },
      close: async () => {},
    };
  }

  #hide(messages: readonly QueueMessage[], forMs: number): Settlement[] {
    return messages.map((message) => {
      const stored = this.#heldAs(message);
      if (stored === undefined) return "lost";
      stored.hiddenUntilMs = this.clock.monotonic() + forMs;
      return "settled";
    });
  }

  #heldAs(message: QueueMessage): Stored | undefined {
    const { receipt } = message as Delivered;
    const nowMs = this.clock.monotonic();
    return this.#messages.find((stored) => stored.receipt === receipt && stored.hiddenUntilMs > nowMs);
  }

  async #receive(bounds: ReceiveBounds, signal: AbortSignal): Promise<readonly QueueMessage[]> {
    this.receivesAtOnceMax = Math.max(this.receivesAtOnceMax, ++this.receivesAtOnce);
    this.waitsMs.push(bounds.waitMs);
    this.messagesMax.push(bounds.messagesMax);
    this.holdsMs.push(bounds.holdMs);
    try {
      await this.receiving();
      const untilMs = this.clock.monotonic() + bounds.waitMs;
      for (;;) {
        const messages = this.#take(bounds);
        if (messages.length > 0 || this.clock.monotonic() >= untilMs) {
          await this.#answer(this.receiveAnswerMs);
          return messages;
        }
        if (signal.aborted && !this.isDeafToAborts) return [];
        await this.#pause(this.isDeafToAborts ? new AbortController().signal : signal);
      }
    } finally {
      this.receivesAtOnce--;
    }
  }

  async #answer(afterMs: number): Promise<void> {
    if (afterMs > 0) await new Promise<void>((resolve) => this.clock.schedule(afterMs, resolve));
  }

  #pause(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        call.cancel();
        signal.removeEventListener("abort", end);
        resolve();
      };
      const call = this.clock.schedule(100, end);
      signal.addEventListener("abort", end, { once: true });
    });
  }

  #take({ messagesMax, holdMs }: ReceiveBounds): QueueMessage[] {
    const isFifo = this.#isFifo;
    const nowMs = this.clock.monotonic();
    const blocked = new Set<string | undefined>();
    const taken: Stored[] = [];
    for (const stored of this.#messages) {
      const isHidden = stored.hiddenUntilMs > nowMs;
      if (isFifo && isHidden) blocked.add(stored.groupId);
      if (isHidden || (isFifo && blocked.has(stored.groupId)) || taken.length >= Math.min(10, messagesMax))
        continue;
      if (stored.receiveCount >= this.#receivesMax) {
        this.dead.push(stored.messageId);
        continue;
      }
      taken.push(stored);
    }
    this.#messages = this.#messages.filter(({ messageId }) => !this.dead.includes(messageId));
    return taken.map((stored) => {
      stored.receiveCount++;
      stored.hiddenUntilMs = nowMs + holdMs;
      stored.receipt = ++this.#receipts;
      const { messageId, sentMs, encodedBytes, receiveCount, receipt } = stored;
      const groupId = isFifo ? stored.groupId : undefined;
      return {
        messageId,
        groupId,
        sentMs,
        receiveCount,
        damage: this.damaged.has(messageId) ? "damaged" : undefined,
        bytes: encodedBytes,
        encodedBytes,
        receipt,
      } satisfies Delivered;
    });
  }
}
