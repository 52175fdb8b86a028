import { createEngine } from "../../../../src/engine/create-engine.ts";
import type { Engine } from "../../../../src/engine/engine.ts";
import { DEFAULT_SETTINGS, type EngineSettings } from "../../../../src/engine/settings.ts";
import type { QueueMapping } from "../../../../src/model/mapping.ts";
import type { InvocationOutcome } from "../../../../src/model/outcome.ts";
import type { ProgressStore } from "../../../../src/ports/progress-store.ts";
import type {
  QueueEvents,
  QueueMessage,
  QueueSource,
  ReceiveBounds,
  Settlement,
} from "../../../../src/ports/queue-source.ts";
import type {
  CounterName,
  GaugeName,
  HistogramName,
  LogFields,
  Telemetry,
} from "../../../../src/ports/telemetry.ts";
import { createMemoryStore } from "../../../../src/stores/memory.ts";
import { PLAIN_QUEUE_MAPPING } from "../../../fixtures/queue-mapping.ts";
import { ManualClock, SILENT_TELEMETRY, SUCCEEDED } from "../stream/small-world.ts";

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

export interface QueueCall {
  readonly ids: readonly string[];
  readonly requestId: string;
  readonly atMs: number;
  readonly receiveCounts: readonly number[];
  readonly signal: AbortSignal;
}

/** One process and one queue in memory, with SQS's rules of visibility and groups, under a clock that tests move. */
export class SmallQueue {
  readonly clock: ManualClock;
  readonly store: ProgressStore;
  readonly calls: QueueCall[] = [];
  readonly counts = new Map<CounterName, number>();
  readonly gauges = new Map<GaugeName, number>();
  readonly observations = new Map<HistogramName, number[]>();
  readonly engine: Engine;
  readonly mapping: QueueMapping;
  readonly deleted: string[] = [];
  /** As its owner sets it; he may set it anew. */
  visibilityMs: number;
  handler: (call: QueueCall) => InvocationOutcome | Promise<InvocationOutcome> = () => SUCCEEDED;
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
  /** What a function was given. */
  readonly seen = new Set<string>();
  readonly waitsMs: number[] = [];
  readonly messagesMax: number[] = [];
  readonly holdsMs: number[] = [];
  readonly logs: { readonly message: string; readonly fields: LogFields }[] = [];
  events: Partial<QueueEvents> = {};
  #messages: Stored[] = [];
  #receipts = 0;
  readonly #receivesMax: number;
  readonly #isFifo: boolean;
  readonly #concurrency: number;
  readonly #functionTimeoutMs: number;

  constructor(
    mapping: Partial<QueueMapping> = {},
    options: {
      readonly fifo?: boolean;
      readonly visibilityMs?: number;
      /** The redrive policy's `maxReceiveCount`. */
      readonly receivesMax?: number;
      readonly settings?: Partial<EngineSettings>;
      /** Of the function. */
      readonly concurrency?: number;
      readonly functionTimeoutMs?: number;
      /** Of a process that shares them, with an owner of its own. */
      readonly clock?: ManualClock;
      readonly store?: ProgressStore;
      readonly owner?: string;
    } = {},
  ) {
    this.clock = options.clock ?? new ManualClock();
    this.store = options.store ?? createMemoryStore();
    this.visibilityMs = options.visibilityMs ?? 30_000;
    this.#receivesMax = options.receivesMax ?? Number.POSITIVE_INFINITY;
    this.#isFifo = options.fifo ?? false;
    this.#concurrency = options.concurrency ?? 1_000;
    // No mapping is opened on a queue that hides messages for less than the function may take.
    this.#functionTimeoutMs = options.functionTimeoutMs ?? Math.min(20_000, this.visibilityMs);
    this.mapping = { ...PLAIN_QUEUE_MAPPING, ...mapping };
    const telemetry: Telemetry = {
      ...SILENT_TELEMETRY,
      count: (counter, _mapping, amount) => this.counts.set(counter, this.count(counter) + amount),
      gauge: (gauge, _mapping, value) => this.gauges.set(gauge, value),
      observe: (histogram, _mapping, value) => {
        this.observations.set(histogram, [...(this.observations.get(histogram) ?? []), value]);
      },
      log: (level, message, fields) => {
        if (level === "warn" || level === "info") this.logs.push({ message, fields });
        if (level === "error") throw new Error(`${message}: ${fields["error"]}`);
      },
    };
    let uuids = 0;
    this.engine = createEngine({
      owner: options.owner ?? "process-1",
      clock: this.clock,
      random: { next: () => 0.5, uuid: () => `request-${++uuids}` },
      telemetry,
      store: this.store,
      settings: { ...DEFAULT_SETTINGS, ...options.settings },
    });
    this.startMapping();
  }

  /** Again, with another configuration. */
  startMapping(change: Partial<QueueMapping> = {}): void {
    this.engine.start({
      kind: "queue",
      mapping: { ...this.mapping, ...change },
      source: this.#source(this.#isFifo),
      fn: {
        name: "fn",
        target: this.#target(),
        timeoutMs: this.#functionTimeoutMs,
        concurrency: this.#concurrency,
      },
    });
  }

  /** With what `events` says now. */
  startAgain(): void {
    void this.engine.stopMapping(this.mapping.uuid, 0, { isFollowed: true }).then(() => this.startMapping());
  }

  count(counter: CounterName): number {
    return this.counts.get(counter) ?? 0;
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

  #target() {
    return {
      invoke: async (payload: Uint8Array, { requestId }: { requestId: string }, signal: AbortSignal) => {
        const batch: string[] = JSON.parse(Buffer.from(payload).toString());
        for (const id of batch) this.seen.add(id);
        const receiveCounts = batch.map((id) => this.receiveCount(id));
        const call = { ids: batch, requestId, atMs: this.clock.monotonic(), receiveCounts, signal };
        this.calls.push(call);
        return await this.handler(call);
      },
      close: async () => {},
    };
  }

  #source(isFifo: boolean): QueueSource {
    const describe = () => ({
      kind: "test",
      eventSourceArn: "arn:aws:sqs:eu-west-1:123456789012:test",
      isFifo,
      visibilityMs: this.visibilityMs,
      receiveMessagesMax: 10,
    });
    return {
      get description() {
        return describe();
      },
      events: {
        encode: (messages) => Buffer.from(JSON.stringify(messages.map(({ messageId }) => messageId))),
        envelopeBytes: 14,
        filterDocument: ({ messageId }) => ({ document: { body: messageId }, isDataJson: false }),
        filterDataKey: "body",
        ...this.events,
      },
      receive: (bounds, signal) => this.#receive(isFifo, bounds, signal),
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

  async #receive(
    isFifo: boolean,
    bounds: ReceiveBounds,
    signal: AbortSignal,
  ): Promise<readonly QueueMessage[]> {
    this.receivesAtOnceMax = Math.max(this.receivesAtOnceMax, ++this.receivesAtOnce);
    this.waitsMs.push(bounds.waitMs);
    this.messagesMax.push(bounds.messagesMax);
    this.holdsMs.push(bounds.holdMs);
    try {
      await this.receiving();
      const untilMs = this.clock.monotonic() + bounds.waitMs;
      for (;;) {
        const messages = this.#take(isFifo, bounds);
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

  #take(isFifo: boolean, { messagesMax, holdMs }: ReceiveBounds): QueueMessage[] {
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
        bytes: encodedBytes,
        encodedBytes,
        receipt,
      } satisfies Delivered;
    });
  }
}

export function ids(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`);
}
