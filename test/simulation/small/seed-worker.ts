import { readFileSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { plant } from "../planted/plant.ts";
import type { Caught, Hunt, Proof, Proved } from "./seed-thread.ts";
import { WORLDS, type WorldName } from "./worlds.ts";

/** World to seeds that broke a rule once, with what was found: the engine or the judge was mended then. */
const BROKEN_ONCE: Readonly<Partial<Record<WorldName, readonly { seed: number; found: string }[]>>> =
  JSON.parse(readFileSync(new URL("broken-once.json", import.meta.url), "utf8"));

// A world throws thousands of errors a seed: where each was made costs more than all the rest of it.
Error.stackTraceLimit = 0;
const task: Hunt | Proof = workerData;
parentPort?.postMessage(task.kind === "hunt" ? await hunt(task) : await prove(task));

/** Runs seeds with a bug in the sources, until one breaks what the bug is against. */
async function hunt({ world, bug, seedsMax, firstSeed }: Hunt): Promise<Caught | undefined> {
  const checkPlanted = plant(bug);
  const runSeed = await WORLDS[world]();
  checkPlanted();
  const isMeant = (seen: string) => bug.breaks?.some((id) => seen.startsWith(`${id}: `)) ?? true;
  for (const seed of seeds(seedsMax, firstSeed)) {
    const [seen] = (await runSeed(seed)).violations;
    if (seen !== undefined && isMeant(seen)) return { seed, seen };
  }
  return undefined;
}

/** First the one that caught it the last time. */
function* seeds(max: number, first: number | undefined): Generator<number> {
  if (first !== undefined) yield first;
  for (let seed = 1; seed <= max; seed++) if (seed !== first) yield seed;
}

/** Seeds that once broke a rule are run again and for ever. Ends with the first that does. */
async function prove({ world, seeds: count }: Proof): Promise<Proved> {
  const range = Array.from({ length: count }, (_, index) => index + 1);
  const brokenOnce = (BROKEN_ONCE[world] ?? []).map(({ seed }) => seed);
  const runSeed = await WORLDS[world]();
  const totals = new Map<string, number>();
  const marks = new Set<string>();
  for (const seed of new Set([...brokenOnce, ...range])) {
    const run = await runSeed(seed);
    if (run.violations.length > 0)
      return { violations: run.violations.map((seen) => `seed ${seed}: ${seen}`), totals, marks };
    for (const [name, amount] of Object.entries(run.counts))
      totals.set(name, (totals.get(name) ?? 0) + amount);
    for (const mark of run.marks?.keys() ?? []) marks.add(mark);
  }
  return { violations: [], totals, marks };
}
