import { formOf, gapIn, propertyOf, type TemplateContext, type TemplateResource } from "./context.ts";
import { publishedFields } from "./deployment-preference.ts";
import { functionCode, functionLayers, type LeftOut } from "./function-code.ts";
import { functionEnvironment } from "./function-environment.ts";
import { tellNotBuilt, tellProperties } from "./function-properties.ts";
import { causeText } from "./remarks.ts";
import type { StackResource } from "./stack-resources.ts";
import { map, memberOf, scalar, type TemplateValue, textOf } from "./template-value.ts";
import { typedValue } from "./typed-value.ts";

/** Properties that are fields of a function under another name. */
const RENAMED: Readonly<Record<string, string>> = {
  MemorySize: "memoryMb",
  Timeout: "timeoutSeconds",
  ReservedConcurrentExecutions: "reservedConcurrency",
  RecursiveLoop: "recursiveLoop",
};

/** A function of a template as a manifest's document; left out, with the reason told, if it cannot run here. */
export function functionResource(
  resource: StackResource,
  properties: TemplateValue | undefined,
  context: TemplateContext,
): TemplateResource | undefined {
  const code = functionCode(properties, context);
  if (code.kind === "left out") return tellLeftOut(resource, code, context);
  const { environment, inheritEnvironment } = functionEnvironment(resource, properties, context);
  const entries: [string, TemplateValue | undefined][] = [
    ["runtime", code.runtime],
    ["handler", code.handler],
    ["code", code.code],
    ["layers", functionLayers(resource, properties, context)],
    ["environment", environment],
    ["inheritEnvironment", inheritEnvironment],
    ...Object.entries(RENAMED).map(([property, field]): [string, TemplateValue | undefined] => [
      field,
      fieldOfFunction(property, field, resource, properties, context),
    ]),
    [
      "ephemeralStorageMb",
      fieldOfFunction(
        "Size",
        "ephemeralStorageMb",
        resource,
        propertyOf(context, properties, "EphemeralStorage"),
        context,
      ),
    ],
    ["deadLetterConfig", deadLetters(resource, properties, context)],
    ...invocations(resource, properties, context),
  ];
  tellProperties(resource.name, properties, context);
  const place = properties?.place ?? resource.place;
  return {
    kind: "Function",
    name: context.stack.functionName(resource),
    spec: map(entries, place),
    place: resource.key,
  };
}

/** The alias that SAM moves to each new version: here it stands for what the template says now. */
export function aliasOf(properties: TemplateValue | undefined, context: TemplateContext): string | undefined {
  return textOf(propertyOf(context, properties, "AutoPublishAlias"));
}

function fieldOfFunction(
  property: string,
  field: string,
  { name }: StackResource,
  properties: TemplateValue | undefined,
  context: TemplateContext,
): TemplateValue | undefined {
  const value = propertyOf(context, properties, property);
  const schema = formOf(context, field);
  if (value === undefined) return undefined;
  const gap = gapIn(value);
  const cause = gap && causeText(gap.cause);
  if (gap !== undefined) {
    if (cause !== undefined)
      context.findings.remark(
        gap.place,
        `${name}.${property}`,
        `${field} is left out: ${cause.message}`,
        cause.remedy,
      );
    return undefined;
  }
  if (schema !== undefined) return typedValue(value, schema);
  tellNotBuilt(value, `${name}.${property}`, context);
  return undefined;
}

/** The alias and how asynchronous calls are tried again, which are of the alias where there is one. */
function invocations(
  { name }: StackResource,
  properties: TemplateValue | undefined,
  context: TemplateContext,
): [string, TemplateValue | undefined][] {
  const invoke = eventInvokeConfig(name, propertyOf(context, properties, "EventInvokeConfig"), context);
  const alias = aliasOf(properties, context);
  const provisioned = propertyOf(context, properties, "ProvisionedConcurrencyConfig");
  if (provisioned !== undefined) {
    const message =
      "Environments that are kept ready are of published versions, and a template publishes none here";
    context.findings.remark(
      provisioned.place,
      `${name}.ProvisionedConcurrencyConfig`,
      message,
      "Ask for them by PutProvisionedConcurrencyConfig",
    );
  }
  const published = publishedFields(name, properties, alias, context);
  if (alias === undefined) return [["eventInvokeConfig", invoke]];
  const place = memberOf(properties, "AutoPublishAlias")?.place ?? { line: 1, column: 1 };
  const own = map(
    [...(published ?? [["version", scalar("$LATEST", place)] as const]), ["eventInvokeConfig", invoke]],
    place,
  );
  return [["aliases", map([[alias, own]], place)]];
}

/** How asynchronous calls are tried again, as a property or a resource of its own says it. */
export function eventInvokeConfig(
  name: string,
  config: TemplateValue | undefined,
  context: TemplateContext,
): TemplateValue | undefined {
  if (config === undefined) return undefined;
  const schema = formOf(context, "eventInvokeConfig");
  const field = `${name}.EventInvokeConfig`;
  if (schema === undefined) {
    tellNotBuilt(config, field, context);
    return undefined;
  }
  const routes = memberOf(config, "DestinationConfig");
  const kept = ["OnSuccess", "OnFailure"].map(
    (route) => [route, destination(memberOf(routes, route), route, field, context)] as const,
  );
  const destinations = map(kept, routes?.place ?? config.place);
  const entries: [string, TemplateValue | undefined][] = [
    ["maximumRetryAttempts", memberOf(config, "MaximumRetryAttempts")],
    ["maximumEventAgeSeconds", memberOf(config, "MaximumEventAgeInSeconds")],
    ["DestinationConfig", destinations.entries.size === 0 ? undefined : destinations],
  ];
  const known = entries.filter(([, value]) => gapIn(value) === undefined);
  const whole = map(known, config.place);
  return whole.entries.size === 0 ? undefined : typedValue(whole, schema);
}

function destination(
  route: TemplateValue | undefined,
  name: string,
  field: string,
  { findings }: TemplateContext,
): TemplateValue | undefined {
  if (route === undefined) return undefined;
  const address = memberOf(route, "Destination");
  const gap = gapIn(address);
  if (address !== undefined && gap === undefined) return map([["Destination", address]], route.place);
  const cause = gap && causeText(gap.cause);
  const why = cause?.message ?? "SAM would make the destination";
  findings.remark(
    route.place,
    `${field}.${name}`,
    `No destination is declared: ${why}`,
    cause?.remedy ?? "Give its Destination, an ARN",
  );
  return undefined;
}

function deadLetters(
  { name }: StackResource,
  properties: TemplateValue | undefined,
  context: TemplateContext,
): TemplateValue | undefined {
  const config =
    propertyOf(context, properties, "DeadLetterQueue") ?? propertyOf(context, properties, "DeadLetterConfig");
  const target = memberOf(config, "TargetArn");
  if (config === undefined) return undefined;
  if (formOf(context, "deadLetterConfig") === undefined) {
    tellNotBuilt(config, `${name}.DeadLetterQueue`, context);
    return undefined;
  }
  const gap = gapIn(target);
  const cause = gap && causeText(gap.cause);
  if (target !== undefined && gap === undefined) return map([["targetArn", target]], config.place);
  if (cause !== undefined)
    context.findings.remark(
      config.place,
      `${name}.DeadLetterQueue`,
      `It is left out: ${cause.message}`,
      cause.remedy,
    );
  return undefined;
}

function tellLeftOut(
  { name, key, properties }: StackResource,
  { at, message, remedy }: LeftOut,
  { findings }: TemplateContext,
): undefined {
  const events = memberOf(properties, "Events") === undefined ? "" : ", with its events";
  findings.remark(at?.place ?? key, name, `The function is left out${events}: ${message}`, remedy);
}
