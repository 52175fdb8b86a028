import type { ReasonCode } from "../../model/reason.ts";
import type { MappingView } from "../mapping-view.ts";
import type { MappingSnapshot } from "../process-snapshot.ts";
import { type SeenMapping, type ToldPart, troubleOf } from "../told-parts.ts";
import type { WholeView } from "../whole-view.ts";

/** A mapping as the page shows it: over all processes. Times are epoch milliseconds. */
export interface LiveMapping {
  readonly uuid: string;
  readonly name: string;
  readonly source: string;
  readonly functionName: string;
  readonly state: string;
  readonly lastProcessingResult: string;
  /** Why it cannot be started. */
  readonly problem?: string;
  readonly isFromManifest: boolean;
  /** Since their processes began, of those that were seen. */
  readonly counts: LiveCounts;
  /** How old the oldest record is that is known and not settled. */
  readonly oldestAgeMs: number;
  readonly caughtUp: boolean;
  readonly shards: number;
  /** Processes that work on it. */
  readonly processes: number;
  /** Parts that somebody has to look at. */
  readonly heldUp: number;
  /** What holds up the worst of these. */
  readonly worst?: LiveCause;
}

export interface LiveCounts {
  /** Read from the source. */
  readonly read: number;
  /** Handed to the function, counted again for every retry. */
  readonly invoked: number;
  readonly failed: number;
  /** Given up, whether a destination took them or none. */
  readonly givenUp: number;
}

export interface LiveCause {
  readonly part: string;
  readonly process: string;
  readonly code: ReasonCode;
  readonly sinceMs: number;
  readonly says: string;
  readonly toDo: string;
  /** Where the runbook tells of it. */
  readonly runbook: string;
  /** The function's error, by its id: its text is only for those who may see it. */
  readonly errorId?: string;
}

const NOTHING_DONE: LiveCounts = { read: 0, invoked: 0, failed: 0, givenUp: 0 };

export function seenMappings({ processes }: WholeView): ReadonlyMap<string, readonly SeenMapping[]> {
  const seen = new Map<string, SeenMapping[]>();
  for (const process of processes) {
    for (const mapping of process.snapshot.mappings) {
      const list = seen.get(mapping.uuid);
      if (list === undefined) seen.set(mapping.uuid, [{ process, mapping }]);
      else list.push({ process, mapping });
    }
  }
  return seen;
}

/** What stands still and what is to be done is told as `explain` tells it (`told-parts.ts`). */
export function liveMapping(
  { resource, state, lastProcessingResult, problem, isFromManifest }: MappingView,
  seen: readonly SeenMapping[],
  nowMs: number,
): LiveMapping {
  const { uuid, name } = resource.mapping;
  const working = seen.filter(
    ({ process, mapping }) => process.standing === "lives" && mapping.explanation !== undefined,
  );
  const known = working[0] ?? seen[0];
  const { heldUp, worst: told } = troubleOf(seen, nowMs);
  const [worst] = told === undefined ? [] : liveCauses(told);
  return {
    uuid,
    name,
    source: known?.mapping.source ?? resource.mapping.eventSourceArn ?? "",
    functionName: resource.functionName,
    state,
    lastProcessingResult: troubled(working, lastProcessingResult),
    ...(problem === undefined ? {} : { problem }),
    isFromManifest,
    counts: seen.reduce((sum, { mapping }) => added(sum, countsOf(mapping)), NOTHING_DONE),
    oldestAgeMs: Math.max(0, ...working.map(({ mapping }) => mapping.oldestAgeMs)),
    caughtUp: working.length > 0 && working.every(({ mapping }) => mapping.caughtUp),
    shards: working.reduce((sum, { mapping }) => sum + mapping.shards, 0),
    processes: working.length,
    heldUp,
    ...(worst === undefined ? {} : { worst }),
  };
}

/** A result that is trouble in one process is not hidden by another's that is none. */
function troubled(working: readonly SeenMapping[], otherwise: string): string {
  const results = working.map(({ mapping }) => mapping.lastProcessingResult);
  return results.find((result) => result !== "OK" && result !== "No records processed") ?? otherwise;
}

export function countsOf({ counters }: MappingSnapshot): LiveCounts {
  return {
    read: counters.polled_events,
    invoked: counters.invoked_events,
    failed: counters.failed_invoke_events,
    givenUp: counters.dropped_events + counters.on_failure_destination_delivered_events,
  };
}

function added(a: LiveCounts, b: LiveCounts): LiveCounts {
  return {
    read: a.read + b.read,
    invoked: a.invoked + b.invoked,
    failed: a.failed + b.failed,
    givenUp: a.givenUp + b.givenUp,
  };
}

/** The worst reason of a part, if it has any. */
export function liveCauses({ part, process, sinceMs, reasons }: ToldPart): readonly LiveCause[] {
  const [reason] = reasons;
  if (reason === undefined) return [];
  const { code, says, remedy, runbook, facts } = reason;
  const { errorId } = facts;
  const cause: LiveCause = { part, process: process.processId, code, sinceMs, says, toDo: remedy, runbook };
  return [typeof errorId === "string" ? { ...cause, errorId } : cause];
}
