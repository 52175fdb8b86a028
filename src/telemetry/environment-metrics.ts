import { Counter, Gauge, type Registry } from "prom-client";
import {
  ENVIRONMENT_STANDINGS,
  type EnvironmentFigures,
  type EnvironmentWatch,
  RESET_REASONS,
  type ResetReason,
} from "../ports/environment-watch.ts";
import { BucketsHistogram } from "./buckets-histogram.ts";
import { EnvironmentSeries } from "./environment-series.ts";

const MEGABYTE = 1024 * 1024;

type SeriesByFunction = ReadonlyMap<string, EnvironmentSeries>;

/** Metrics of the environments of functions that Millrace runs. */
export class EnvironmentMetrics {
  readonly #series = new Map<string, EnvironmentSeries>();

  constructor(registry: Registry) {
    const series: SeriesByFunction = this.#series;
    const registers = [registry];
    addStandings(registry, series);
    addCounts(registry, series);
    new Gauge({
      name: "millrace_function_memory_high_water_bytes",
      help: "The most memory that the processes of one environment of the function were seen with.",
      labelNames: ["function"] as const,
      registers,
      aggregator: "max",
      collect() {
        this.reset();
        for (const [fn, { memoryMaxMb }] of series)
          if (memoryMaxMb !== undefined) this.set({ function: fn }, memoryMaxMb * MEGABYTE);
      },
    });
    new BucketsHistogram({
      name: "millrace_function_init_duration_seconds",
      help: "Time from the start of an environment's process until it asked for its first event.",
      labels: ["function"],
      registry,
      read: () => [...series].map(([fn, { initSeconds }]) => [[fn], initSeconds] as const),
    });
  }

  watchOf(fn: string): EnvironmentWatch {
    let series = this.#series.get(fn);
    if (series === undefined) {
      series = new EnvironmentSeries(fn);
      this.#series.set(fn, series);
    }
    return series;
  }

  figures(): readonly EnvironmentFigures[] {
    return [...this.#series.values()].map((series) => series.figures());
  }
}

function addStandings(registry: Registry, series: SeriesByFunction): void {
  new Gauge({
    name: "millrace_function_environments",
    help: "Environments of a function, by what they do; busy: a call runs in it; stopped: its next call starts it.",
    labelNames: ["function", "state"] as const,
    registers: [registry],
    aggregator: "sum",
    collect() {
      this.reset();
      for (const [fn, { standings }] of series)
        for (const state of ENVIRONMENT_STANDINGS) this.set({ function: fn, state }, standings[state]);
    },
  });
}

function addCounts(registry: Registry, series: SeriesByFunction): void {
  const registers = [registry];
  new Counter({
    name: "millrace_function_cold_starts_total",
    help: "Processes of a function's environments that started and asked for their first event.",
    labelNames: ["function"] as const,
    registers,
    collect() {
      this.reset();
      for (const [fn, { coldStarts }] of series) this.inc({ function: fn }, coldStarts);
    },
  });
  new Counter({
    name: "millrace_function_start_failures_total",
    help: "Processes of a function's environments that never asked for an event.",
    labelNames: ["function"] as const,
    registers,
    collect() {
      this.reset();
      for (const [fn, { startFailures }] of series) this.inc({ function: fn }, startFailures);
    },
  });
  new Counter({
    name: "millrace_function_environment_resets_total",
    help: "Processes that were ended and whose environments were kept, by why.",
    labelNames: ["function", "reason"] as const,
    registers,
    collect() {
      this.reset();
      for (const [fn, { resets }] of series)
        for (const reason of RESET_REASONS)
          this.inc({ function: fn, reason: REASONS[reason] }, resets[reason]);
    },
  });
}

const REASONS: Readonly<Record<ResetReason, string>> = {
  timeout: "timeout",
  exit: "exit",
  initError: "init_error",
  abandoned: "abandoned",
};
