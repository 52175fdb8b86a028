import { parseFunctionName } from "../../manifests/function-name.ts";
import type { FunctionResource } from "../../manifests/resources.ts";
import { ruleKey, scheduleKey } from "../../manifests/schedule-resource.ts";
import { type Reason, reason } from "../../model/reason.ts";
import type { MissedTicks } from "../schedules/missed-ticks.ts";
import type { RuleView } from "../schedules/rule-control.ts";
import type { ScheduleView } from "../schedules/schedule-control.ts";
import { type ToldReason, toldReason } from "../told-parts.ts";
import { hasQualifier } from "./told-routes.ts";

/** A schedule, or a rule, as people see it; moments are ISO texts. */
export interface ToldSchedule {
  readonly kind: "schedule" | "rule";
  /** `GROUP/NAME` or `BUS/NAME`. */
  readonly name: string;
  /** Absent: a rule that takes events alone. */
  readonly expression?: string;
  readonly timezone: string;
  readonly state: string;
  readonly target: string;
  /** The next five. */
  readonly nextTicks: readonly string[];
  /** Ticks that this process saw missed, since it began. */
  readonly missed: number;
  readonly reasons: readonly ToldReason[];
}

export interface SchedulesSeen {
  readonly functions: readonly FunctionResource[];
  /** By the names that metrics have. */
  readonly missed: (name: string) => MissedTicks | undefined;
}

export function toldSchedule({ schedule, nextTicks }: ScheduleView, seen: SchedulesSeen): ToldSchedule {
  const { spec } = schedule;
  const name = scheduleKey(schedule);
  const targets = [spec.target.arn];
  return {
    kind: "schedule",
    name,
    expression: spec.scheduleExpression,
    timezone: spec.scheduleExpressionTimezone,
    ...toldTimes(name, spec.state, nextTicks, targets, true, seen),
  };
}

export function toldRule({ rule, nextTicks }: RuleView, seen: SchedulesSeen): ToldSchedule {
  const { spec } = rule;
  const hasTicks = spec.scheduleExpression !== undefined;
  const targets = spec.targets.map(({ arn }) => arn);
  return {
    kind: "rule",
    name: ruleKey(rule),
    ...(spec.scheduleExpression === undefined ? {} : { expression: spec.scheduleExpression }),
    timezone: "UTC",
    ...toldTimes(`rule ${ruleKey(rule)}`, spec.state, nextTicks, targets, hasTicks, seen),
  };
}

function toldTimes(
  label: string,
  state: string,
  nextTicks: readonly number[],
  targets: readonly string[],
  hasTicks: boolean,
  { functions, missed }: SchedulesSeen,
) {
  const passed = missed(label);
  const reasons: readonly Reason[] = [
    ...targets.flatMap((arn) => missingFunction(arn, functions)),
    ...(state === "ENABLED" ? [] : [reason("scheduleOff")]),
    ...(state === "ENABLED" && hasTicks && nextTicks.length === 0 ? [reason("scheduleOver")] : []),
    ...(passed === undefined
      ? []
      : [reason("ticksMissed", { sinceMs: passed.lastMs, facts: { ticks: passed.ticks } })]),
  ];
  return {
    state,
    target: targets.join(", "),
    nextTicks: nextTicks.map((ms) => new Date(ms).toISOString()),
    missed: passed?.ticks ?? 0,
    reasons: reasons.map(toldReason),
  };
}

/** What is no function's name is somebody else's: a queue, a bus. */
function missingFunction(arn: string, functions: readonly FunctionResource[]): readonly Reason[] {
  const reference = parseFunctionName(arn);
  if (reference === undefined) return [];
  const fn = functions.find(({ name }) => name === reference.name);
  if (fn !== undefined && hasQualifier(fn, reference.qualifier)) return [];
  return [reason("noSuchFunction", { facts: { function: reference.name, problem: arn } })];
}

export function scheduleLines({ kind, name, expression, timezone, state, target, nextTicks }: ToldSchedule) {
  const what = expression === undefined ? "takes events" : `${expression} ${timezone}`;
  const ticks = expression === undefined ? [] : [`  next: ${nextTicks.join(", ") || "no further tick"}`];
  return [
    `${kind} ${name}: ${state}, ${what}`,
    `  invokes: ${target || "nothing: it has no target"}`,
    ...ticks,
  ];
}
