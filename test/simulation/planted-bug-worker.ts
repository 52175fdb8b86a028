import { parentPort, workerData } from "node:worker_threads";
import type { InvariantId } from "./history.ts";
import { plant } from "./planted/plant.ts";
import type { PlantedBug } from "./planted/planted-bug.ts";
import type { Scenario } from "./scenario.ts";

/**
 * Runs seeds on sources into which one bug is planted, until a checker sees it. The patches are applied by a hook of
 * this thread's module loader, so nothing of them can reach another thread or the files.
 */
export interface Hunt {
  /** Also look for the shortest scenario that shows it. */
  readonly shrinks?: boolean;
  readonly bug: PlantedBug;
  readonly seedsMax: number;
  /** Is run first: what caught it the last time. */
  readonly firstSeed?: number | undefined;
}

export interface HuntResult {
  /** The seed that caught it; `undefined`: none did. */
  readonly seed: number | undefined;
  readonly message: string;
  readonly shortest?: Scenario;
}

export type HuntMessage =
  | { readonly kind: "seed"; readonly seed: number }
  | { readonly kind: "result"; readonly result: HuntResult };

const SHRINK_RUNS_MAX = 600;

if (parentPort === null) throw new Error("planted-bug-worker.ts is a worker");
const port = parentPort;
// As in `simulate-worker.ts`.
Error.stackTraceLimit = 0;
const { bug, seedsMax, firstSeed, shrinks }: Hunt = workerData;
const checkPlanted = plant(bug);
const result = await hunt();
tell({ kind: "result", result });

function tell(message: HuntMessage): void {
  port.postMessage(message);
}

async function hunt(): Promise<HuntResult> {
  const { createEngine } = await import("../../src/engine/create-engine.ts");
  const { watchRejections } = await import("./run-scenario.ts");
  const { createTally, runSeed } = await import("./tally.ts");
  checkPlanted();
  watchRejections();
  const tally = createTally();
  for (const seed of seeds()) {
    tell({ kind: "seed", seed });
    await runSeed(seed, { createEngine }, tally);
    const found = tally.failures.at(-1)?.violations.find(({ invariant }) => bug.breaks.includes(invariant));
    if (found === undefined) continue;
    const result = { seed, message: `${found.invariant}: ${found.message}` };
    return shrinks === true ? { ...result, shortest: await shortestOf(seed, found.invariant) } : result;
  }
  const others = new Set(
    tally.failures.flatMap(({ violations }) => violations.map((each) => each.invariant)),
  );
  return { seed: undefined, message: `only ${[...others].join(", ") || "nothing"} was found broken` };
}

function* seeds(): Generator<number> {
  if (firstSeed !== undefined) yield firstSeed;
  for (let seed = 1; seed <= seedsMax; seed++) if (seed !== firstSeed) yield seed;
}

async function shortestOf(seed: number, invariant: InvariantId): Promise<Scenario> {
  const { createEngine } = await import("../../src/engine/create-engine.ts");
  const { generateScenario } = await import("./generate-scenario.ts");
  const { runScenario } = await import("./run-scenario.ts");
  const { shrink } = await import("./shrink.ts");
  const fails = async (scenario: Scenario) => {
    tell({ kind: "seed", seed });
    const { violations } = await runScenario(scenario, { createEngine });
    return violations.some((violation) => violation.invariant === invariant);
  };
  return await shrink(generateScenario(seed), fails, { runsMax: SHRINK_RUNS_MAX });
}
