import type { MappingStatus } from "../engine/engine.ts";
import type { CounterName, GaugeName } from "../ports/telemetry.ts";

export interface MappingProgress {
  readonly status: MappingStatus;
  readonly totals: MappingTotals;
}

/** Sums since the start of the process. */
export interface MappingTotals {
  readonly counters: Readonly<Record<CounterName, number>>;
  readonly gauges: Readonly<Record<GaugeName, number>>;
  readonly invocations: number;
}

export function hasFailed({ state }: MappingStatus): boolean {
  return state === "Failed";
}
