import { delimiter, join } from "node:path";
import type { GivenEnvironment } from "../lambda-environment.ts";
import { inheritedVariables } from "../lambda-environment.ts";
import type { LaunchOrder } from "./launcher.ts";

export interface RuntimeVariables extends GivenEnvironment {
  readonly functionName: string;
  /** `$LATEST` or a number. */
  readonly version: string;
  readonly handler: string | undefined;
  /** `AWS_Lambda_…`; absent for `provided`. */
  readonly executionName: string | undefined;
  readonly memoryMb: number;
  /** Calls of one environment at once. */
  readonly invocationsMax: number;
  readonly codeFolder: string;
  readonly layerFolders: readonly string[];
  readonly logGroupName: string;
  readonly logStreamName: string;
  /** Where Node keeps what it has compiled. */
  readonly compileCache: string | undefined;
}

type Variables = Readonly<Record<string, string>>;

/** The variables of a process (invocation §6): those of the machine, then the function's own, then reserved ones. */
export function variablesOf(
  description: RuntimeVariables,
  order: LaunchOrder,
  engine: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const inherited = inheritedVariables(description, engine);
  const home = description.credentials === "inherit" ? {} : { HOME: order.folder };
  return {
    LANG: "en_US.UTF-8",
    TZ: ":UTC",
    ...inherited,
    ...home,
    ...places(description, inherited),
    ...(description.compileCache === undefined ? {} : { NODE_COMPILE_CACHE: description.compileCache }),
    ...description.environment,
    ...folders(order.folder),
    ...reserved(description, order),
  };
}

/**
 * Where programs and packages are looked for: without a mount, paths into the code and the layers. Lambda lays one
 * layer over the other, so that of two files with one name the later layer's counts: it is looked into first.
 */
function places(description: RuntimeVariables, { PATH = "" }: Variables): Variables {
  const { codeFolder } = description;
  // plant: an-earlier-layer-covers-a-later
  const layerFolders = description.layerFolders.toReversed();
  const inLayers = (...parts: readonly string[]) => layerFolders.map((layer) => join(layer, ...parts));
  const joined = (paths: readonly string[]) => paths.filter((path) => path !== "").join(delimiter);
  return {
    PATH: joined([PATH, ...inLayers("bin")]),
    LD_LIBRARY_PATH: joined([codeFolder, join(codeFolder, "lib"), ...inLayers("lib")]),
    NODE_PATH: joined([...inLayers("nodejs", "node_modules"), codeFolder]),
    ...(layerFolders.length === 0 ? {} : { PYTHONPATH: joined([...inLayers("python"), ...layerFolders]) }),
    AWS_XRAY_CONTEXT_MISSING: "LOG_ERROR",
  };
}

/** The environment's own folder is what `/tmp` is on Lambda. */
function folders(folder: string): Variables {
  return { TMPDIR: folder, TMP: folder, TEMP: folder };
}

function reserved(description: RuntimeVariables, order: LaunchOrder): Variables {
  const { functionName, version, handler, executionName, memoryMb, codeFolder, invocationsMax } = description;
  return {
    _HANDLER: handler ?? "",
    AWS_LAMBDA_RUNTIME_API: order.apiAddress,
    AWS_LAMBDA_FUNCTION_NAME: functionName,
    AWS_LAMBDA_FUNCTION_VERSION: version,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMb),
    AWS_LAMBDA_LOG_GROUP_NAME: description.logGroupName,
    AWS_LAMBDA_LOG_STREAM_NAME: description.logStreamName,
    AWS_LAMBDA_INITIALIZATION_TYPE: order.isProvisioned ? "provisioned-concurrency" : "on-demand",
    LAMBDA_TASK_ROOT: codeFolder,
    LAMBDA_RUNTIME_DIR: codeFolder,
    ...(invocationsMax === 1 ? {} : { AWS_LAMBDA_MAX_CONCURRENCY: String(invocationsMax) }),
    ...(executionName === undefined ? {} : { AWS_EXECUTION_ENV: executionName }),
  };
}
