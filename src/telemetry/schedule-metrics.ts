import { Counter, type Registry } from "prom-client";
import type { ScheduleTelemetry } from "../ports/schedule-telemetry.ts";
import { BucketsHistogram } from "./buckets-histogram.ts";
import { Buckets } from "./mapping-series.ts";

const LAG_SECONDS_BOUNDS: readonly number[] = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
/** So many schedules have a label of their own; a store has no more at once, but they come and go. */
const SCHEDULES_MAX = 1_000;

/** Metrics of ticks, by schedule. */
export function scheduleMetrics(registry: Registry): ScheduleTelemetry {
  const lag = new Buckets(LAG_SECONDS_BOUNDS);
  const known = new Set<string>();
  const labelOf = (schedule: string) => {
    if (known.size < SCHEDULES_MAX) known.add(schedule);
    return known.has(schedule) ? schedule : "other";
  };
  const registers = [registry];
  const labelNames = ["schedule"] as const;
  const ticks = new Counter({
    name: "millrace_schedule_ticks_total",
    help: "Ticks of a schedule or a rule that this process put into the queue of asynchronous events.",
    labelNames,
    registers,
  });
  const missed = new Counter({
    name: "millrace_schedule_ticks_missed_total",
    help: "Ticks that nobody put into the queue in time, since no process ran or the store was out of reach.",
    labelNames,
    registers,
  });
  new BucketsHistogram({
    name: "millrace_schedule_lag_seconds",
    help: "From the moment that a tick was due until it was in the queue.",
    labels: [],
    registry,
    read: () => [[[], lag] as const],
  });
  return {
    ticked(schedule, lagMs) {
      ticks.inc({ schedule: labelOf(schedule) });
      lag.observe(Math.max(0, lagMs) / 1000);
    },
    missed: (schedule, count) => missed.inc({ schedule: labelOf(schedule) }, count),
  };
}
