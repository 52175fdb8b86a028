import { Counter, Gauge, type Registry } from "prom-client";
import type { CallerKind } from "../model/caller.ts";
import { BucketsHistogram } from "./buckets-histogram.ts";
import { Buckets, DURATION_SECONDS_BOUNDS } from "./mapping-series.ts";

/** A caller of Invoke waits at most a quarter of a second; a mapping as long as there is no place. */
const WAIT_SECONDS_BOUNDS: readonly number[] = [
  0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 10, 30, 60, 300,
];

/** Plain numbers: every invocation is counted, and read a few times a minute. */
class FunctionSeries {
  readonly outcomes: Readonly<Record<CallerKind, Map<string, number>>> = {
    mapping: new Map(),
    api: new Map(),
    front: new Map(),
    redrive: new Map(),
    async: new Map(),
    hook: new Map(),
  };
  readonly durationSeconds = new Buckets(DURATION_SECONDS_BOUNDS);
  readonly waitSeconds: Readonly<Record<CallerKind, Buckets>> = {
    mapping: new Buckets(WAIT_SECONDS_BOUNDS),
    api: new Buckets(WAIT_SECONDS_BOUNDS),
    front: new Buckets(WAIT_SECONDS_BOUNDS),
    redrive: new Buckets(WAIT_SECONDS_BOUNDS),
    async: new Buckets(WAIT_SECONDS_BOUNDS),
    hook: new Buckets(WAIT_SECONDS_BOUNDS),
  };
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
      help: "Calls of a function that have ended, by who made them and outcome; refused: the function was not called.",
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
      labels: ["function"],
      registry,
      read: () => [...series].map(([fn, { durationSeconds }]) => [[fn], durationSeconds] as const),
    });
    new BucketsHistogram({
      name: "millrace_function_admission_wait_seconds",
      help: "Time that a call waited for a place of its function, by who made it; those that were refused too.",
      labels: ["function", "caller_kind"],
      registry,
      read: () =>
        [...series].flatMap(([fn, { waitSeconds }]) =>
          Object.entries(waitSeconds).map(([kind, buckets]) => [[fn, kind], buckets] as const),
        ),
    });
  }

  ended(
    fn: string,
    caller: CallerKind,
    outcome: string,
    durationMs: number | undefined,
    waitedMs: number,
  ): void {
    const { outcomes, durationSeconds, waitSeconds } = this.#seriesOf(fn);
    waitSeconds[caller].observe(waitedMs / 1000);
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
