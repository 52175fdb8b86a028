import { createEngine } from "../../../../src/engine/create-engine.ts";
import type { Engine, StreamDeployment } from "../../../../src/engine/engine.ts";
import { DEFAULT_SETTINGS, type EngineSettings } from "../../../../src/engine/settings.ts";
import { MillraceError } from "../../../../src/model/errors.ts";
import type { FailureRecord } from "../../../../src/model/failure-record.ts";
import type { StreamMapping } from "../../../../src/model/mapping.ts";
import type { InvocationOutcome } from "../../../../src/model/outcome.ts";
import type { Shard, StartPoint, StreamRecord, TumblingWindow } from "../../../../src/model/record.ts";
import type { SpanContext, TraceCarrier } from "../../../../src/model/trace-context.ts";
import type { Clock, ScheduledCall } from "../../../../src/ports/clock.ts";
import type { InvocationContext } from "../../../../src/ports/function-target.ts";
import type { ProgressStore } from "../../../../src/ports/progress-store.ts";
import type { Random } from "../../../../src/ports/random.ts";
import type { ShardRead, StreamSource } from "../../../../src/ports/stream-source.ts";
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

/**
 * A clock that moves only when a test says so. Wall time starts at a round instant and equals monotonic time plus it.
 */
export class ManualClock implements Clock {
  static readonly startMs = Date.UTC(2026, 0, 1);
  #elapsedMs = 0;
  /** Calls come so much too early, as Node's do: it cuts the fractions of a millisecond off. */
  earlyMs = 0;
  /** How far the host's wall clock is ahead of the source's. */
  wallOffsetMs = 0;
  #sequence = 0;
  #calls: { dueMs: number; sequence: number; fire: () => void }[] = [];

  now(): number {
    return this.sourceNow() + this.wallOffsetMs;
  }

  /** The clock of the source, which is right. */
  sourceNow(): number {
    return ManualClock.startMs + this.#elapsedMs;
  }

  monotonic(): number {
    return this.#elapsedMs;
  }

  schedule(delayMs: number, fire: () => void): ScheduledCall {
    const inMs = Math.max(Math.min(1, delayMs), delayMs - this.earlyMs, 0);
    const call = { dueMs: this.#elapsedMs + inMs, sequence: this.#sequence++, fire };
    this.#calls.push(call);
    return {
      cancel: () => {
        this.#calls = this.#calls.filter((other) => other !== call);
      },
    };
  }

  get pendingCalls(): number {
    return this.#calls.length;
  }

  async advance(ms: number): Promise<void> {
    const endMs = this.#elapsedMs + ms;
    await settlePromises();
    for (;;) {
      const next = this.#calls.toSorted((a, b) => a.dueMs - b.dueMs || a.sequence - b.sequence)[0];
      if (next === undefined || next.dueMs > endMs) break;
      this.#calls = this.#calls.filter((other) => other !== next);
      this.#elapsedMs = Math.max(this.#elapsedMs, next.dueMs);
      next.fire();
      await settlePromises();
    }
    this.#elapsedMs = endMs;
  }
}

/** All promise jobs run before the next macrotask. */
function settlePromises(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

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

interface TestRecord extends StreamRecord {
  readonly position: string;
  readonly trace: TraceCarrier | undefined;
}

export interface RecordInput {
  readonly key?: string;
  /** Milliseconds against the start of the clock. */
  readonly arrivalMs?: number;
  /** What the source gives as the arrival, in its place. */
  readonly toldMs?: number | undefined;
  readonly encodedBytes?: number;
  readonly bytes?: number;
  readonly trace?: TraceCarrier;
  readonly damage?: string;
}

/** One process, one mapping, a source in memory: enough to say what the engine does to a batch, step by step. */
export class SmallWorld {
  readonly clock = new ManualClock();
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
  readonly records = new Map<string, TestRecord[]>();
  shards: Shard[];
  /** What readers were opened with. */
  readonly opened: { shardId: string; start: StartPoint; knownLogId: string | undefined }[] = [];
  /** Added to the next read that any reader makes: what the source says of the log. With `anew` it has no records. */
  tellNext: Partial<ShardRead> | undefined;
  handler: Handler = () => SUCCEEDED;
  deliver: (record: FailureRecord) => Promise<void> = async () => {};
  /** By shard, the last position that the source has trimmed. */
  readonly trimmedTo = new Map<string, number>();
  /** Whether the source says what it still serves. */
  stillServes: StreamSource["stillServes"] = async (shardId, position) =>
    Number(position) > (this.trimmedTo.get(shardId) ?? 0);
  /** Whether the source itself knows a shard, whatever it lists. */
  knowsShard: StreamSource["knowsShard"] = async (shardId) =>
    this.shards.some((shard) => shard.shardId === shardId);
  /** The source's answers carry its date. */
  hasDates = true;
  /** Set: the source's broker divides the shards. */
  progress: ProgressStore | undefined;
  /** The source numbers its records and says how many are behind a read. */
  tellsOffsetLag = false;
  listing: () => Promise<readonly Shard[]> = async () => this.shards;
  /** What a read that found nothing asks to wait: longer where hours pass, of which each poll would be a step. */
  idleReadMs = 100;
  /** Reads fail with it. */
  readFailure: Error | undefined;
  /** What functions call a record, when it is not its position. */
  itemIdentifier: ((record: StreamRecord) => string) | undefined;
  /** Like a Kafka topic: responses list records by partition and offset, windows open with their first record. */
  isTopic = false;
  readsMax = 0;
  /** Of the function. */
  concurrency = 100;

  constructor(
    mapping: Partial<StreamMapping> = {},
    settings: Partial<EngineSettings> = {},
    shards: readonly (string | Shard)[] = ["s1"],
    tracing?: Tracing,
  ) {
    this.tracing = tracing;
    this.shards = shards.map((shard) =>
      typeof shard === "string" ? { shardId: shard, parentShardIds: [], closed: false } : shard,
    );
    this.mapping = { ...PLAIN_MAPPING, ...mapping };
    this.engine = this.newProcess("process-1", settings);
  }

  /** An engine that shares source, store and function. */
  newProcess(owner: string, settings: Partial<EngineSettings> = {}): Engine {
    return createEngine({
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
      source: this.#source(),
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

  /** Positions at which functions of the source throw, though their port says that they do not. */
  readonly throwing = new Map<string, readonly string[]>();

  #throwAt(what: string, { position }: StreamRecord): void {
    if (this.throwing.get(what)?.includes(position) === true)
      throw new TypeError(`${what} of a secret record`);
  }

  append(shardId: string, ...inputs: RecordInput[]): void {
    const records = this.records.get(shardId) ?? [];
    this.records.set(shardId, records);
    for (const input of inputs) {
      records.push({
        position: String(records.length + 1),
        key: input.key ?? "k",
        arrivalMs: "toldMs" in input ? input.toldMs : this.#arrival(input),
        bytes: input.bytes ?? 100,
        encodedBytes: input.encodedBytes ?? 100,
        trace: input.trace,
        ...(input.damage === undefined ? {} : { damage: input.damage }),
      });
    }
  }

  #arrival({ arrivalMs }: RecordInput): number {
    return arrivalMs === undefined ? this.clock.sourceNow() : ManualClock.startMs + arrivalMs;
  }

  appendMany(shardId: string, count: number, key: (index: number) => string = () => "k"): void {
    this.append(shardId, ...Array.from({ length: count }, (_, index) => ({ key: key(index) })));
  }

  close(shardId: string, ...children: string[]): void {
    this.shards = this.shards.map((shard) =>
      shard.shardId === shardId ? { ...shard, closed: true } : shard,
    );
    for (const child of children) {
      const known = this.shards.find((shard) => shard.shardId === child);
      const parentShardIds = [...(known?.parentShardIds ?? []), shardId];
      this.shards = this.shards.filter((shard) => shard.shardId !== child);
      this.shards.push({ shardId: child, parentShardIds, closed: false });
    }
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

  #source(): StreamSource {
    return {
      description: {
        kind: "test",
        eventSourceArn: "arn:aws:kinesis:eu-west-1:123456789012:stream/test",
        batchInfoName: "KinesisBatchInfo",
        arrivalPrecision: "milliseconds",
        oversizedRecord: this.isTopic ? "givenUp" : "retried",
        batchingWindowFrom: this.isTopic ? "firstRecord" : "lastInvocation",
      },
      events: {
        envelopeBytes: () => 14,
        filterDataKey: "data",
        traceCarrier: (record) => {
          this.#throwAt("traceCarrier", record);
          return (record as TestRecord).trace;
        },
        filterDocument: (record) => {
          this.#throwAt("filterDocument", record);
          return { document: { partitionKey: record.key }, isDataJson: false };
        },
        encode: (records, window) => {
          for (const record of records) this.#throwAt("encode", record);
          return Buffer.from(JSON.stringify({ p: records.map((record) => Number(record.position)), window }));
        },
        ...(this.itemIdentifier === undefined ? {} : { itemIdentifier: this.itemIdentifier }),
        ...(this.isTopic ? TOPIC_EVENTS : {}),
      },
      listShards: () => this.listing(),
      captureLatest: async (shardId): Promise<StartPoint> => {
        const last = this.records.get(shardId)?.at(-1);
        return last === undefined ? { kind: "oldest" } : { kind: "after", position: last.position };
      },
      comparePositions: (a, b) => Number(a) - Number(b),
      openReader: async (shardId, start, _signal, knownLogId) => {
        this.opened.push({ shardId, start, knownLogId });
        if (!this.shards.some((shard) => shard.shardId === shardId)) {
          throw new MillraceError("ERR_MILLRACE_SOURCE_NOT_FOUND", `no shard ${shardId}`);
        }
        let next = start.kind === "after" ? Number(start.position) : 0;
        const { logId } = this.shards.find((shard) => shard.shardId === shardId) ?? {};
        let isOther = logId !== undefined && knownLogId !== undefined && logId !== knownLogId;
        return {
          read: async (recordsMax, bytesMax) => {
            if (this.readFailure !== undefined) throw this.readFailure;
            const told = isOther ? remadeAs(logId) : this.tellNext;
            if (!isOther) this.tellNext = undefined;
            isOther = false;
            if (told?.anew !== undefined) {
              next = told.anew.from.kind === "after" ? Number(told.anew.from.position) : 0;
              return { ...NOTHING_READ, ...told };
            }
            this.readsMax = Math.max(this.readsMax, recordsMax);
            const all = this.records.get(shardId) ?? [];
            const records: TestRecord[] = [];
            let bytes = 0;
            for (const record of all.slice(next, next + recordsMax)) {
              bytes += record.bytes;
              if (records.length > 0 && bytes > bytesMax) break;
              records.push(record);
            }
            next += records.length;
            const shard = this.shards.find((other) => other.shardId === shardId);
            const endOfShard = next === all.length && shard?.closed === true;
            const readAgainAfterMs = records.length === 0 ? this.idleReadMs : 0;
            const lag = this.tellsOffsetLag ? { offsetLag: all.length - next } : {};
            const date = this.hasDates ? { answeredMs: this.clock.sourceNow() } : {};
            const place = { lagMs: 0, readAgainAfterMs, trimmed: false, ...lag, ...date };
            const read = { records, endOfShard, ...place, ...told };
            if (read.lookedTo !== undefined) next = Math.max(next, Number(read.lookedTo));
            return read;
          },
          close: async () => {},
        };
      },
      ...(this.knowsShard === undefined ? {} : { knowsShard: this.knowsShard }),
      ...(this.stillServes === undefined ? {} : { stillServes: this.stillServes }),
      ...(this.progress === undefined ? {} : { progress: this.progress }),
      close: async () => {},
    };
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

/** A listed shard says of itself that it is another log than its reader knew. */
function remadeAs(logId: string | undefined): Partial<ShardRead> {
  return {
    anew: { because: "remade", from: { kind: "oldest" }, told: "made anew" },
    ...(logId && { logId }),
  };
}

const NOTHING_READ: ShardRead = {
  records: [],
  endOfShard: false,
  lagMs: 1,
  readAgainAfterMs: 0,
  trimmed: false,
};

const TOPIC_EVENTS = {
  partialRetry: "listed",
  readItemIdentifier: (value: unknown, shardId: string) => {
    if (typeof value !== "object" || value === null || !("partition" in value) || !("offset" in value))
      return undefined;
    return value.partition === shardId ? String(value.offset) : undefined;
  },
} as const;

export const SILENT_TELEMETRY: Telemetry = {
  count: () => {},
  observe: () => {},
  gauge: () => {},
  offsetLag: () => {},
  invocation: () => {},
  functionCall: () => {},
  functionRunning: () => {},
  functionGrant: () => {},
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
