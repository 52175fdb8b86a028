import type { LoadedManifests, Manifests } from "../manifests/load-manifests.ts";
import { formatProblem } from "../manifests/problem.ts";
import type { Telemetry } from "../ports/telemetry.ts";

/** What one reading may tell. */
const PROBLEMS_TOLD_MAX = 20;

/** Applies manifests that were read again, unless anything in them is wrong: one error changes nothing (I42). */
export async function reloadManifests(
  loaded: LoadedManifests,
  apply: (manifests: Manifests) => Promise<void>,
  { log }: Pick<Telemetry, "log">,
): Promise<void> {
  // plant: manifests-that-are-not-valid-are-applied-as-none
  if (loaded.kind === "valid") return apply(loaded.manifests);
  for (const problem of loaded.problems.slice(0, PROBLEMS_TOLD_MAX)) {
    const message = "the manifests are not valid: nothing was changed";
    log("error", message, { error: formatProblem(problem) });
  }
}
