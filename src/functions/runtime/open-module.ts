import { basename, dirname, extname, resolve } from "node:path";
import { MillraceError } from "../../model/errors.ts";
import type { ErrorDetails } from "../../model/function-error.ts";
import type { Separation } from "../../ports/environment-watch.ts";
import type { FunctionTarget } from "../../ports/function-target.ts";
import { describeFailure } from "../function-failure.ts";
import {
  checkModuleFunction,
  createModuleFunction,
  type ModuleCallWatch,
  type ModuleFunctionOptions,
} from "../module.ts";
import { SYSTEM_CLOCK } from "../system-clock.ts";
import { endLine, reportLine, startLine } from "./report-lines.ts";
import { openCheckedFunction, type RuntimeFunctionOptions } from "./runtime-function.ts";

export interface ModuleProcessOptions
  extends Pick<
    RuntimeFunctionOptions,
    | "functionName"
    | "version"
    | "region"
    | "concurrency"
    | "environment"
    | "inheritEnvironment"
    | "credentials"
    | "memoryMb"
    | "isolation"
    | "log"
    | "watch"
    | "clock"
  > {
  readonly path: string;
  readonly exportName: string;
  readonly errorDetails?: ErrorDetails;
  readonly onImport?: ModuleFunctionOptions["onImport"];
}

/**
 * A module that exports a handler: in processes of its own, unless it says that threads of this process may do.
 * @throws MillraceError `ERR_MILLRACE_FUNCTION` when it cannot be loaded or does not export the handler
 */
export async function openModule({
  isolation,
  ...options
}: Omit<ModuleProcessOptions, "isolation"> & {
  readonly isolation?: ModuleProcessOptions["isolation"] | "thread";
}): Promise<FunctionTarget> {
  if (isolation !== "thread") return await openModuleProcess({ ...options, isolation });
  const { functionName: fn, version = "$LATEST", log } = options;
  const onLog: ModuleFunctionOptions["onLog"] = (text, stream, requestId) =>
    log.line({ fn, version, requestId, stream, text });
  const inThread = { ...options, onLog, clock: options.clock ?? SYSTEM_CLOCK };
  await checkModuleFunction(inThread);
  options.watch?.opened(THREAD);
  return createModuleFunction({
    ...inThread,
    calls: reporting(options),
    onClosed: () => options.watch?.closed(THREAD),
  });
}

/** A thread's folder is the machine's, as Millrace's own is. */
const THREAD: Separation = { isolation: "thread", storage: "unbounded" };

/** Writes around each call what Lambda does. What a thread holds of memory nobody can tell. */
function reporting({
  functionName: fn,
  version = "$LATEST",
  log,
  memoryMb,
}: Pick<ModuleProcessOptions, "functionName" | "version" | "log" | "memoryMb">): ModuleCallWatch {
  const write = (requestId: string, text: string) =>
    log.line({ fn, version, requestId, stream: "platform", text });
  return {
    began: (requestId) => write(requestId, startLine(requestId, version)),
    ended(requestId, outcome, durationMs) {
      const isRun = ["succeeded", "functionError", "timedOut"].includes(outcome.kind);
      if (!isRun) return;
      const figures = { durationMs, isRun, initMs: undefined, maxMemoryMb: undefined };
      write(requestId, endLine(requestId));
      write(requestId, reportLine(outcome, { ...figures, requestId, version, memoryMb }));
    },
  };
}

/**
 * A module that exports a handler, in processes of its own: what ends one of them costs one environment.
 * @throws MillraceError `ERR_MILLRACE_FUNCTION` when it cannot be loaded or does not export the handler
 */
export async function openModuleProcess(options: ModuleProcessOptions): Promise<FunctionTarget> {
  const { path, exportName, errorDetails, onImport, ...given } = options;
  const module = { path: resolve(path), exportName };
  // Whoever changes its files wants to know which they are: a thread tells that, and ends.
  if (onImport !== undefined) await checkModuleFunction({ ...options, onLog: () => {} });
  const opened = await openCheckedFunction({
    ...given,
    ...{ module, runtime: "nodejs24.x", command: undefined, layerFolders: [] },
    codeFolder: dirname(module.path),
    handler: `${basename(module.path, extname(module.path))}.${exportName}`,
  });
  if ("target" in opened) return opened.target;
  const reason = describeFailure(opened.failure, errorDetails);
  const message = `function ${options.functionName} cannot be started from ${module.path}: ${reason}`;
  throw new MillraceError("ERR_MILLRACE_FUNCTION", message);
}
