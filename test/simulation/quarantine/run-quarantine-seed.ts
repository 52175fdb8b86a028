import { createEngine } from "../../../src/engine/create-engine.ts";
import { runScenario } from "../run-scenario.ts";
import type { SeedRun } from "../small/worlds.ts";
import { generateQuarantine } from "./generate-quarantine.ts";

/** The world of streams with keys that stand aside. */
export async function runQuarantineSeed(seed: number): Promise<SeedRun> {
  const { history, violations, marks } = await runScenario(generateQuarantine(seed), { createEngine });
  const secured = history.mappings.flatMap(({ events }) => events.filter(({ kind }) => kind === "secured"));
  return {
    violations: violations.map(
      ({ invariant, at, message }) => `${invariant}: ${message} (at ${at.toFixed(1)})`,
    ),
    counts: { parked: secured.length > 0 ? 1 : 0 },
    marks,
  };
}
