import { createEngine } from "../../../../src/engine/create-engine.ts";
import type { Engine, StreamDeployment } from "../../../../src/engine/engine.ts";
import { DEFAULT_SETTINGS, type EngineSettings } from "../../../../src/engine/settings.ts";
import type { InvokerBook } from "../../../../src/invocation/invoker-book.ts";
import type { FailureRecord } from "../../../../src/model/failure-record.ts";
import type { StreamMapping } from "../../../../src/model/mapping.ts";
import type { InvocationOutcome } from "../../../../src/model/outcome.ts";
import type { Shard, TumblingWindow } from "../../../../src/model/record.ts";
import type { SpanContext } from "../../../../src/model/trace-context.ts";
import type { InvocationContext } from "../../../../src/ports/function-target.ts";
import type { Random } from "../../../../src/ports/random.ts";
import type {
  CounterName,
  GaugeName,
  HistogramName,
  LogFields,
  MarkName,
  Telemetry,
} from "../../../../src/ports/telemetry.ts";
import type { Tracing } from "../../../../src/ports/tracing.ts";
import { createMemoryStore } from "../../../../src/stores/memory.ts";
import { failureOf } from "../../../fixtures/failure-of.ts";
import { ManualClock } from "./manual-clock.ts";
import { MemoryStream } from "./memory-stream.ts";

export { ManualClock };

export interface Call {
  readonly positions: readonly number[];
  readonly requestId: string;
  readonly atMs: number;
  readonly window: TumblingWindow | undefined;
  readonly trace: SpanContext | undefined;
}

export type Handler = (call: Call) => InvocationOutcome | Promise<InvocationOutcome>;

export const SUCCEEDED: InvocationOutcome = { kind: "succeeded", payload: Buffer.from("null") };
export const FAILED: InvocationOutcome = { kind: "functionError", errorType: "Error", message: "boom" };

export function answered(body: unknown): InvocationOutcome {
  return { kind: "succeeded", payload: Buffer.from(JSON.stringify(body)) };
}

/** One process, one mapping, a source in memory: enough to say what the engine does to a batch, step by step. */
export class SmallWorld extends MemoryStream {
  readonly calls: Call[] = [];
  readonly delivered: FailureRecord[] = [];
  readonly counts = new Map<CounterName, number>();
  readonly marks = new Set<MarkName>();
  readonly gauges = new Map<GaugeName, number>();
  readonly observations = new Map<HistogramName, number[]>();
  readonly offsetLags = new Map<string, number>();
  readonly store = createMemoryStore();
  readonly engine: Engine;
  readonly mapping: StreamMapping;
  readonly tracing: Tracing | undefined;
  readonly logs: { readonly level: string; readonly message: string; readonly fields: LogFields }[] = [];
  handler: Handler = () => SUCCEEDED;
  deliver: (record: FailureRecord) => Promise<void> = async () => {};
  /** Of the function. */
  concurrency = 100;

  constructor(
    mapping: Partial<StreamMapping> = {},
    settings: Partial<EngineSettings> = {},
    shards: readonly (string | Shard)[] = ["s1"],
    tracing?: Tracing,
  ) {
    super(shards);
    this.tracing = tracing;
    this.mapping = { ...PLAIN_MAPPING, ...mapping };
    this.engine = this.newProcess("process-1", settings);
  }

  /** An engine that shares source, store and function. */
  newProcess(owner: string, settings: Partial<EngineSettings> = {}, invokers?: InvokerBook): Engine {
    return createEngine({
      ...(invokers === undefined ? {} : { invokers }),
      owner,
      clock: this.clock,
      random: HALF,
      telemetry: this.#telemetry(),
      tracing: this.tracing,
      store: this.store,
      settings: { ...DEFAULT_SETTINGS, checkpointIntervalMs: 10, ...settings },
    });
  }

  start(engine: Engine = this.engine): void {
    engine.start(this.deployment());
  }

  deployment(): StreamDeployment {
    const target = {
      invoke: async (payload: Uint8Array, context: InvocationContext) => {
        const event: { p: number[]; window?: TumblingWindow } = JSON.parse(Buffer.from(payload).toString());
        const call = {
          positions: event.p,
          requestId: context.requestId,
          atMs: this.clock.monotonic(),
          window: event.window,
          trace: context.trace,
        };
        this.calls.push(call);
        return await this.handler(call);
      },
      close: async () => {},
    };
    return {
      kind: "stream",
      mapping: this.mapping,
      source: this.openSource(),
      fn: { name: "fn", target, timeoutMs: 30_000, concurrency: this.concurrency },
      destination:
        this.mapping.onFailureDestination === undefined
          ? undefined
          : {
              deliver: async (envelope) => {
                const record = failureOf(envelope);
                await this.deliver(record);
                this.delivered.push(record);
              },
              close: async () => {},
            },
    };
  }

  positions(): (readonly number[])[] {
    return this.calls.map((call) => call.positions);
  }

  count(counter: CounterName): number {
    return this.counts.get(counter) ?? 0;
  }

  async checkpointOf(shardId: string) {
    const rows = await this.store.list(this.mapping.uuid);
    return rows.find((row) => row.shardId === shardId)?.checkpoint;
  }

  #telemetry(): Telemetry {
    return {
      count: (counter, _mapping, amount) => this.counts.set(counter, this.count(counter) + amount),
      observe: (histogram, _mapping, value) => {
        this.observations.set(histogram, [...(this.observations.get(histogram) ?? []), value]);
      },
      gauge: (gauge, _mapping, value) => this.gauges.set(gauge, value),
      offsetLag: (_mapping, shardId, records) => {
        if (records === undefined) this.offsetLags.delete(shardId);
        else this.offsetLags.set(shardId, records);
      },
      invocation: () => {},
      functionCall: () => {},
      functionRunning: () => {},
      functionGrant: () => {},
      asyncCount: () => {},
      asyncAge: () => {},
      log: (level, message, fields) => {
        this.logs.push({ level, message, fields });
        if (level === "error" && message.includes("defect"))
          throw new Error(`${message}: ${fields["error"]}`);
      },
      logsDebug: true,
      mark: (name) => this.marks.add(name),
    };
  }
}

export const SILENT_TELEMETRY: Telemetry = {
  count: () => {},
  observe: () => {},
  gauge: () => {},
  offsetLag: () => {},
  invocation: () => {},
  functionCall: () => {},
  functionRunning: () => {},
  functionGrant: () => {},
  asyncCount: () => {},
  asyncAge: () => {},
  log: () => {},
  logsDebug: false,
  mark: () => {},
};

let uuids = 0;
const HALF: Random = {
  next: () => 0.5,
  uuid: () => `00000000-0000-4000-8000-${String(++uuids).padStart(12, "0")}`,
};

export const PLAIN_MAPPING: StreamMapping = {
  uuid: "9f0f5a4e-0000-4000-8000-000000000001",
  name: "orders",
  functionName: "fn",
  functionArn: "arn:aws:lambda:eu-west-1:123456789012:function:fn",
  eventSourceArn: "arn:aws:kinesis:eu-west-1:123456789012:stream/test",
  enabled: true,
  startingPosition: { kind: "TRIM_HORIZON" },
  batchSize: 100,
  batchingWindowMs: 0,
  parallelizationFactor: 1,
  retryAttemptsMax: undefined,
  recordAgeMsMax: undefined,
  bisectBatchOnFunctionError: false,
  reportBatchItemFailures: false,
  tumblingWindowMs: 0,
  filterPatterns: [],
  onFailureDestination: undefined,
};
