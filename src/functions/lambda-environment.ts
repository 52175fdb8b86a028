import { basename, dirname, extname } from "node:path";
import type { RuntimeDescription } from "./module-messages.ts";

/** The engine's own settings, which may hold its secrets. */
const ENGINE_PREFIX = "MILLRACE_";

/** The variables that Lambda's Node runtime sets, over those of this process. */
export function lambdaEnvironment(
  runtime: RuntimeDescription,
  inherited: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(inherited)) {
    if (value !== undefined && !name.startsWith(ENGINE_PREFIX)) environment[name] = value;
  }
  return Object.assign(environment, {
    _HANDLER: `${basename(runtime.path, extname(runtime.path))}.${runtime.exportName}`,
    LAMBDA_TASK_ROOT: dirname(runtime.path),
    AWS_EXECUTION_ENV: `AWS_Lambda_nodejs${process.versions.node.split(".")[0]}.x`,
    AWS_LAMBDA_FUNCTION_NAME: runtime.functionName,
    AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(runtime.memoryMb),
    AWS_LAMBDA_LOG_GROUP_NAME: runtime.logGroupName,
    AWS_LAMBDA_LOG_STREAM_NAME: runtime.logStreamName,
    AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
  });
}
