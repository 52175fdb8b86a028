import { createEngine } from "../../../../src/engine/create-engine.ts";
import type { Engine } from "../../../../src/engine/engine.ts";
import { DEFAULT_SETTINGS, type EngineSettings } from "../../../../src/engine/settings.ts";
import type { InvocableFunction } from "../../../../src/invocation/invocable-function.ts";
import type { InvokerBook } from "../../../../src/invocation/invoker-book.ts";
import type { QueueMapping } from "../../../../src/model/mapping.ts";
import type { InvocationOutcome } from "../../../../src/model/outcome.ts";
import type { ProgressStore } from "../../../../src/ports/progress-store.ts";
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
import { MemoryQueue, type MemoryQueueOptions } from "./memory-queue.ts";

export interface QueueCall {
  readonly ids: readonly string[];
  readonly requestId: string;
  readonly atMs: number;
  readonly receiveCounts: readonly number[];
  readonly signal: AbortSignal;
}

/** One process and its queue in memory, under a clock that tests move. */
export class SmallQueue extends MemoryQueue {
  readonly store: ProgressStore;
  readonly calls: QueueCall[] = [];
  readonly counts = new Map<CounterName, number>();
  readonly gauges = new Map<GaugeName, number>();
  readonly observations = new Map<HistogramName, number[]>();
  readonly engine: Engine;
  readonly mapping: QueueMapping;
  handler: (call: QueueCall) => InvocationOutcome | Promise<InvocationOutcome> = () => SUCCEEDED;
  /** What a function was given. */
  readonly seen = new Set<string>();
  readonly logs: { readonly message: string; readonly fields: LogFields }[] = [];
  readonly #concurrency: number;
  readonly #functionTimeoutMs: number;

  constructor(
    mapping: Partial<QueueMapping> = {},
    options: MemoryQueueOptions & {
      readonly settings?: Partial<EngineSettings>;
      /** Of the function. */
      readonly concurrency?: number;
      readonly functionTimeoutMs?: number;
      /** Those of the process, so that a test can change the function. */
      readonly invokers?: InvokerBook;
      /** Of a process that shares them, with an owner of its own. */
      readonly clock?: ManualClock;
      readonly store?: ProgressStore;
      readonly owner?: string;
    } = {},
  ) {
    super(options.clock ?? new ManualClock(), options);
    this.store = options.store ?? createMemoryStore();
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
      ...(options.invokers === undefined ? {} : { invokers: options.invokers }),
    });
    this.startMapping();
  }

  /** Again, with another configuration. */
  startMapping(change: Partial<QueueMapping> = {}): void {
    this.engine.start({
      kind: "queue",
      mapping: { ...this.mapping, ...change },
      source: this.openSource(),
      fn: this.fn(this.#concurrency),
    });
  }

  fn(concurrency: number): InvocableFunction {
    return { name: "fn", target: this.#target(), timeoutMs: this.#functionTimeoutMs, concurrency };
  }

  /** With what `events` says now. */
  startAgain(): void {
    void this.engine.stopMapping(this.mapping.uuid, 0, { isFollowed: true }).then(() => this.startMapping());
  }

  count(counter: CounterName): number {
    return this.counts.get(counter) ?? 0;
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
}

export function ids(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`);
}
