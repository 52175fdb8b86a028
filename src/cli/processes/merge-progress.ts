import type { MappingStatus, Standstill } from "../../engine/engine.ts";
import type { MappingProgress, MappingTotals } from "../mapping-progress.ts";

/** In this order: a mapping is shown in the first state that any process has it in. */
const STATES: readonly MappingStatus["state"][] = ["Failed", "Disabling", "Creating", "Disabled", "Enabled"];

/** One entry for each mapping, over all processes: shards of all, sums, and the state that needs attention most. */
export function mergeProgress(ofProcesses: readonly (readonly MappingProgress[])[]): MappingProgress[] {
  const merged = new Map<string, MappingProgress>();
  for (const each of ofProcesses.flat()) {
    const { uuid } = each.status;
    const known = merged.get(uuid);
    merged.set(uuid, known === undefined ? each : mergeTwo(known, each));
  }
  return [...merged.values()];
}

function mergeTwo(a: MappingProgress, b: MappingProgress): MappingProgress {
  return { status: mergeStatus(a.status, b.status), totals: mergeTotals(a.totals, b.totals) };
}

function mergeStatus(a: MappingStatus, b: MappingStatus): MappingStatus {
  const problem = a.problem ?? b.problem;
  return {
    ...a,
    ...(problem === undefined ? {} : { problem }),
    ...mergeStandstills(a, b),
    state: STATES.find((state) => a.state === state || b.state === state) ?? a.state,
    lastProcessingResult: worse(a.lastProcessingResult, b.lastProcessingResult),
    shards: [...a.shards, ...b.shards].toSorted((one, other) => one.shardId.localeCompare(other.shardId)),
    oldestAgeMs: Math.max(a.oldestAgeMs, b.oldestAgeMs),
    caughtUp: a.caughtUp && b.caughtUp,
  };
}

function mergeStandstills(a: MappingStatus, b: MappingStatus): Pick<MappingStatus, "standstills"> {
  const longest = new Map<Standstill["reason"], number>();
  for (const { reason, seconds } of [...(a.standstills ?? []), ...(b.standstills ?? [])]) {
    longest.set(reason, Math.max(seconds, longest.get(reason) ?? 0));
  }
  return longest.size === 0
    ? {}
    : { standstills: [...longest].map(([reason, seconds]) => ({ reason, seconds })) };
}

/** A problem of one process is one of the mapping; one that has processed nothing says nothing. */
function worse(a: string, b: string): string {
  const isProblem = (result: string) => result !== "OK" && result !== "No records processed";
  if (isProblem(a)) return a;
  return isProblem(b) || b === "OK" ? b : a;
}

function mergeTotals(a: MappingTotals, b: MappingTotals): MappingTotals {
  return {
    counters: addUp(a.counters, b.counters),
    gauges: addUp(a.gauges, b.gauges),
    invocations: a.invocations + b.invocations,
  };
}

function addUp<Name extends string>(a: Readonly<Record<Name, number>>, b: Readonly<Record<Name, number>>) {
  const sums: Record<Name, number> = { ...a };
  for (const name of Object.keys(a) as Name[]) sums[name] = a[name] + b[name];
  return sums;
}
