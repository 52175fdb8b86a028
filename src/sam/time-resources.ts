import { parseFunctionName } from "../manifests/function-name.ts";
import type { TemplateContext, TemplateResource } from "./context.ts";
import { eventDocument } from "./event-document.ts";
import { mappingName } from "./event-names.ts";
import type { StackResource } from "./stack-resources.ts";
import { list, map, memberOf, scalar, type TemplateValue, textOf } from "./template-value.ts";
import { handing, stateOf } from "./time-events.ts";

/** `AWS::Events::Rule`, with those of its targets that are functions. */
export function plainRule(resource: StackResource, context: TemplateContext): TemplateResource | undefined {
  const { properties, own, name } = partsOf(resource, context);
  const given = own("Targets");
  const items = given?.kind === "list" ? given.items : [];
  const targets = items.flatMap((item, index) => {
    const fn = invokedBy(item, `${resource.name}.Targets`, context);
    const id = textOf(memberOf(item, "Id")) ?? `target-${index}`;
    if (fn === undefined) return [];
    const role = roleOf(item);
    return [
      map([["id", scalar(id, item.place)], ["arn", fn], ["roleArn", role], ...handing(item)], item.place),
    ];
  });
  // What it would have called is told.
  if (targets.length === 0 && items.length > 0) return undefined;
  const entries = [
    ["eventBusName", own("EventBusName")],
    ["eventPattern", own("EventPattern")],
    ["scheduleExpression", own("ScheduleExpression")],
    ["state", stateOf(properties)],
    ["description", own("Description")],
    ["targets", list(targets, resource.key)],
  ] as const;
  return eventDocument({ kind: "Rule", name, field: resource.name, place: resource.key, entries }, context);
}

/** `AWS::Scheduler::Schedule` of a function. */
export function plainSchedule(
  resource: StackResource,
  context: TemplateContext,
): TemplateResource | undefined {
  const { properties, own, name } = partsOf(resource, context);
  const target = own("Target");
  const fn = target && invokedBy(target, `${resource.name}.Target`, context);
  if (target === undefined || fn === undefined) return undefined;
  const entries = [
    ["groupName", own("GroupName")],
    ["scheduleExpression", own("ScheduleExpression")],
    ["scheduleExpressionTimezone", own("ScheduleExpressionTimezone")],
    ["startDate", own("StartDate")],
    ["endDate", own("EndDate")],
    ["flexibleTimeWindow", own("FlexibleTimeWindow")],
    ["state", stateOf(properties)],
    ["description", own("Description")],
    ["target", map([["arn", fn], ["roleArn", roleOf(target)], ...handing(target)], target.place)],
  ] as const;
  return eventDocument(
    { kind: "Schedule", name, field: resource.name, place: resource.key, entries },
    context,
  );
}

/** A role that the template makes is AWS's. */
function roleOf(target: TemplateValue): TemplateValue | undefined {
  const role = memberOf(target, "RoleArn");
  return textOf(role) === undefined ? undefined : role;
}

function partsOf(resource: StackResource, { stack }: TemplateContext) {
  const properties = resource.properties && stack.resolve(resource.properties);
  const own = (member: string) => memberOf(properties, member);
  return { properties, own, name: mappingName(textOf(own("Name")) ?? resource.name) };
}

/** The function's name here. What else may be invoked is AWS's: one remark. */
function invokedBy(
  target: TemplateValue,
  field: string,
  { findings }: TemplateContext,
): TemplateValue | undefined {
  const arn = memberOf(target, "Arn");
  const reference = parseFunctionName(textOf(arn) ?? "");
  if (reference === undefined) {
    findings.remark(
      target.place,
      field,
      "A target that is no function of this template or by its ARN is left out",
      "Leave it to AWS",
    );
    return undefined;
  }
  const { name, qualifier } = reference;
  return scalar(qualifier === undefined ? name : `${name}:${qualifier}`, target.place);
}
