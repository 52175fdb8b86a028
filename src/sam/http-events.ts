import { propertyOf, type TemplateContext, type TemplateResource } from "./context.ts";
import { eventDocument } from "./event-document.ts";
import { eventName, mappingName, qualified, type WrittenEvent } from "./event-names.ts";
import { callIn } from "./intrinsics.ts";
import { list, memberOf, scalar, type TemplateValue, textOf } from "./template-value.ts";

/** Where SAM puts a REST API that it makes of events. */
export const REST_STAGE = "Prod";

/** `FunctionUrlConfig`, or `AWS::Lambda::Url`. */
export function urlRoute(
  {
    name,
    field,
    functionName,
  }: { readonly name: string; readonly field: string; readonly functionName: string },
  config: TemplateValue,
  context: TemplateContext,
): TemplateResource | undefined {
  const entries = [
    ["functionName", scalar(functionName, config.place)],
    ["AuthType", memberOf(config, "AuthType")],
    ["InvokeMode", memberOf(config, "InvokeMode")],
    ["Cors", memberOf(config, "Cors")],
  ] as const;
  return eventDocument(
    { kind: "Route", name: mappingName(name), field, place: config.place, entries },
    context,
  );
}

/** Events of the types Api and HttpApi. */
export function apiRoute(written: WrittenEvent, context: TemplateContext): TemplateResource | undefined {
  const { target, field, type, place, value } = written;
  const isRest = type === "Api";
  const properties = memberOf(value, "Properties");
  const api = apiOf(memberOf(properties, isRest ? "RestApiId" : "ApiId"), context);
  const path = propertyOf(context, properties, "Path") ?? (isRest ? undefined : scalar("$default", place));
  const method = textOf(propertyOf(context, properties, "Method"))?.toUpperCase();
  const isAny = method === undefined || /^(?:ANY|\*|X-AMAZON-APIGATEWAY-ANY-METHOD)$/.test(method);
  const version = textOf(propertyOf(context, properties, "PayloadFormatVersion"));
  const stage = propertyOf(context, api, "StageName") ?? (isRest ? scalar(REST_STAGE, place) : undefined);
  const asked = asksFirst(properties, api);
  const isSigned = textOf(asked) === "AWS_IAM";
  if (asked !== undefined && !isSigned) {
    const message = "Authorizers of APIs are not asked: whoever reaches the route may call it";
    context.findings.remark(
      asked.place,
      field,
      message,
      "Have the function ask, or an address that is not open",
    );
  }
  const name = eventName(written);
  const entries = [
    ["functionName", scalar(qualified(target), place)],
    ["shape", scalar(isRest ? "rest" : version === "1.0" ? "http1" : "http2", place)],
    ["path", path],
    ["methods", isAny ? undefined : list([scalar(method, place)], place)],
    ["stage", stage],
    ["stageVariables", propertyOf(context, api, isRest ? "Variables" : "StageVariables")],
    ["authType", isSigned ? scalar("AWS_IAM", place) : undefined],
    ["binaryMediaTypes", isRest ? mediaTypes(propertyOf(context, api, "BinaryMediaTypes")) : undefined],
  ] as const;
  return eventDocument({ kind: "Route", name, field, place, entries }, context);
}

/** What AWS asks for before a call: by the event, or else by all of its API. Authorizers that nobody names are not. */
function asksFirst(
  properties: TemplateValue | undefined,
  api: TemplateValue | undefined,
): TemplateValue | undefined {
  const [own, shared] = [memberOf(properties, "Auth"), memberOf(api, "Auth")];
  const authorizer = memberOf(own, "Authorizer") ?? memberOf(shared, "DefaultAuthorizer");
  if (authorizer !== undefined && textOf(authorizer) !== "NONE") return authorizer;
  const others = ["ApiKeyRequired", "ResourcePolicy"].map(
    (member) => memberOf(own, member) ?? memberOf(shared, member),
  );
  return others.find((each) => each !== undefined);
}

/** Properties of the API that the event names, where it stands in the template. */
function apiOf(reference: TemplateValue | undefined, { stack }: TemplateContext): TemplateValue | undefined {
  const call = reference && callIn(reference);
  const name = call?.name === "Ref" ? textOf(call.argument) : undefined;
  return name === undefined ? undefined : stack.resource(name)?.properties;
}

/** SAM has `~1` where a type has its slash. */
function mediaTypes(types: TemplateValue | undefined): TemplateValue | undefined {
  if (types?.kind !== "list") return undefined;
  return list(
    types.items.map((item) => scalar((textOf(item) ?? "").replaceAll("~1", "/"), item.place)),
    types.place,
  );
}
