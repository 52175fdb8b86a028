import { parseFunctionName } from "../manifests/function-name.ts";
import { formOf, gapIn, propertyOf, type TemplateContext, type TemplateResource } from "./context.ts";
import { mappingName } from "./event-names.ts";
import { eventInvokeConfig } from "./function-resource.ts";
import { urlRoute } from "./http-events.ts";
import { mappingSpec } from "./mapping-spec.ts";
import { causeText } from "./remarks.ts";
import type { StackResource } from "./stack-resources.ts";
import {
  list,
  type MapEntry,
  type MapValue,
  map,
  memberOf,
  scalar,
  type TemplateValue,
  textOf,
} from "./template-value.ts";
import { plainRule, plainSchedule } from "./time-resources.ts";

/** A resource of CloudFormation that says something of a function which stands elsewhere. */
export interface Addition {
  readonly functionName: string;
  /** Fields of the function's `spec`; maps are joined with what is there. */
  readonly fields: readonly (readonly [string, TemplateValue])[];
}

/** Plain resources of CloudFormation beside functions. `undefined`: this is none of them. */
export function lambdaResource(
  resource: StackResource,
  context: TemplateContext,
): TemplateResource | Addition | "told" | undefined {
  switch (resource.type) {
    case "AWS::Lambda::EventSourceMapping":
      return mappingResource(resource, context) ?? "told";
    case "AWS::Lambda::Alias":
      return aliasAddition(resource, context) ?? "told";
    case "AWS::Lambda::Url":
      return urlResource(resource, context) ?? "told";
    case "AWS::Lambda::EventInvokeConfig":
      return invokeAddition(resource, context) ?? "told";
    case "AWS::Events::Rule":
      return plainRule(resource, context) ?? "told";
    case "AWS::Scheduler::Schedule":
      return plainSchedule(resource, context) ?? "told";
    default:
      return undefined;
  }
}

export function isAddition(value: TemplateResource | Addition): value is Addition {
  return "fields" in value;
}

function urlResource(resource: StackResource, context: TemplateContext): TemplateResource | undefined {
  const fn = functionOf(resource, context, "TargetFunctionArn");
  if (fn === undefined || resource.properties === undefined) return undefined;
  const qualifier = textOf(propertyOf(context, resource.properties, "Qualifier")) ?? fn.qualifier;
  const functionName = qualifier === undefined ? fn.name : `${fn.name}:${qualifier}`;
  const name = textOf(memberOf(resource.metadata, "Millrace", "Name")) ?? resource.name;
  return urlRoute({ name, field: name, functionName }, context.stack.resolve(resource.properties), context);
}

/** The function's name here, of a name or an ARN. */
function functionOf(
  { name, properties }: StackResource,
  context: TemplateContext,
  property = "FunctionName",
):
  | { readonly name: string; readonly qualifier: string | undefined; readonly value: TemplateValue }
  | undefined {
  const value = propertyOf(context, properties, property);
  const reference = parseFunctionName(textOf(value) ?? "");
  if (value !== undefined && reference !== undefined)
    return { name: reference.name, qualifier: reference.qualifier, value };
  const gap = gapIn(value);
  const cause = gap && causeText(gap.cause);
  if (cause !== undefined && gap !== undefined)
    context.findings.remark(gap.place, name, `It is left out: ${cause.message}`, cause.remedy);
  else if (gap === undefined)
    context.findings.fault(
      value?.place ?? { line: 1, column: 1 },
      `${name} names no function`,
      `Give ${property}`,
    );
  return undefined;
}

function mappingResource(resource: StackResource, context: TemplateContext): TemplateResource | undefined {
  const fn = functionOf(resource, context);
  if (fn === undefined) return undefined;
  const text = fn.qualifier === undefined ? fn.name : `${fn.name}:${fn.qualifier}`;
  const { stack } = context;
  const properties = resource.properties && stack.resolve(resource.properties);
  const own = memberOf(resource.metadata, "Millrace");
  const at = {
    name: textOf(memberOf(own, "Name")) ?? mappingName(resource.name),
    uuid: memberOf(own, "Uuid"),
    field: resource.name,
    functionName: scalar(text, fn.value.place),
  };
  const spec = mappingSpec(properties, { moved: {} }, at, context);
  return spec && { kind: "EventSourceMapping", name: at.name, spec, place: resource.key };
}

/** Versions of a template are what is published next: here an alias stands for what the template says now. */
function aliasAddition(resource: StackResource, context: TemplateContext): Addition | undefined {
  const fn = functionOf(resource, context);
  const name = textOf(propertyOf(context, resource.properties, "Name"));
  if (fn === undefined || name === undefined) return undefined;
  const place = resource.key;
  const routing = propertyOf(context, resource.properties, "RoutingConfig");
  if (routing !== undefined) {
    const message = "Weights between versions are left out: a template publishes no versions here";
    context.findings.remark(
      routing.place,
      `${resource.name}.RoutingConfig`,
      message,
      "Publish versions by the API",
    );
  }
  const alias = map([["version", scalar("$LATEST", place)]], place);
  return { functionName: fn.name, fields: [["aliases", map([[name, alias]], place)]] };
}

function invokeAddition(resource: StackResource, context: TemplateContext): Addition | undefined {
  const fn = functionOf(resource, context);
  const qualifier = textOf(propertyOf(context, resource.properties, "Qualifier")) ?? "$LATEST";
  const properties = resource.properties && context.stack.resolve(resource.properties);
  const config = eventInvokeConfig(resource.name, properties, context);
  if (fn === undefined || config === undefined || formOf(context, "eventInvokeConfig") === undefined)
    return undefined;
  if (qualifier === "$LATEST") return { functionName: fn.name, fields: [["eventInvokeConfig", config]] };
  const { place } = config;
  const alias = map(
    [
      ["version", scalar("$LATEST", place)],
      ["eventInvokeConfig", config],
    ],
    place,
  );
  return { functionName: fn.name, fields: [["aliases", map([[qualifier, alias]], place)]] };
}

/** A function with what other resources say of it. */
export function withAdditions(resource: TemplateResource, additions: readonly Addition[]): TemplateResource {
  const own = additions.filter(({ functionName }) => functionName === resource.name);
  const spec = own
    .flatMap(({ fields }) => fields)
    .reduce<TemplateValue>(
      (before, [name, value]) => joined(before, map([[name, value]], value.place)),
      resource.spec,
    );
  return spec.kind === "map" ? { ...resource, spec: withoutNumbers(spec) } : resource;
}

/** What else is said of an alias that is published gives it no version. */
function withoutNumbers(spec: MapValue): MapValue {
  const aliases = memberOf(spec, "aliases");
  if (aliases?.kind !== "map") return spec;
  const entries = [...aliases.entries].map(([name, entry]): [string, MapEntry] => {
    if (entry.value.kind !== "map" || memberOf(entry.value, "publish") === undefined) return [name, entry];
    const rest = [...entry.value.entries].filter(([field]) => field !== "version");
    return [name, { ...entry, value: { ...entry.value, entries: new Map(rest) } }];
  });
  const before = spec.entries.get("aliases");
  if (before === undefined) return spec;
  const whole = { ...before, value: { ...aliases, entries: new Map(entries) } };
  return { ...spec, entries: new Map([...spec.entries, ["aliases", whole]]) };
}

function joined(before: TemplateValue, added: TemplateValue): TemplateValue {
  if (before.kind === "list" && added.kind === "list")
    return list([...before.items, ...added.items], before.place);
  if (before.kind !== "map" || added.kind !== "map") return added;
  const entries = new Map(before.entries);
  for (const [name, entry] of added.entries) {
    const own = entries.get(name);
    entries.set(name, own === undefined ? entry : { key: own.key, value: joined(own.value, entry.value) });
  }
  return { kind: "map", entries, place: before.place };
}
