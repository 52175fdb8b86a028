import { Counter, Gauge, type Registry } from "prom-client";
import type { CallerKind } from "../model/caller.ts";
import { BucketsHistogram } from "./buckets-histogram.ts";
import { Buckets, DURATION_SECONDS_BOUNDS } from "./mapping-series.ts";

/** Plain numbers: every invocation is counted, and read a few times a minute. */
class FunctionSeries {
  readonly outcomes: Readonly<Record<CallerKind, Map<string, number>>> = {
    mapping: new Map(),
    api: new Map(),
  };
  readonly durationSeconds = new Buckets(DURATION_SECONDS_BOUNDS);
  running = 0;
  /** `undefined`: its concurrency is of this process alone. */
  granted: number | undefined;
}

/** Metrics of functions, over all who call them. */
export class FunctionMetrics {
  readonly #series = new Map<string, FunctionSeries>();

  constructor(registry: Registry) {
    const series = this.#series;
    const registers = [registry];
    new Counter({
      name: "millrace_function_invocations_total",
      help: "Calls of a function that have ended, by who made them and outcome; refused: there was no place in time.",
      labelNames: ["function", "caller_kind", "outcome"] as const,
      registers,
      collect() {
        this.reset();
        for (const [fn, { outcomes }] of series)
          for (const [kind, counts] of Object.entries(outcomes))
            for (const [outcome, count] of counts)
              this.inc({ function: fn, caller_kind: kind, outcome }, count);
      },
    });
    new Gauge({
      name: "millrace_function_concurrent",
      help: "Calls of a function that have started and not ended, over all who call it.",
      labelNames: ["function"] as const,
      registers,
      aggregator: "sum",
      collect() {
        this.reset();
        for (const [fn, { running }] of series) this.set({ function: fn }, running);
      },
    });
    new Gauge({
      name: "millrace_function_grant",
      help: "Calls at once that were granted to this process, of the reservedConcurrency that the processes of a store share.",
      labelNames: ["function"] as const,
      registers,
      aggregator: "sum",
      collect() {
        this.reset();
        for (const [fn, { granted }] of series)
          if (granted !== undefined) this.set({ function: fn }, granted);
      },
    });
    new BucketsHistogram({
      name: "millrace_function_duration_seconds",
      help: "Time from the start of a call of a function to its outcome, whoever called.",
      label: "function",
      registry,
      read: () => [...series].map(([fn, { durationSeconds }]) => [fn, durationSeconds] as const),
    });
  }

  ended(fn: string, caller: CallerKind, outcome: string, durationMs: number | undefined): void {
    const { outcomes, durationSeconds } = this.#seriesOf(fn);
    const counts = outcomes[caller];
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    if (durationMs !== undefined) durationSeconds.observe(durationMs / 1000);
  }

  running(fn: string, change: 1 | -1): void {
    this.#seriesOf(fn).running += change;
  }

  granted(fn: string, granted: number): void {
    this.#seriesOf(fn).granted = granted;
  }

  #seriesOf(fn: string): FunctionSeries {
    let series = this.#series.get(fn);
    if (series === undefined) {
      series = new FunctionSeries();
      this.#series.set(fn, series);
    }
    return series;
  }
}
