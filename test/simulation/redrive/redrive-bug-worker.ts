import { parentPort, workerData } from "node:worker_threads";
import { plant } from "../planted/plant.ts";
import type { RedriveBug } from "./redrive-bugs.ts";

/** Runs seeds with a bug in the sources, until one breaks an invariant that the bug is against. */
export interface RedriveHunt {
  readonly bug: RedriveBug;
  readonly seedsMax: number;
}

const { bug, seedsMax }: RedriveHunt = workerData;
const checkPlanted = plant(bug);
const { runRedriveSeed } = await import("./run-redrive-seed.ts");
checkPlanted();
parentPort?.postMessage(await firstFailure());

async function firstFailure(): Promise<{ readonly seed: number; readonly seen: string } | undefined> {
  for (let seed = 1; seed <= seedsMax; seed++) {
    const [seen] = (await runRedriveSeed(seed, bug.source)).violations;
    if (seen !== undefined && bug.breaks.some((id) => seen.startsWith(`${id}: `))) return { seed, seen };
  }
  return undefined;
}
