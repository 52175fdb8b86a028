import { REST_STAGE } from "./http-events.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Takes a resource that is an API; answers with what names it. */
export type ApiOf = (type: "AWS::Serverless::Api" | "AWS::Serverless::HttpApi", properties: Fields) => object;

/** What an event of a function says of a route. */
const SAID: readonly string[] = [
  ...["functionName", "shape", "path", "methods", "stage", "stageVariables", "authType", "binaryMediaTypes"],
];
const HTTP_SHAPES: readonly unknown[] = ["http1", "http2"];
const STAGE_DEFAULT = "$default";

/** Why SAM has no event that says this route; `undefined`: it has. For people. */
export function whyNoEvent(spec: Fields): string | undefined {
  const { shape, path, methods, stage = STAGE_DEFAULT } = spec;
  const unsaid = Object.keys(spec).filter((field) => !SAID.includes(field));
  if (unsaid.length > 0) return `SAM cannot say its ${unsaid.join(", ")} with an event of a function`;
  const isRest = shape === "rest";
  if (!isRest && !HTTP_SHAPES.includes(shape))
    return `SAM has no event of the shape ${String(shape ?? "url")}`;
  if (Array.isArray(methods) && methods.length > 1) return "SAM has one method, or all, for an event";
  if (isRest && stage === STAGE_DEFAULT) return "SAM has no REST API without the name of its stage";
  const isCatchAll = path === "$default";
  if (isCatchAll && (isRest || hasMethods(spec)))
    return "SAM has what no other route takes for all methods of an HTTP API alone";
  return undefined;
}

/** A route with a path as an event of the type Api or HttpApi. */
export function routeEvent(spec: Fields, apiOf: ApiOf): Fields {
  const { shape, path, methods, authType } = spec;
  const isRest = shape === "rest";
  const [method] = Array.isArray(methods) ? methods : [];
  const properties = {
    ...(path === "$default" ? {} : { Path: path, Method: method ?? "ANY" }),
    ...(shape === "http1" ? { PayloadFormatVersion: "1.0" } : {}),
    ...(authType === "AWS_IAM" ? { Auth: { Authorizer: "AWS_IAM" } } : {}),
    ...(isRest ? restApi(spec, apiOf) : httpApi(spec, apiOf)),
  };
  return { Type: isRest ? "Api" : "HttpApi", Properties: properties };
}

function restApi({ stage, stageVariables, binaryMediaTypes }: Fields, apiOf: ApiOf): Fields {
  const types = Array.isArray(binaryMediaTypes) ? binaryMediaTypes.map(String) : [];
  if (stage === REST_STAGE && stageVariables === undefined && types.length === 0) return {};
  const properties = {
    StageName: stage,
    ...(stageVariables === undefined ? {} : { Variables: stageVariables }),
    ...(types.length === 0 ? {} : { BinaryMediaTypes: types.map((type) => type.replaceAll("/", "~1")) }),
  };
  return { RestApiId: apiOf("AWS::Serverless::Api", properties) };
}

function httpApi({ stage, stageVariables }: Fields, apiOf: ApiOf): Fields {
  if (stage === undefined && stageVariables === undefined) return {};
  const properties = {
    ...(stage === undefined ? {} : { StageName: stage }),
    ...(stageVariables === undefined ? {} : { StageVariables: stageVariables }),
  };
  return { ApiId: apiOf("AWS::Serverless::HttpApi", properties) };
}

function hasMethods({ methods }: Fields): boolean {
  return Array.isArray(methods) && methods.length > 0;
}
