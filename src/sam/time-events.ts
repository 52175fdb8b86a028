import { propertyOf, type TemplateContext, type TemplateResource } from "./context.ts";
import { eventDocument } from "./event-document.ts";
import { eventName, mappingName, qualified, type WrittenEvent } from "./event-names.ts";
import { list, map, memberOf, scalar, type TemplateValue, textOf } from "./template-value.ts";

/** How a rule or schedule hands an event over, on each of both. */
const HANDING: readonly string[] = [
  "Input",
  "InputPath",
  "InputTransformer",
  "RetryPolicy",
  "DeadLetterConfig",
];

/** Events of the types Schedule, EventBridgeRule and CloudWatchEvent. */
export function ruleEvent(written: WrittenEvent, context: TemplateContext): TemplateResource | undefined {
  const { target, field, place, value } = written;
  const properties = propertyOf(context, value, "Properties");
  const name = eventName(written);
  const own = (member: string) => memberOf(properties, member);
  const invoked = map(
    [["id", scalar(name, place)], ["arn", scalar(qualified(target), place)], ...handing(properties)],
    place,
  );
  const entries = [
    ["eventBusName", own("EventBusName")],
    ["eventPattern", own("Pattern")],
    ["scheduleExpression", own("Schedule")],
    ["state", stateOf(properties)],
    ["description", own("Description")],
    ["targets", list([invoked], place)],
  ] as const;
  return eventDocument({ kind: "Rule", name, field, place, entries }, context);
}

/** Events of the type ScheduleV2. */
export function scheduleEvent(written: WrittenEvent, context: TemplateContext): TemplateResource | undefined {
  const { target, field, place, value } = written;
  const properties = propertyOf(context, value, "Properties");
  const named = textOf(memberOf(properties, "Name"));
  const name = named === undefined ? eventName(written) : mappingName(named);
  const own = (member: string) => memberOf(properties, member);
  const invoked = map([["arn", scalar(qualified(target), place)], ...handing(properties)], place);
  const entries = [
    ["groupName", own("GroupName")],
    ["scheduleExpression", own("ScheduleExpression")],
    ["scheduleExpressionTimezone", own("ScheduleExpressionTimezone")],
    ["startDate", own("StartDate")],
    ["endDate", own("EndDate")],
    ["flexibleTimeWindow", own("FlexibleTimeWindow")],
    ["state", stateOf(properties)],
    ["description", own("Description")],
    ["target", invoked],
  ] as const;
  return eventDocument({ kind: "Schedule", name, field, place, entries }, context);
}

/** Members that say so of a target, an event's or a resource's. */
export function handing(
  properties: TemplateValue | undefined,
): readonly (readonly [string, TemplateValue | undefined])[] {
  return HANDING.map((member) => [member, withoutType(member, memberOf(properties, member))] as const);
}

/** SAM says beside a dead-letter queue of what type it is. */
function withoutType(member: string, value: TemplateValue | undefined): TemplateValue | undefined {
  if (member !== "DeadLetterConfig") return value;
  const arn = memberOf(value, "Arn");
  return value === undefined || arn === undefined ? undefined : map([["arn", arn]], value.place);
}

/** `Enabled` is the older word. */
export function stateOf(properties: TemplateValue | undefined): TemplateValue | undefined {
  const state = memberOf(properties, "State");
  const enabled = memberOf(properties, "Enabled");
  if (state !== undefined || enabled === undefined) return state;
  return scalar(textOf(enabled)?.toLowerCase() === "false" ? "DISABLED" : "ENABLED", enabled.place);
}
