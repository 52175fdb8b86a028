import type { PercentilePoint } from "./latency-histogram.ts";
import type { LedgerReport } from "./ledger-report.ts";
import type { Machine } from "./machine.ts";
import type { Trend } from "./memory-trend.ts";
import type { ScenarioFault, ScenarioSpec } from "./scenario-schema.ts";

export const RESULT_FORMAT = "millrace-load/1";

/** What a load test found: `result.json`. Times are milliseconds since the first record was due. */
export interface LoadResult {
  readonly format: typeof RESULT_FORMAT;
  readonly name: string;
  /** ISO 8601 */
  readonly startedAt: string;
  readonly version: string;
  readonly machine: Machine;
  readonly scenario: ScenarioSpec;
  readonly scenarioText: string;
  /** From the first record that was due until the last one was settled. */
  readonly durationMs: number;
  /** Records a second that reached the function, from the first to the last. */
  readonly deliveredPerSecond: number;
  readonly windows: readonly LoadWindow[];
  readonly memory: readonly MemorySample[];
  readonly trends: { readonly rss: Trend | undefined; readonly heap: Trend | undefined };
  readonly latency: LatencySummary;
  /** How much later than due records left the harness: what the harness and the source add to the latency. */
  readonly sendLate: { readonly p50Ms: number; readonly p99Ms: number; readonly maxMs: number };
  readonly faults: readonly FaultRecord[];
  readonly invocations: Readonly<Record<string, number>>;
  readonly engineStarts: number;
  readonly ledger: LedgerReport;
  readonly verdicts: readonly Verdict[];
  readonly passed: boolean;
}

/** A stretch of the test, a second or longer; the last one ends with the test. */
export interface LoadWindow {
  /** Its end. */
  readonly atMs: number;
  readonly seconds: number;
  /** Records a second that the scenario asks for, bursts left aside. */
  readonly plannedPerSecond: number;
  readonly sent: number;
  /** Records that reached the function for the first time. */
  readonly delivered: number;
  readonly invocations: number;
  /** Invocations that did not succeed. */
  readonly failures: number;
  /** Records in the function's hands at the end of the window. */
  readonly inFlight: number;
  /** Records generated and not settled at its end. */
  readonly lag: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export interface MemorySample {
  readonly atMs: number;
  readonly rssBytes: number;
  /** The heap of the engine's main thread. */
  readonly heapBytes: number;
  readonly externalBytes: number;
  /** Garbage was collected just before: the heap is what is kept. */
  readonly isCollected: boolean;
  /** Share of one core since the sample before; `undefined` for the first of a process. */
  readonly cpuPercent: number | undefined;
  /** 1 for the engine's first process, one more after each crash. */
  readonly engine: number;
}

export interface LatencySummary {
  readonly count: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
  readonly curve: readonly PercentilePoint[];
}

export interface FaultRecord {
  readonly kind: ScenarioFault["kind"];
  readonly fromMs: number;
  /** For a crash: when the engine was ready again. */
  readonly toMs: number;
}

/** One thing that the test had to hold. */
export interface Verdict {
  readonly name: string;
  readonly wanted: string;
  readonly got: string;
  readonly holds: boolean;
}
