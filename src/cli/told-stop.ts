import type { StopReport } from "../engine/engine.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import { EXIT_FAILED, EXIT_OK, type ExitStatus } from "./command.ts";
import type { RunStores } from "./run-stores.ts";

/** Says how a stop ended. `late`: it was not waited for. */
export async function tellStop(
  result: StopReport | "late",
  stores: Pick<RunStores, "whyGone"> | undefined,
  drainMs: number,
  { log }: Pick<Telemetry, "log">,
): Promise<ExitStatus> {
  if (result !== "late" && result.comesAgain === 0) {
    const error = await stores?.whyGone();
    if (error === undefined) {
      log("info", "stopped", {});
      return EXIT_OK;
    }
    const told = "stopped, but the store is not there: what it had kept of all mappings is lost with it";
    log("error", told, { error });
    return EXIT_FAILED;
  }
  if (result !== "late") {
    const told = "stopped, but the store has not taken all progress: records that were done come again";
    log("error", told, { records: result.comesAgain });
    return EXIT_FAILED;
  }
  const message = "the engine did not stop in time; what was in flight will be repeated after the next start";
  log("error", message, { drainMs });
  return EXIT_FAILED;
}
