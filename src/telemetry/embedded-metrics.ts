import { Counter, Gauge, type Registry } from "prom-client";
import type { Clock } from "../ports/clock.ts";
import { type EmbeddedSample, mayBeEmbedded, readEmbedded } from "./embedded-metric-format.ts";

/** A function has so many; what is beyond is dropped, and counted. */
const SERIES_MAX = 100;
const LINES_PER_SECOND = 1_000;
/** What one value may make a label of a metric's page, in all. */
const LABEL_CHARS_MAX = 1_000;

type DropReason = "invalid" | "too_many_series" | "too_many_lines";

interface EmbeddedSeries {
  readonly labels: Readonly<Record<"namespace" | "metric" | "unit" | "dimensions", string>>;
  samples: number;
  sum: number;
  last: number;
  min: number;
  max: number;
}

class FunctionSeries {
  readonly series = new Map<string, EmbeddedSeries>();
  readonly dropped: Record<DropReason, number> = { invalid: 0, too_many_series: 0, too_many_lines: 0 };
  secondMs = 0;
  lines = 0;
}

/**
 * Metrics that functions print in AWS's embedded metric format. Their names and dimensions are values of few labels,
 * and no function can make more than so many series, nor cost more than so many lines a second.
 */
export class EmbeddedMetrics {
  readonly #functions = new Map<string, FunctionSeries>();
  readonly #clock: Pick<Clock, "monotonic">;

  constructor(registry: Registry, clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
    addSeries(registry, this.#functions);
    const functions = this.#functions;
    new Counter({
      name: "millrace_function_embedded_dropped_total",
      help: "Lines and values in the embedded metric format that count for nothing, by why.",
      labelNames: ["function", "reason"] as const,
      registers: [registry],
      collect() {
        this.reset();
        for (const [fn, { dropped }] of functions)
          for (const [reason, count] of Object.entries(dropped)) this.inc({ function: fn, reason }, count);
      },
    });
  }

  line(fn: string, text: string): void {
    if (!mayBeEmbedded(text)) return;
    const of = this.#seriesOf(fn);
    if (!this.#hasTurn(of)) {
      of.dropped.too_many_lines += 1;
      return;
    }
    const samples = readEmbedded(text);
    if (samples === undefined) of.dropped.invalid += 1;
    else for (const sample of samples) add(of, sample);
  }

  #hasTurn(of: FunctionSeries): boolean {
    const nowMs = this.#clock.monotonic();
    if (nowMs - of.secondMs >= 1_000) {
      of.secondMs = nowMs;
      of.lines = 0;
    }
    of.lines += 1;
    return of.lines <= LINES_PER_SECOND;
  }

  #seriesOf(fn: string): FunctionSeries {
    let series = this.#functions.get(fn);
    if (series === undefined) {
      series = new FunctionSeries();
      this.#functions.set(fn, series);
    }
    return series;
  }
}

function add(of: FunctionSeries, { values, namespace, metric, unit, dimensions }: EmbeddedSample): void {
  const labels = { namespace, metric, unit, dimensions };
  const key = JSON.stringify([namespace, metric, unit, dimensions]);
  let series = of.series.get(key);
  if (series === undefined) {
    if (of.series.size >= SERIES_MAX || key.length > LABEL_CHARS_MAX) {
      of.dropped.too_many_series += 1;
      return;
    }
    series = { labels, samples: 0, sum: 0, last: 0, min: Infinity, max: -Infinity };
    of.series.set(key, series);
  }
  for (const value of values) {
    series.samples += 1;
    series.sum += value;
    series.last = value;
    series.min = Math.min(series.min, value);
    series.max = Math.max(series.max, value);
  }
}

const LABEL_NAMES = ["function", "namespace", "metric", "unit", "dimensions"] as const;

function addSeries(registry: Registry, functions: ReadonlyMap<string, FunctionSeries>): void {
  const registers = [registry];
  new Counter({
    name: "millrace_function_embedded_samples_total",
    help: "Values of a metric that the function printed in the embedded metric format.",
    labelNames: LABEL_NAMES,
    registers,
    collect() {
      this.reset();
      for (const [labels, { samples }] of allOf(functions)) this.inc(labels, samples);
    },
  });
  for (const [name, help, aggregator] of GAUGES)
    new Gauge({
      name: `millrace_function_embedded_${name}`,
      help,
      labelNames: LABEL_NAMES,
      registers,
      aggregator,
      collect() {
        this.reset();
        for (const [labels, series] of allOf(functions)) this.set(labels, series[name]);
      },
    });
}

const GAUGES = [
  ["sum", "The sum of a metric's values that the function printed in the embedded metric format.", "sum"],
  ["min", "The least of a metric's values, since its process began.", "min"],
  ["max", "The largest of a metric's values, since its process began.", "max"],
  ["last", "The value of a metric that was printed last.", "max"],
] as const;

function* allOf(functions: ReadonlyMap<string, FunctionSeries>) {
  for (const [fn, { series }] of functions)
    for (const each of series.values()) yield [{ function: fn, ...each.labels }, each] as const;
}
