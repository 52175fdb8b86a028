import type { Fault } from "../model/errors.ts";
import { type Reason, reason } from "../model/reason.ts";
import type { FailureCount, FilteredOut, LookFailure } from "./explanation.ts";

/** Why one part of a mapping is where it is. A part has several when several things are in its way. */
export interface PartReasons {
  /** `shard-1`, `shard-1 lane 0`, `queue`: what people and alerts name it by. */
  readonly part: string;
  /** There is something to bring to an end, as far as this process knows. */
  readonly holdsWork: boolean;
  /** As long as it stays as it is the part has brought nothing to an end. */
  readonly progress: string;
  readonly reasons: readonly Reason[];
}

/** Before that a filter that lets nothing pass is not worth a word. */
const FILTERED_MS = 600_000;

export function filterReason(filteredOut: FilteredOut | undefined, nowMs: number): readonly Reason[] {
  if (filteredOut === undefined || nowMs - filteredOut.sinceMs < FILTERED_MS) return [];
  const { sinceMs, records } = filteredOut;
  return [reason("filterPassesNothing", { sinceMs, facts: { records } })];
}

/** What fails of looking at shards and leases. */
export function lookReason(failure: LookFailure | undefined): readonly Reason[] {
  if (failure === undefined) return [];
  if (!failure.isOfStore) return [readFailureReason(failure, undefined)];
  return [reason("storeUnavailable", { facts: { failures: failure.count, problem: failure.lastProblem } })];
}

export function readFailureReason(
  { fault, count, lastProblem }: FailureCount,
  untilMs: number | undefined,
): Reason {
  return reason(codeOf(fault), { untilMs, facts: { failures: count, problem: lastProblem } });
}

function codeOf(fault: Fault) {
  switch (fault) {
    case "throttled":
      return "sourceThrottled";
    case "denied":
    case "credentials":
    case "credentialsExpired":
      return "sourceDenied";
    case "notFound":
      return "sourceGone";
    case "defect":
    case "refused":
    case "clock":
    case "passing":
      return "sourceUnavailable";
  }
}
