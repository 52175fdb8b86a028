import { parentPort, workerData } from "node:worker_threads";
import { plant } from "../planted/plant.ts";
import type { GrantBug } from "./grant-bugs.ts";

/** Runs seeds with a bug in the sources, until one breaks an invariant that the bug is against. */
export interface GrantHunt {
  readonly bug: GrantBug;
  readonly seedsMax: number;
}

const { bug, seedsMax }: GrantHunt = workerData;
const checkPlanted = plant(bug);
const { runGrantSeed } = await import("./run-grant-seed.ts");
checkPlanted();
parentPort?.postMessage(await firstFailure());

async function firstFailure(): Promise<{ readonly seed: number; readonly seen: string } | undefined> {
  for (let seed = 1; seed <= seedsMax; seed++) {
    const [seen] = (await runGrantSeed(seed)).violations;
    if (seen !== undefined && bug.breaks.some((id) => seen.startsWith(`${id}: `))) return { seed, seen };
  }
  return undefined;
}
