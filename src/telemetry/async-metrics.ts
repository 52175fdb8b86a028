import { Counter, Gauge, type Registry } from "prom-client";
import { DESTINATION_LANE, FUNCTION_LANE } from "../model/async-item.ts";
import type { LaneBacklog } from "../ports/async-queue.ts";
import { ASYNC_COUNTERS, type AsyncCounterName } from "../ports/telemetry.ts";
import { BucketsHistogram } from "./buckets-histogram.ts";
import { Buckets } from "./mapping-series.ts";

/** From at once to the six hours after which AWS gives an event up. */
const AGE_SECONDS_BOUNDS: readonly number[] = [
  0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30, 60, 120, 180, 300, 900, 3_600, 21_600,
];

interface AsyncSeries {
  readonly counters: Record<AsyncCounterName, number>;
  readonly ageSeconds: Buckets;
}

/** The queue, by lane, as it was counted last. */
export type BacklogReader = () => readonly LaneBacklog[];

/** Metrics of asynchronous events, by function; names are AWS's in our spelling. */
export class AsyncMetrics {
  readonly #series = new Map<string, AsyncSeries>();

  constructor(registry: Registry, backlog: BacklogReader) {
    const series = this.#series;
    const registers = [registry];
    const labelNames = ["function"] as const;
    for (const [name, help] of Object.entries(ASYNC_COUNTERS) as [AsyncCounterName, string][]) {
      const collect = function (this: Counter<"function">) {
        this.reset();
        for (const [fn, { counters }] of series) this.inc({ function: fn }, counters[name]);
      };
      new Counter({ name: `millrace_${name}_total`, help, labelNames, registers, collect });
    }
    new BucketsHistogram({
      name: "millrace_async_event_age_seconds",
      help: "From the acceptance of an asynchronous event to each of its attempts (AsyncEventAge).",
      labels: ["function"],
      registry,
      *read() {
        for (const [fn, { ageSeconds }] of series) yield [[fn], ageSeconds] as [readonly string[], Buckets];
      },
    });
    addBacklog(registry, backlog);
  }

  count(counter: AsyncCounterName, fn: string, amount: number): void {
    this.#of(fn).counters[counter] += amount;
  }

  /** By function, for people: those that gave up most first. */
  figures(): readonly { readonly fn: string; readonly received: number; readonly givenUp: number }[] {
    const all = [...this.#series].map(([fn, { counters }]) => ({
      fn,
      received: counters.async_events_received,
      givenUp: counters.async_events_dropped,
    }));
    return all.toSorted((a, b) => b.givenUp - a.givenUp || b.received - a.received);
  }

  age(fn: string, seconds: number): void {
    this.#of(fn).ageSeconds.observe(seconds);
  }

  #of(fn: string): AsyncSeries {
    let series = this.#series.get(fn);
    if (series === undefined) {
      const names = Object.keys(ASYNC_COUNTERS) as AsyncCounterName[];
      const counters = Object.fromEntries(names.map((name) => [name, 0])) as Record<AsyncCounterName, number>;
      series = { counters, ageSeconds: new Buckets(AGE_SECONDS_BOUNDS) };
      this.#series.set(fn, series);
    }
    return series;
  }
}

/** All processes of a store see the same queue: of several the largest is shown, not the sum. */
function addBacklog(registry: Registry, backlog: BacklogReader): void {
  const parts = [
    ["async_queue_items", "Asynchronous events of a function that wait or run.", "items", 1],
    ["async_queue_bytes", "Bytes of these.", "bytes", 1],
    ["async_queue_oldest_age_seconds", "Age of the oldest of these.", "oldestMs", 1 / 1000],
  ] as const;
  for (const [name, help, member, factor] of parts) {
    new Gauge({
      name: `millrace_${name}`,
      help,
      labelNames: ["function"] as const,
      registers: [registry],
      aggregator: "max",
      collect() {
        this.reset();
        for (const lane of backlog()) {
          if (lane.lane.startsWith(FUNCTION_LANE))
            this.set({ function: lane.lane.slice(FUNCTION_LANE.length) }, lane[member] * factor);
        }
      },
    });
  }
  new Gauge({
    name: "millrace_async_deliveries_waiting",
    help: "Records and dead letters of asynchronous events that no destination has accepted yet.",
    registers: [registry],
    aggregator: "max",
    collect() {
      const waiting = backlog().filter(({ lane }) => lane.startsWith(DESTINATION_LANE));
      this.set(waiting.reduce((sum, { items }) => sum + items, 0));
    },
  });
}
