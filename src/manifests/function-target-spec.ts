import { resolve } from "node:path";
import type { CodePlace } from "../model/code-place.ts";
import { parseFunctionName } from "./function-name.ts";
import { MEMORY_MB_DEFAULT } from "./function-schema.ts";
import type { FunctionManifest } from "./schema.ts";

export type FunctionTargetSpec =
  | {
      readonly kind: "http";
      readonly url: string;
      /** Each address of the name takes so many calls at once. */
      readonly endpoints?: HttpEndpointsSpec;
    }
  /** The operator brings its kind. */
  | { readonly kind: "custom"; readonly by: string; readonly settings: Readonly<Record<string, unknown>> }
  | {
      readonly kind: "lambda";
      readonly functionName: string;
      readonly region: string | undefined;
      readonly endpoint: string | undefined;
    }
  | (GivenToFunction & {
      readonly kind: "module";
      readonly path: string;
      readonly exportName: string;
      /** Absent: processes, separated as the host does it. `thread`: threads of this process. */
      readonly isolation?: ModuleIsolation;
    })
  /** Processes of this machine that speak Lambda's Runtime API. `runtime` or `command` is there. */
  | (GivenToFunction & {
      readonly kind: "runtime";
      readonly runtime: string | undefined;
      readonly handler: string | undefined;
      readonly code: CodePlace;
      readonly layers: readonly CodePlace[];
      readonly command: readonly string[] | undefined;
      readonly scaling: FunctionScaling;
      /** Absent: the host's defaults. Rows say no more than what is declared: older processes read them, too. */
      readonly isolation: "auto" | "group" | "cgroup" | "wrapper" | undefined;
      readonly ephemeralStorageMb: number | undefined;
    });

export type ModuleIsolation = "thread" | "auto" | "group" | "cgroup" | "wrapper";

export interface FunctionScaling {
  /** Environments of one process; without a maximum as many as its calls need. */
  readonly environmentsMin: number;
  readonly environmentsMax: number | undefined;
  /** Calls of one environment at once. */
  readonly invocationsPerEnvironment: number;
}

/** What a function gets that runs here. */
interface GivenToFunction {
  readonly environment: Readonly<Record<string, string>>;
  readonly inheritEnvironment: readonly string[];
  /** `inherit`, `none` or `env:PREFIX`. */
  readonly credentials: string;
  readonly memoryMb: number;
}

export interface HttpEndpointsSpec {
  /** Without it the URL's host. */
  readonly dns?: string;
  readonly perEndpoint: number;
}

type SpecWithTarget = NonNullable<FunctionManifest["spec"]["versions"]>[string];

/** The target of a function or of a version; `undefined` only when it has none. Relative paths start from `folder`. */
export function targetSpec(spec: SpecWithTarget, folder: string): FunctionTargetSpec | undefined {
  const { http, lambda, module, custom, code } = spec;
  if (http !== undefined) return httpTarget(http);
  if (lambda !== undefined) return lambdaTarget(lambda);
  if (custom !== undefined) return { kind: "custom", by: custom.kind, settings: custom.settings };
  if (code !== undefined) return runtimeTarget(spec, code, folder);
  if (module === undefined) return undefined;
  return {
    kind: "module",
    path: resolve(folder, module.path),
    exportName: module.export,
    environment: module.environment ?? {},
    inheritEnvironment: module.inheritEnvironment,
    credentials: module.credentials,
    memoryMb: module.memoryMb,
    ...(module.isolation === undefined ? {} : { isolation: module.isolation }),
  };
}

function httpTarget({ url, endpoints }: NonNullable<SpecWithTarget["http"]>): FunctionTargetSpec {
  if (endpoints === undefined) return { kind: "http", url };
  const { dns, perEndpoint } = endpoints;
  return { kind: "http", url, endpoints: { perEndpoint, ...(dns === undefined ? {} : { dns }) } };
}

function runtimeTarget(
  spec: SpecWithTarget,
  code: NonNullable<SpecWithTarget["code"]>,
  folder: string,
): FunctionTargetSpec {
  const { runtime, handler, layers = [], command, environment = {} } = spec;
  return {
    kind: "runtime",
    runtime,
    handler,
    code: codePlace(code, folder),
    layers: layers.map((layer) => codePlace(layer, folder)),
    command,
    scaling: scalingOf(spec),
    isolation: spec.isolation,
    ephemeralStorageMb: spec.ephemeralStorageMb,
    environment,
    inheritEnvironment: spec.inheritEnvironment ?? [],
    credentials: spec.credentials ?? "none",
    memoryMb: spec.memoryMb ?? MEMORY_MB_DEFAULT,
  };
}

function scalingOf({ scaling }: SpecWithTarget): FunctionScaling {
  return {
    environmentsMin: scaling?.environments?.min ?? 0,
    environmentsMax: scaling?.environments?.max,
    invocationsPerEnvironment: scaling?.invocationsPerEnvironment ?? 1,
  };
}

function codePlace(place: string | CodePlace, folder: string): CodePlace {
  if (typeof place === "string") return { path: resolve(folder, place) };
  return "path" in place ? { path: resolve(folder, place.path) } : place;
}

function lambdaTarget(lambda: NonNullable<SpecWithTarget["lambda"]>): FunctionTargetSpec {
  const { functionName, endpoint } = lambda;
  // The fourth part of arn:aws:lambda:REGION:…
  const arnRegion = parseFunctionName(functionName)?.arnPrefix?.split(":")[3];
  return { kind: "lambda", functionName, region: lambda.region ?? arnRegion, endpoint };
}
