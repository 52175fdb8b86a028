import { createHash } from "node:crypto";
import { parseFunctionName } from "./function-name.ts";
import { pathParts } from "./route-path.ts";
import type { ROUTE_SHAPES, RouteSpec } from "./route-schema.ts";

export type RouteShape = (typeof ROUTE_SHAPES)[number];
export type RouteCors = NonNullable<RouteSpec["cors"]>;

/** A way from an HTTP request to a function, validated, with defaults filled in. */
export interface RouteResource extends Pick<RouteSpec, "authType" | "invokeMode" | "shape" | "stage"> {
  readonly name: string;
  /** Its label in the name of a function URL. */
  readonly id: string;
  /** As load balancers end the ARNs of their target groups. */
  readonly groupId: string;
  readonly functionName: string;
  readonly qualifier: string | undefined;
  /** `undefined`: that of a function URL, or every name. */
  readonly host: string | undefined;
  /** Pattern behind the stage; `undefined`: a function URL, which has a name of its own. */
  readonly path: string | undefined;
  /** None: all. */
  readonly methods: readonly string[];
  readonly stageVariables: Readonly<Record<string, string>>;
  readonly cors: RouteCors | undefined;
  readonly binaryMediaTypes: readonly string[];
}

/** `undefined`: a `spec` that has not passed all checks. */
export function routeResource(name: string, spec: RouteSpec): RouteResource | undefined {
  const reference = parseFunctionName(spec.functionName);
  if (reference === undefined) return undefined;
  const { functionName: _functionName, host, path, cors, ...fields } = spec;
  return {
    ...fields,
    name,
    id: name.toLowerCase().replaceAll("_", "-"),
    groupId: createHash("sha256").update(name).digest("hex").slice(0, 16),
    functionName: reference.name,
    qualifier: reference.qualifier,
    host,
    path,
    cors,
  };
}

/**
 * What no two routes may have: a name of a function URL, or a pattern of paths with a method. A function URL is the
 * only one of its function, or of the alias.
 */
export function routeClaims(route: RouteResource): readonly string[] {
  const { path, host, id, functionName, qualifier, stage, methods } = route;
  if (path === undefined) return [`url:${host ?? id}`, `urlof:${functionName}:${qualifier ?? ""}`];
  const pattern = `${host ?? ""}${stage === "$default" ? "" : `/${stage}`}${canonicalPath(path)}`;
  // A route of all methods and one of a single method stand side by side: the closer one counts.
  return methods.length === 0 ? [`path:${pattern}`] : methods.map((method) => `path:${pattern} ${method}`);
}

/** The same for patterns that take the same paths, whatever their parameters are called. */
function canonicalPath(path: string): string {
  if (path === "$default") return path;
  const parts = pathParts(path) ?? [];
  return parts
    .map((part) => `/${part.kind === "text" ? part.text : part.kind === "one" ? "{}" : "{+}"}`)
    .join("");
}
