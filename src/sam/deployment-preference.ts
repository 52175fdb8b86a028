import { parseFunctionName } from "../manifests/function-name.ts";
import { planOf } from "../model/rollout.ts";
import { gapIn, propertyOf, type TemplateContext } from "./context.ts";
import { causeText } from "./remarks.ts";
import { map, memberOf, scalar, type TemplateValue, textOf } from "./template-value.ts";

/** The configurations of CodeDeploy that a template makes, which are read where a function names them. */
export const DEPLOYMENT_CONFIG = "AWS::CodeDeploy::DeploymentConfig";

const HOOKS = [
  ["PreTraffic", "before"],
  ["PostTraffic", "after"],
] as const;

/**
 * `DeploymentPreference` as fields of the alias that is published; `undefined`: it is not there, or off, and the alias
 * stands for what the template says now.
 */
export function publishedFields(
  name: string,
  properties: TemplateValue | undefined,
  alias: string | undefined,
  context: TemplateContext,
): readonly (readonly [string, TemplateValue | undefined])[] | undefined {
  const preference = propertyOf(context, properties, "DeploymentPreference");
  const isOff = textOf(memberOf(preference, "Enabled"))?.toLowerCase() === "false";
  if (preference === undefined || isOff) return undefined;
  const field = `${name}.DeploymentPreference`;
  const { place } = preference;
  if (alias === undefined) {
    const message = "Nothing is rolled out: the function has no alias that is published";
    context.findings.remark(place, field, message, "Give AutoPublishAlias, such as live");
    return undefined;
  }
  tellUnheard(preference, field, context);
  const type = planType(preference, field, context);
  const hooks = hooksOf(preference, field, context);
  const isAtOnce = type === undefined || /^(?:CodeDeployDefault\.Lambda)?AllAtOnce$/.test(textOf(type) ?? "");
  const rollout = map(
    [
      ["type", type ?? scalar("AllAtOnce", place)],
      ["hooks", hooks],
    ],
    place,
  );
  const publish = ["publish", scalar(true, place)] as const;
  return isAtOnce && hooks === undefined ? [publish] : [publish, ["rollout", rollout]];
}

/** A ready configuration by its name, or one that the template makes. */
function planType(
  preference: TemplateValue,
  field: string,
  context: TemplateContext,
): TemplateValue | undefined {
  const type = memberOf(preference, "Type");
  const gap = gapIn(type)?.cause;
  const ownName = gap?.kind === "made" && gap.type === DEPLOYMENT_CONFIG ? gap.name : undefined;
  const own = ownName === undefined ? undefined : planOfOwn(ownName, context);
  if (own !== undefined || type === undefined) return own;
  const text = textOf(type);
  if (text !== undefined && planOf(text) !== undefined) return type;
  const cause = causeText(gap ?? { kind: "reported" })?.message;
  const none = cause ?? `there is no ready configuration ${(text ?? "of this form").slice(0, 80)}`;
  const why = ownName === undefined ? none : `${ownName} has no TrafficRoutingConfig that is known`;
  context.findings.remark(
    type.place,
    field,
    `All traffic goes over at once: ${why}`,
    "Give Canary10Percent5Minutes, Linear10PercentEvery1Minute or another of their form",
  );
  return undefined;
}

const PLANS = [
  ["TimeBasedCanary", "canary", "Canary"],
  ["TimeBasedLinear", "linear", "Linear"],
] as const;

function planOfOwn(name: string, context: TemplateContext): TemplateValue | undefined {
  const routing = propertyOf(context, context.stack.resource(name)?.properties, "TrafficRoutingConfig");
  if (routing === undefined) return undefined;
  for (const [member, kind, prefix] of PLANS) {
    const plan = memberOf(routing, member);
    const percent = textOf(memberOf(plan, `${prefix}Percentage`));
    const minutes = textOf(memberOf(plan, `${prefix}Interval`));
    if (plan === undefined || percent === undefined || minutes === undefined) continue;
    return map(
      [
        ["kind", scalar(kind, plan.place)],
        ["percent", scalar(Number(percent), plan.place)],
        ["minutes", scalar(Number(minutes), plan.place)],
      ],
      plan.place,
    );
  }
  return textOf(memberOf(routing, "Type")) === "AllAtOnce" ? scalar("AllAtOnce", routing.place) : undefined;
}

function hooksOf(
  preference: TemplateValue,
  field: string,
  { findings }: TemplateContext,
): TemplateValue | undefined {
  const hooks = HOOKS.flatMap(([member, when]): [string, TemplateValue][] => {
    const value = memberOf(preference, "Hooks", member);
    if (value === undefined) return [];
    const reference = parseFunctionName(textOf(value) ?? "");
    if (reference !== undefined) {
      const { name, qualifier } = reference;
      return [[when, scalar(qualifier === undefined ? name : `${name}:${qualifier}`, value.place)]];
    }
    const cause = causeText(gapIn(value)?.cause ?? { kind: "reported" });
    const why = cause?.message ?? "it names no function";
    findings.remark(value.place, `${field}.${member}`, `The hook is left out: ${why}`, "Name a function");
    return [];
  });
  return hooks.length === 0 ? undefined : map(hooks, preference.place);
}

function tellUnheard(preference: TemplateValue, field: string, { findings }: TemplateContext): void {
  const alarms = memberOf(preference, "Alarms");
  if (alarms?.kind === "list" && alarms.items.length > 0) {
    const message =
      "Alarms of CloudWatch are not asked: a version goes back when more than 1 % of its calls fail";
    findings.remark(alarms.place, `${field}.Alarms`, message, "Declare other alarms in a manifest");
  }
  const triggers = memberOf(preference, "TriggerConfigurations");
  if (triggers !== undefined) {
    const message = "Nobody is notified of a rollout";
    findings.remark(triggers.place, field, message, "Watch the log, or the page of rollouts");
  }
}
