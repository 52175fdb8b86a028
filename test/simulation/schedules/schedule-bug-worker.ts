import { parentPort, workerData } from "node:worker_threads";
import { plant } from "../planted/plant.ts";
import type { ScheduleBug } from "./schedule-bugs.ts";

/** Runs seeds with a bug in the sources, until one breaks an invariant that the bug is against. */
export interface ScheduleHunt {
  readonly bug: ScheduleBug;
  readonly seedsMax: number;
}

const { bug, seedsMax }: ScheduleHunt = workerData;
const checkPlanted = plant(bug);
const { runScheduleSeed } = await import("./run-schedule-seed.ts");
checkPlanted();
parentPort?.postMessage(await firstFailure());

async function firstFailure(): Promise<{ readonly seed: number; readonly seen: string } | undefined> {
  for (let seed = 1; seed <= seedsMax; seed++) {
    const [seen] = (await runScheduleSeed(seed)).violations;
    if (seen !== undefined && bug.breaks.some((id) => seen.startsWith(`${id}: `))) return { seed, seen };
  }
  return undefined;
}
