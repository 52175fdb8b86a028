import type { LedgerReport } from "./ledger-report.ts";
import type { ViolationKind } from "./ledger-violations.ts";
import type { LatencySummary, Verdict } from "./load-result.ts";
import { growsBeyond, type Trend } from "./memory-trend.ts";
import type { ScenarioSpec } from "./scenario-schema.ts";

export interface Measured {
  readonly ledger: LedgerReport;
  readonly latency: LatencySummary;
  readonly deliveredPerSecond: number;
  readonly trends: { readonly rss: Trend | undefined; readonly heap: Trend | undefined };
  /** False: something else carried the records. */
  readonly hasEngine: boolean;
  /** `undefined`: the engine had to be killed at the end. */
  readonly engineStatus: number | undefined;
  /** Why the test could not be carried through. */
  readonly failure: string | undefined;
}

const PROMISES: readonly (readonly [ViolationKind, string])[] = [
  ["lost", "records lost"],
  ["outOfOrder", "records out of order"],
  ["duplicatesBeyondBound", "duplicates beyond their bound"],
  ["phantoms", "records that were never sent"],
];

/** What must always hold, then what the scenario asks for. */
export function judge(measured: Measured, thresholds: ScenarioSpec["thresholds"]): readonly Verdict[] {
  const { ledger, latency, deliveredPerSecond, trends } = measured;
  const verdicts: Verdict[] = PROMISES.map(([kind, name]) => {
    const count = ledger.violations[kind];
    return { name, wanted: "0", got: String(count), holds: count === 0 };
  });
  verdicts.push({
    name: "records delivered",
    wanted: "some",
    got: String(ledger.delivered),
    holds: ledger.delivered > 0,
  });
  verdicts.push(endVerdict(measured));
  const { p50MsMax, p99MsMax, deliveredPerSecondMin, heapMibPerHourMax, rssMibPerHourMax } = thresholds;
  if (p50MsMax !== undefined) verdicts.push(atMost("p50 of due to invoked", latency.p50Ms, p50MsMax, "ms"));
  if (p99MsMax !== undefined) verdicts.push(atMost("p99 of due to invoked", latency.p99Ms, p99MsMax, "ms"));
  if (deliveredPerSecondMin !== undefined) {
    verdicts.push({
      name: "records delivered a second",
      wanted: `≥ ${deliveredPerSecondMin}`,
      got: deliveredPerSecond.toFixed(1),
      holds: deliveredPerSecond >= deliveredPerSecondMin,
    });
  }
  verdicts.push(...growth("heap after collection", trends.heap, heapMibPerHourMax));
  verdicts.push(...growth("resident memory", trends.rss, rssMibPerHourMax));
  return verdicts;
}

function endVerdict({ hasEngine, engineStatus, failure }: Measured): Verdict {
  const status = engineStatus === undefined ? "it was killed" : `status ${engineStatus}`;
  const end = hasEngine ? status : "carried through";
  return {
    name: hasEngine ? "the engine's end" : "the test's end",
    wanted: hasEngine ? "status 0" : "carried through",
    got: failure?.split("\n", 1)[0] ?? end,
    holds: failure === undefined && engineStatus === 0,
  };
}

function atMost(name: string, value: number, max: number, unit: string): Verdict {
  return { name, wanted: `≤ ${max} ${unit}`, got: `${value.toFixed(1)} ${unit}`, holds: value <= max };
}

/** A growth that its noise explains is no growth; one that could not be measured holds nothing. */
function growth(name: string, trend: Trend | undefined, max: number | undefined): Verdict[] {
  if (max === undefined) return [];
  const got = trend === undefined ? "too few samples" : formatTrend(trend);
  const holds = trend !== undefined && !growsBeyond(trend, max);
  return [{ name: `growth of the ${name}`, wanted: `≤ ${max} MiB/h`, got, holds }];
}

export function formatTrend({ perHour, noisePerHour }: Trend): string {
  return `${perHour.toFixed(2)} ± ${noisePerHour.toFixed(2)} MiB/h`;
}
