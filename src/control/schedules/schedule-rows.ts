import {
  type RuleResource,
  ruleKey,
  ruleTimetable,
  type ScheduleResource,
  scheduleKey,
  scheduleTimetable,
} from "../../manifests/schedule-resource.ts";
import { ruleSpec, scheduleSpec } from "../../manifests/schedule-schema.ts";
import type { Place } from "../../model/place.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ResourceRow } from "../../ports/resource-store.ts";
import { isOrphaned, type ResourceDocument, readDocument } from "../../resources/document.ts";
import { RULE_KIND, SCHEDULE_KIND } from "../../resources/kinds.ts";
import type { Scheduled } from "../../schedules/scheduled.ts";
import { type Declaration, effectiveSpec } from "../function-rows.ts";
import { ruleEvent, scheduleInput, targetInput, targetItem, textUuid } from "./scheduled-event.ts";

/** A row of a schedule that can be read. */
export interface KeptSchedule {
  readonly row: ResourceRow;
  readonly document: ResourceDocument;
  readonly schedule: ScheduleResource;
}

export interface KeptRule {
  readonly row: ResourceRow;
  readonly document: ResourceDocument;
  readonly rule: RuleResource;
}

interface RowsRead {
  readonly schedules: readonly KeptSchedule[];
  readonly rules: readonly KeptRule[];
  /** Names of rows that this version cannot read. */
  readonly unreadable: readonly string[];
}

/** The schedules and rules that rows say, in the order of their names, orphans among them. */
export function schedulesOf(rows: readonly ResourceRow[]): RowsRead {
  const schedules: KeptSchedule[] = [];
  const rules: KeptRule[] = [];
  const unreadable: string[] = [];
  for (const row of rows.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (row.kind !== SCHEDULE_KIND && row.kind !== RULE_KIND) continue;
    const document = readDocument(row.document);
    const name = row.name.slice(row.name.indexOf("/") + 1);
    const spec = document && effectiveSpec(document);
    const schedule = row.kind === SCHEDULE_KIND ? scheduleSpec.safeParse(spec).data : undefined;
    const rule = row.kind === RULE_KIND ? ruleSpec.safeParse(spec).data : undefined;
    if (document !== undefined && schedule !== undefined)
      schedules.push({ row, document, schedule: { name, spec: schedule } });
    else if (document !== undefined && rule !== undefined)
      rules.push({ row, document, rule: { name, spec: rule } });
    else unreadable.push(`${row.kind} ${row.name}`);
  }
  return { schedules, rules, unreadable };
}

export function scheduleDeclaration(schedule: ScheduleResource): Declaration {
  return { kind: SCHEDULE_KIND, name: scheduleKey(schedule), spec: schedule.spec };
}

export function ruleDeclaration(rule: RuleResource): Declaration {
  return { kind: RULE_KIND, name: ruleKey(rule), spec: rule.spec };
}

/** Since when it stands as it does: a rate counts from here. */
export function sinceMs({ members, lastModifiedMs }: ResourceDocument): number {
  const since = members?.["sinceMs"];
  return Math.floor(typeof since === "number" ? since : lastModifiedMs);
}

/** Ids of a tick's items are the same in every process. */
function tickId(uid: string, generation: number, atMs: number, target = ""): string {
  return textUuid(`${uid} ${generation} ${atMs} ${target}`);
}

/** `undefined`: it has no ticks. */
export function scheduledOf(kept: KeptSchedule, place: Place, clock: Clock): Scheduled | undefined {
  const { row, document, schedule } = kept;
  const { uid } = row;
  const { generation } = document;
  const timetable = scheduleTimetable(schedule.spec, { uid, anchorMs: sinceMs(document) });
  if (timetable === undefined) return undefined;
  return {
    uid,
    name: scheduleKey(schedule),
    generation,
    isEnabled: schedule.spec.state === "ENABLED" && !isOrphaned(document),
    timetable,
    items: ({ atMs }) => {
      const id = tickId(uid, generation, atMs);
      const body = scheduleInput(schedule, atMs, id, place);
      const route = `schedule ${scheduleKey(schedule)}`;
      return [targetItem(schedule.spec.target, { id, body, route, nowMs: clock.now() }) ?? []].flat();
    },
  };
}

/** `undefined`: the rule has no schedule. */
export function scheduledRule(kept: KeptRule, place: Place, clock: Clock): Scheduled | undefined {
  const { row, document, rule } = kept;
  const { uid } = row;
  const { generation } = document;
  const timetable = ruleTimetable(rule.spec, { uid, anchorMs: sinceMs(document) });
  if (timetable === undefined) return undefined;
  return {
    uid,
    name: `rule ${ruleKey(rule)}`,
    generation,
    isEnabled: rule.spec.state === "ENABLED" && !isOrphaned(document),
    timetable,
    items: ({ atMs }) => {
      const event = ruleEvent(rule, atMs, tickId(uid, generation, atMs), place);
      return rule.spec.targets.flatMap((target) => {
        // Nothing that a rule's own event holds is large enough to be left out.
        const body = targetInput(target, event, rule, place) ?? "null";
        const id = tickId(uid, generation, atMs, target.id);
        return targetItem(target, { id, body, route: `rule ${ruleKey(rule)}`, nowMs: clock.now() }) ?? [];
      });
    },
  };
}
