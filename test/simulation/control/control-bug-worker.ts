import { parentPort, workerData } from "node:worker_threads";
import { plant } from "../planted/plant.ts";
import type { ControlBug } from "./control-bugs.ts";

/** Runs seeds on a control plane with a bug in it, until one is found. Answers with the seed, or `undefined`. */
export interface ControlHunt {
  readonly bug: ControlBug;
  readonly seedsMax: number;
}

const { bug, seedsMax }: ControlHunt = workerData;
const checkPlanted = plant(bug);
const { runControlSeed } = await import("./run-control-seed.ts");
checkPlanted();
parentPort?.postMessage(await firstFailure());

async function firstFailure(): Promise<number | undefined> {
  for (let seed = 1; seed <= seedsMax; seed++) {
    if ((await runControlSeed(seed)).violations.length > 0) return seed;
  }
  return undefined;
}
