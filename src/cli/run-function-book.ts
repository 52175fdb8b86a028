import { FunctionBook } from "../control/function-book.ts";
import type { FunctionResource } from "../manifests/resources.ts";
import type { Adapters, RunPackages, RunTelemetry } from "./adapters.ts";
import type { ModuleFiles } from "./module-files.ts";
import type { RunErrors } from "./run-errors.ts";
import type { openFunctionLog } from "./run-function-log.ts";
import type { createInvokers } from "./run-invokers.ts";

export interface RunFunctionBookOptions {
  /** As manifests declare them at the start. */
  readonly functions: readonly FunctionResource[];
  readonly adapters: Adapters;
  readonly telemetry: RunTelemetry;
  readonly invokers: ReturnType<typeof createInvokers>;
  readonly errors: RunErrors;
  readonly packages: RunPackages;
  readonly functionLog: ReturnType<typeof openFunctionLog>;
  readonly moduleFiles: ModuleFiles;
  readonly region: string;
}

/** The functions of this process, each opened with what it finds around it. */
export function openFunctionBook(options: RunFunctionBookOptions): FunctionBook {
  const { adapters, telemetry, invokers, errors, packages, functionLog, moduleFiles, region } = options;
  const { watchOf } = telemetry;
  const host = { log: functionLog, watchOf, packages: packages.folders, region };
  return new FunctionBook({
    functions: options.functions,
    openFunction: (resource) => {
      const onImport = moduleFiles.opening(resource);
      return adapters.openFunction(errors.opened(resource), { ...host, onImport });
    },
    invokers,
    clock: adapters.clock,
    telemetry,
  });
}
