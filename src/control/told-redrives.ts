import { type Reason, reason } from "../model/reason.ts";
import type { RedriveStatus } from "../ports/redrives.ts";
import { gravityOf } from "./gravity.ts";
import { type MappingSight, type ToldPart, type ToldProcess, toldReason, worstFirst } from "./told-parts.ts";

/** Where a mapping stands that has redrives. */
export interface RedrivenMapping {
  readonly uuid: string;
  readonly state: string;
  readonly nowMs: number;
  /** Who says it. */
  readonly process: ToldProcess;
}

/**
 * What all processes say of a mapping, and of its redrives also what none of them can say: that they are paused, wait
 * for somebody's decision, or that nobody hands them over.
 */
export function withRedrives(
  sight: MappingSight,
  redrives: readonly RedriveStatus[],
  mapping: RedrivenMapping,
): MappingSight {
  const told = new Set(sight.parts.map(({ part }) => part));
  const resting = redrives
    .filter((redrive) => redrive.mapping === mapping.uuid)
    .flatMap((redrive) => restingPart(redrive, told.has(partOf(redrive)), sight, mapping));
  return resting.length === 0
    ? sight
    : { ...sight, parts: [...sight.parts, ...resting].toSorted(worstFirst) };
}

function partOf({ name }: RedriveStatus): string {
  return `redrive ${name}`;
}

function restingPart(
  redrive: RedriveStatus,
  isTold: boolean,
  { processes }: MappingSight,
  { state, nowMs, process }: RedrivenMapping,
): readonly ToldPart[] {
  const isRun = state === "Enabled" && processes.some(({ standing }) => standing === "lives");
  const why = restingReason(redrive, isTold, isRun ? undefined : state);
  if (why === undefined) return [];
  const { createdMs, endedMs } = redrive;
  return [
    {
      part: partOf(redrive),
      process,
      holdsWork: why.code === "redriveWaits",
      sinceMs: endedMs ?? createdMs,
      stands: why.code === "redriveWaits" && nowMs - createdMs >= STANDS_MS,
      gravity: gravityOf(why.code),
      reasons: [toldReason(why)],
      lane: undefined,
      heldLanes: [],
      behindMs: undefined,
    },
  ];
}

const STANDS_MS = 30_000;

/** `state`: the mapping's, where it does not run. `undefined`: whoever hands it over says what it waits for. */
function restingReason(
  { state, counts, createdMs, endedMs }: RedriveStatus,
  isTold: boolean,
  mappingState: string | undefined,
): Reason | undefined {
  const { selected, done, failed, gone, uncertain } = counts;
  switch (state) {
    case "paused": {
      const records = Math.max(0, selected - done - failed - gone - uncertain);
      return reason("redrivePaused", { sinceMs: createdMs, facts: { records } });
    }
    case "done":
      return uncertain === 0
        ? undefined
        : reason("redriveUncertain", { sinceMs: endedMs, facts: { records: uncertain } });
    case "planned":
    case "running":
      return isTold || mappingState === undefined
        ? undefined
        : reason("redriveWaits", { sinceMs: createdMs, facts: { state: mappingState } });
    case "cancelled":
      return undefined;
  }
}
