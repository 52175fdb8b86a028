import type { ControllerParts, RunningController } from "./adapters.ts";
import type { CliHost } from "./command.ts";
import { objectContext } from "./kubernetes-flags.ts";
import type { RunOptions } from "./run-options.ts";

/** Runs custom resources where it was asked for; `undefined`: it was not. @throws MillraceError ERR_MILLRACE_CONFIG */
export async function startRunController(
  options: RunOptions,
  host: CliHost,
  parts: Pick<ControllerParts, "plane" | "apply" | "telemetry">,
): Promise<RunningController | undefined> {
  const { kubernetes, owner } = options;
  if (kubernetes === undefined) return undefined;
  const context = objectContext(host, options);
  return await host.adapters.startController(kubernetes, {
    ...parts,
    set: owner.set,
    context,
    folder: process.cwd(),
  });
}
