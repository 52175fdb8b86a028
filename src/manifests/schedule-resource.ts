import { cloudOf, type Place } from "../model/place.ts";
import { parseExpression } from "../schedules/expression.ts";
import type { Timetable } from "../schedules/next-ticks.ts";
import { findZone, UTC } from "../schedules/zone.ts";
import { functionArn, parseFunctionName } from "./function-name.ts";
import type { RuleSpec, ScheduleSpec } from "./schedule-schema.ts";
import { epochMsOf } from "./timestamp.ts";

/** A schedule of EventBridge Scheduler, validated, with defaults filled in. */
export interface ScheduleResource {
  readonly name: string;
  readonly spec: ScheduleSpec;
}

/** A rule of EventBridge. */
export interface RuleResource {
  readonly name: string;
  readonly spec: RuleSpec;
}

/** As its row is named. */
export function scheduleKey({ name, spec }: ScheduleResource): string {
  return `${spec.groupName}/${name}`;
}

export function ruleKey({ name, spec }: RuleResource): string {
  return `${spec.eventBusName}/${name}`;
}

export function scheduleArn({ name, spec }: ScheduleResource, place: Place): string {
  return `${arnPrefix("scheduler", place)}schedule/${spec.groupName}/${name}`;
}

export function ruleArn({ name, spec }: RuleResource, place: Place): string {
  const bus = spec.eventBusName === "default" ? "" : `${spec.eventBusName}/`;
  return `${arnPrefix("events", place)}rule/${bus}${name}`;
}

/** The ARN of a target, however its owner named the function. */
export function targetArn(text: string, place: Place): string {
  const reference = parseFunctionName(text);
  return reference === undefined || reference.arnPrefix !== undefined ? text : functionArn(reference, place);
}

export function arnPrefix(service: string, { region, account }: Place): string {
  return `arn:${cloudOf(region)}:${service}:${region}:${account}:`;
}

/** Which row it is, and since when it stands as it does. */
type Standing = Pick<Timetable, "uid" | "anchorMs">;

/** `undefined`: a `spec` that has not passed all checks. */
export function scheduleTimetable(spec: ScheduleSpec, standing: Standing): Timetable | undefined {
  const expression = parseExpression(spec.scheduleExpression, "scheduler");
  const zone = findZone(spec.scheduleExpressionTimezone);
  if (expression === undefined || zone === undefined) return undefined;
  const { mode, maximumWindowInMinutes = 0 } = spec.flexibleTimeWindow;
  return {
    ...standing,
    expression,
    zone,
    isDueAtAnchor: true,
    startMs: spec.startDate === undefined ? undefined : epochMsOf(spec.startDate),
    endMs: spec.endDate === undefined ? undefined : epochMsOf(spec.endDate),
    windowMs: mode === "FLEXIBLE" ? maximumWindowInMinutes * 60_000 : 0,
  };
}

/** `undefined`: it has no schedule. */
export function ruleTimetable(spec: RuleSpec, standing: Standing): Timetable | undefined {
  const { scheduleExpression: text } = spec;
  const expression = text === undefined ? undefined : parseExpression(text, "rule");
  if (expression === undefined) return undefined;
  return { ...standing, expression, zone: UTC, isDueAtAnchor: false, windowMs: 0 };
}

/** The pattern of a rule as a JSON text. */
export function patternText({ eventPattern }: RuleSpec): string | undefined {
  return typeof eventPattern === "object" ? JSON.stringify(eventPattern) : eventPattern;
}
