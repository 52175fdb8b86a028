import type { Readiness } from "../../ports/function-target.ts";
import type { PooledEnvironment } from "./environment-parts.ts";
import type { StartPause } from "./start-pause.ts";

/** Environments that have come up, at work or at rest. */
const UP: ReadonlySet<string> = new Set(["idle", "away", "busy", "answered"]);

export function readinessOf(
  environments: Iterable<PooledEnvironment>,
  { isFailing }: Pick<StartPause, "isFailing">,
): Readiness {
  const ready = [...environments].filter(({ state }) => UP.has(state.name)).length;
  return { ready, isFailing };
}
