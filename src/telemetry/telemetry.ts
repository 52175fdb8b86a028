import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { Clock } from "../ports/clock.ts";
import type { EnvironmentFigures, EnvironmentWatch } from "../ports/environment-watch.ts";
import type { FrontTelemetry } from "../ports/front-telemetry.ts";
import type { ProgressStore } from "../ports/progress-store.ts";
import type { ScheduleTelemetry } from "../ports/schedule-telemetry.ts";
import {
  COUNTERS,
  type CounterName,
  GAUGES,
  type GaugeName,
  HISTOGRAMS,
  type LogLevel,
  type Telemetry,
} from "../ports/telemetry.ts";
import { AsyncMetrics, type BacklogReader } from "./async-metrics.ts";
import { BucketsHistogram } from "./buckets-histogram.ts";
import { EmbeddedMetrics } from "./embedded-metrics.ts";
import { EnvironmentMetrics } from "./environment-metrics.ts";
import { addEventLoopProbe } from "./event-loop-probe.ts";
import { FrontMetrics } from "./front-metrics.ts";
import { FunctionMetrics } from "./function-metrics.ts";
import { allowedFields } from "./log-fields.ts";
import { type Buckets, createMappingSeries, type MappingSeries } from "./mapping-series.ts";
import { StoreMetrics } from "./observed-store.ts";
import type { SpanCounts } from "./otlp/otlp-exporter.ts";
import { scheduleMetrics } from "./schedule-metrics.ts";
import { createSpanCounts } from "./span-metrics.ts";
import { addDriftMetric, addStatusMetrics, type DriftReader, type StatusReader } from "./status-metrics.ts";

/** Gets the fields that may be logged, and no others. Never throws. */
export type LogWriter = (
  level: LogLevel,
  message: string,
  fields: Readonly<Record<string, string | number | boolean>>,
) => void;

export interface TelemetryOptions {
  readonly log: LogWriter;
  /** Also expose memory, CPU and garbage collection of the process. */
  readonly processMetrics: boolean;
  /** What `log` writes, lowest; default `info`. */
  readonly logLevel?: LogLevel;
  /** Millrace's own. */
  readonly version?: string;
  /** Lines that nobody read in time, so far. */
  readonly droppedLines?: () => number;
  /** Times calls of the store. Default: the machine's. */
  readonly clock?: Pick<Clock, "monotonic">;
}

export interface MappingTotals {
  readonly counters: Readonly<Record<CounterName, number>>;
  readonly gauges: Readonly<Record<GaugeName, number>>;
  readonly invocations: number;
}

export interface RunTelemetry extends Telemetry {
  /** Makes the mapping's series exist, at 0, before anything happens to it: rates then see the first event. */
  register(mapping: string): void;
  /** Forgets the series of a mapping that is gone. */
  unregister(mapping: string): void;
  /** Sums since the start of the process, for a display. */
  totals(mapping: string): MappingTotals;
  /** Prometheus's text format. */
  metricsText(): Promise<string>;
  readonly metricsContentType: string;
  /** Has metrics show the status of mappings, from now on. */
  watch(status: StatusReader): void;
  /** Has metrics show how many resources drifted, from now on. */
  watchDrift(drift: DriftReader): void;
  /** Has metrics show the queue of asynchronous events, from now on. */
  watchEvents(backlog: BacklogReader): void;
  /** The same store, measured. */
  observeStore(store: ProgressStore): ProgressStore;
  /** Spans that were sent, and those that were not. */
  readonly spans: SpanCounts;
  readonly ticks: ScheduleTelemetry;
  /** HTTP requests from outside. */
  readonly front: FrontTelemetry;
  /** Is told what becomes of the environments of a function. */
  watchOf(fn: string): EnvironmentWatch;
  environments(): readonly EnvironmentFigures[];
  eventFigures: AsyncMetrics["figures"];
  /** A line that a function has printed: it may be metrics. */
  functionLine(fn: string, text: string): void;
  /** For a `MetricsMerger`. */
  metricsSnapshot(): Promise<unknown>;
}

/** Outcome names are the engine's few kinds; the bound is for a slip, which must not grow the metrics for ever. */
const OUTCOMES_MAX = 32;

export function createTelemetry(options: TelemetryOptions): RunTelemetry {
  const { log, processMetrics, logLevel = "info" } = options;
  const series = new Map<string, MappingSeries>();
  const seriesOf = (mapping: string): MappingSeries => {
    const known = series.get(mapping) ?? createMappingSeries();
    series.set(mapping, known);
    return known;
  };
  const registry = createRegistry(series);
  const spans = createSpanCounts(registry);
  const functions = new FunctionMetrics(registry);
  const front = new FrontMetrics(registry);
  const environments = new EnvironmentMetrics(registry);
  const embedded = new EmbeddedMetrics(registry, options.clock ?? MACHINE_CLOCK);
  let backlog: BacklogReader = () => [];
  const events = new AsyncMetrics(registry, () => backlog());
  const stores = new StoreMetrics(registry, options.clock ?? MACHINE_CLOCK);
  let status: StatusReader = () => [];
  addStatusMetrics(registry, () => status());
  let drift: DriftReader = () => new Map();
  addDriftMetric(registry, () => drift());
  addBuildInfo(registry, options.version ?? "unknown");
  addDroppedLines(registry, options.droppedLines ?? (() => 0));
  if (processMetrics) {
    collectDefaultMetrics({ register: registry });
    addEventLoopProbe(registry);
  }
  return {
    count(counter, mapping, amount) {
      seriesOf(mapping).counters[counter] += amount;
    },
    observe(histogram, mapping, value) {
      seriesOf(mapping).histograms[histogram].observe(value);
    },
    gauge(gauge, mapping, value) {
      seriesOf(mapping).gauges[gauge] = value;
    },
    offsetLag(mapping, shardId, records) {
      const known = seriesOf(mapping);
      if (records === undefined) known.offsetLags?.delete(shardId);
      else known.offsetLags = (known.offsetLags ?? new Map()).set(shardId, records);
    },
    invocation(mapping, outcome, durationMs) {
      const { outcomes, durationSeconds } = seriesOf(mapping);
      const label = outcomes.has(outcome) || outcomes.size < OUTCOMES_MAX ? outcome : "other";
      outcomes.set(label, (outcomes.get(label) ?? 0) + 1);
      durationSeconds.observe(durationMs / 1000);
    },
    functionCall: (fn, caller, outcome, durationMs, waitedMs) =>
      functions.ended(fn, caller, outcome, durationMs, waitedMs),
    functionRunning: (fn, change) => functions.running(fn, change),
    functionGrant: (fn, granted) => functions.granted(fn, granted),
    asyncCount: (counter, fn, amount) => events.count(counter, fn, amount),
    asyncAge: (fn, seconds) => events.age(fn, seconds),
    log: (level, message, fields) => log(level, message, allowedFields(fields)),
    logsDebug: logLevel === "debug",
    mark: () => undefined,
    register: (mapping) => void seriesOf(mapping),
    unregister: (mapping) => void series.delete(mapping),
    totals: (mapping) => totalsOf(seriesOf(mapping)),
    metricsText: () => registry.metrics(),
    metricsContentType: registry.contentType,
    watch: (reader) => {
      status = reader;
    },
    watchDrift: (reader) => {
      drift = reader;
    },
    watchEvents: (reader) => {
      backlog = reader;
    },
    observeStore: (store) => stores.observe(store),
    spans,
    ticks: scheduleMetrics(registry),
    front,
    watchOf: (fn) => environments.watchOf(fn),
    environments: () => environments.figures(),
    eventFigures: () => events.figures(),
    functionLine: (fn, text) => embedded.line(fn, text),
    metricsSnapshot: () => registry.getMetricsAsJSON(),
  };
}

const MACHINE_CLOCK: Pick<Clock, "monotonic"> = { monotonic: () => performance.now() };

function addBuildInfo(registry: Registry, version: string): void {
  const info = new Gauge({
    name: "millrace_build_info",
    help: "1, with the version of millrace as a label.",
    labelNames: ["version"] as const,
    registers: [registry],
    aggregator: "max",
  });
  info.set({ version }, 1);
}

function addDroppedLines(registry: Registry, read: () => number): void {
  new Counter({
    name: "millrace_log_lines_dropped_total",
    help: "Lines of the log and of functions that were dropped, since nobody read them in time.",
    registers: [registry],
    collect() {
      this.reset();
      this.inc(read());
    },
  });
}

type SeriesByMapping = ReadonlyMap<string, MappingSeries>;

/** A registry of its own, not prom-client's global one. What it shows is fetched from the series at every scrape. */
function createRegistry(series: SeriesByMapping): Registry {
  const registry = new Registry();
  const labelNames = ["mapping"] as const;
  for (const [name, help] of entriesOf(COUNTERS)) {
    const collect = function (this: Counter<"mapping">) {
      this.reset();
      for (const [mapping, { counters }] of series) this.inc({ mapping }, counters[name]);
    };
    new Counter({ name: `millrace_${name}_total`, help, labelNames, registers: [registry], collect });
  }
  for (const [name, help] of entriesOf(GAUGES)) {
    const collect = function (this: Gauge<"mapping">) {
      this.reset();
      for (const [mapping, { gauges }] of series) this.set({ mapping }, gauges[name]);
    };
    new Gauge({ name: `millrace_${name}`, help, labelNames, registers: [registry], collect });
  }
  for (const [name, help] of entriesOf(HISTOGRAMS)) {
    const read = () => bucketsOf(series, ({ histograms }) => histograms[name]);
    new BucketsHistogram({ name: `millrace_${name}`, help, labels: ["mapping"], registry, read });
  }
  new BucketsHistogram({
    name: "millrace_invocation_duration_seconds",
    help: "Time from the start of an invocation to its outcome.",
    labels: ["mapping"],
    registry,
    read: () => bucketsOf(series, ({ durationSeconds }) => durationSeconds),
  });
  new Counter({
    name: "millrace_invocations_total",
    help: "Invocations that have ended, by outcome.",
    labelNames: ["mapping", "outcome"] as const,
    registers: [registry],
    collect() {
      this.reset();
      for (const [mapping, { outcomes }] of series) {
        for (const [outcome, count] of outcomes) this.inc({ mapping, outcome }, count);
      }
    },
  });
  addOffsetLags(registry, series);
  return registry;
}

/** Only of mappings whose source tells it: a lag of 0 that nobody measured would be a lie. */
function addOffsetLags(registry: Registry, series: SeriesByMapping): void {
  new Gauge({
    name: "millrace_offset_lag_records",
    help: "Records written and not processed, over the partitions that this process reads.",
    labelNames: ["mapping"] as const,
    registers: [registry],
    collect() {
      this.reset();
      for (const [mapping, { offsetLags }] of series) {
        if (offsetLags !== undefined) this.set({ mapping }, sum(offsetLags.values()));
      }
    },
  });
  new Gauge({
    name: "millrace_partition_offset_lag_records",
    help: "Records of a partition written and not processed; only from the process that reads it.",
    labelNames: ["mapping", "partition"] as const,
    registers: [registry],
    aggregator: "max",
    collect() {
      this.reset();
      for (const [mapping, { offsetLags }] of series) {
        for (const [partition, records] of offsetLags ?? []) this.set({ mapping, partition }, records);
      }
    },
  });
}

function sum(values: Iterable<number>): number {
  return [...values].reduce((total, value) => total + value, 0);
}

function* bucketsOf(
  series: SeriesByMapping,
  pick: (series: MappingSeries) => Buckets,
): Generator<[readonly string[], Buckets]> {
  for (const [mapping, one] of series) yield [[mapping], pick(one)];
}

function totalsOf({ counters, gauges, outcomes }: MappingSeries): MappingTotals {
  let invocations = 0;
  for (const count of outcomes.values()) invocations += count;
  return { counters: { ...counters }, gauges: { ...gauges }, invocations };
}

function entriesOf<Name extends string>(names: Readonly<Record<Name, string>>): [Name, string][] {
  return Object.entries(names) as [Name, string][];
}
