import { parseFunctionName } from "./function-name.ts";
import type { ManifestDocument } from "./manifest-document.ts";
import { pathParts } from "./route-path.ts";
import { routeClaims, routeResource } from "./route-resource.ts";
import { routeSpec } from "./route-schema.ts";

/** Something that cannot be, at a field of a route's `spec`. */
export interface RouteFault {
  readonly field: string;
  readonly message: string;
  readonly remedy: string;
}

/** Shapes with stages. */
const OF_STAGES: readonly unknown[] = ["http1", "http2", "rest"];
const PATH_REMEDY = "Give a path such as /pets/{id} or /files/{proxy+}, or $default";

/** Rules between fields that the shape cannot say; they look at what is written. */
export function routeFaults(spec: Readonly<Record<string, unknown>>): readonly RouteFault[] {
  const {
    path,
    shape = "url",
    functionName,
    stage,
    stageVariables,
    invokeMode,
    binaryMediaTypes,
    methods,
  } = spec;
  const faults: RouteFault[] = [];
  const fault = (field: string, message: string, remedy: string) =>
    void faults.push({ field, message, remedy });
  if (typeof functionName === "string" && parseFunctionName(functionName) === undefined)
    fault(
      "functionName",
      "This is no name of a function",
      "Give metadata.name of a Function, NAME:ALIAS or an ARN",
    );
  if (typeof path === "string" && path !== "$default" && pathParts(path) === undefined)
    fault("path", "This is no pattern of paths", `${PATH_REMEDY}; {name+} stands last, and each name once`);
  if (path === undefined && shape !== "url")
    fault("shape", `A route of the shape ${String(shape)} has no path`, PATH_REMEDY);
  if (path === undefined && Array.isArray(methods) && methods.length > 0)
    fault(
      "methods",
      "A function URL takes all methods",
      `Leave methods out. ${PATH_REMEDY} where they matter`,
    );
  const isStaged = OF_STAGES.includes(shape);
  for (const [field, value] of Object.entries({ stage, stageVariables })) {
    if (value !== undefined && value !== "$default" && !isStaged)
      fault(
        field,
        `The shape ${String(shape)} has no stages`,
        "Leave it out, or give the shape http1, http2 or rest",
      );
  }
  if (invokeMode === "RESPONSE_STREAM" && shape !== "url")
    fault("invokeMode", `The shape ${String(shape)} does not stream`, "Give BUFFERED, or the shape url");
  if (Array.isArray(binaryMediaTypes) && binaryMediaTypes.length > 0 && shape !== "rest")
    fault(
      "binaryMediaTypes",
      `The shape ${String(shape)} knows no such types`,
      "Leave it out, or give the shape rest",
    );
  return faults;
}

export function checkRoute(document: ManifestDocument): void {
  const spec = document.raw("spec");
  if (typeof spec !== "object" || spec === null) return;
  for (const { field, message, remedy } of routeFaults({ ...spec }))
    document.report(["spec", field], message, remedy, Object.hasOwn(spec, field) ? "value" : "key");
}

/** No two may take the same requests. */
export function checkRoutesDistinct(documents: readonly ManifestDocument[]): void {
  const first = new Map<string, ManifestDocument>();
  for (const document of documents) {
    const spec = routeSpec.safeParse(document.raw("spec")).data;
    const route = spec && document.name !== undefined ? routeResource(document.name, spec) : undefined;
    if (route === undefined) continue;
    const claims = routeClaims(route);
    const other = claims.map((claim) => first.get(claim)).find((each) => each !== undefined);
    for (const claim of claims) if (!first.has(claim)) first.set(claim, document);
    if (other === undefined) continue;
    const field = route.path === undefined ? (route.host === undefined ? "functionName" : "host") : "path";
    const what =
      route.path === undefined ? "has this name, or is a URL of this function," : "takes the same requests";
    document.report(
      ["spec", field],
      `Another Route ${what} at ${other.position}`,
      "Change or remove one of them",
    );
  }
}
