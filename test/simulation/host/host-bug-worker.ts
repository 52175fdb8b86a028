import { parentPort, workerData } from "node:worker_threads";
import { plant } from "../planted/plant.ts";
import type { HostBug } from "./host-bugs.ts";

/** Walks with a bug in the sources, until one breaks an invariant that the bug is against. */
export interface HostHunt {
  readonly bug: HostBug;
  readonly seedsMax: number;
  readonly steps: number;
}

const { bug, seedsMax, steps }: HostHunt = workerData;
const checkPlanted = plant(bug);
const { runHostSeed } = await import("./run-host-seed.ts");
checkPlanted();
parentPort?.postMessage(await firstFailure());

async function firstFailure(): Promise<{ readonly seed: number; readonly seen: string } | undefined> {
  for (let seed = 1; seed <= seedsMax; seed++) {
    const [seen] = (await runHostSeed(seed, steps)).violations;
    if (seen !== undefined && bug.breaks.some((id) => seen.startsWith(`${id}: `))) return { seed, seen };
  }
  return undefined;
}
