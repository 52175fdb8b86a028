import { parseFunctionName } from "../../manifests/function-name.ts";
import { ruleKey, ruleTimetable, scheduleKey, scheduleTimetable } from "../../manifests/schedule-resource.ts";
import type { ResourceRow } from "../../ports/resource-store.ts";
import { isOrphaned, type ResourceDocument } from "../../resources/document.ts";
import { CURSOR_PREFIX, readPlace } from "../../schedules/cursor-place.ts";
import { nextTicks, type Timetable } from "../../schedules/next-ticks.ts";
import { schedulesOf, sinceMs } from "../schedules/schedule-rows.ts";
import type { DueTick } from "./demand.ts";

interface Timed {
  readonly name: string;
  readonly document: ResourceDocument;
  readonly isEnabled: boolean;
  readonly timetable: Timetable | undefined;
  readonly targets: readonly { readonly arn: string }[];
}

/**
 * When each schedule is due next. One that no process has begun with as it stands is due now: whoever begins says from
 * when on it counts.
 */
export function dueTicks(
  rows: readonly ResourceRow[],
  cursors: ReadonlyMap<string, string>,
  nowMs: number,
): readonly DueTick[] {
  return timedOf(rows).flatMap(({ name, document, isEnabled, timetable, targets }) => {
    if (!isEnabled || timetable === undefined || isOrphaned(document)) return [];
    const dueMs = dueOf(timetable, document.generation, cursors, nowMs);
    if (dueMs === undefined) return [];
    const functionNames = targets.flatMap(({ arn }) => parseFunctionName(arn)?.name ?? []);
    return [{ schedule: name, functionNames, dueMs }];
  });
}

function dueOf(
  timetable: Timetable,
  generation: number,
  cursors: ReadonlyMap<string, string>,
  nowMs: number,
): number | undefined {
  const place = readPlace(cursors.get(CURSOR_PREFIX + timetable.uid) ?? "");
  if (place.generation < generation) return nowMs;
  // A later version wrote it, or it is gone: nobody of this version enqueues any of it.
  if (place.generation === Number.POSITIVE_INFINITY) return undefined;
  // plant: a-tick-that-is-due-is-passed-over
  const { newest, next } = nextTicks(timetable, place.atMs, nowMs);
  return newest?.dueMs ?? next?.dueMs;
}

function timedOf(rows: readonly ResourceRow[]): readonly Timed[] {
  const { schedules, rules } = schedulesOf(rows);
  return [
    ...schedules.map(({ row, document, schedule }): Timed => {
      const { spec } = schedule;
      const timetable = scheduleTimetable(spec, { uid: row.uid, anchorMs: sinceMs(document) });
      const isEnabled = spec.state === "ENABLED";
      return { name: scheduleKey(schedule), document, isEnabled, timetable, targets: [spec.target] };
    }),
    ...rules.map(({ row, document, rule }): Timed => {
      const { spec } = rule;
      const timetable = ruleTimetable(spec, { uid: row.uid, anchorMs: sinceMs(document) });
      const isEnabled = spec.state === "ENABLED";
      return { name: `rule ${ruleKey(rule)}`, document, isEnabled, timetable, targets: spec.targets };
    }),
  ];
}
