import { parentPort } from "node:worker_threads";
import { createEngine } from "../../src/engine/create-engine.ts";
import { watchRejections } from "./run-scenario.ts";
import { createTally, runSeed } from "./tally.ts";

/** Runs the seeds that it is sent and answers with a tally of each portion. */
if (parentPort === null) throw new Error("simulate-worker.ts is a worker: start simulate.ts");
const port = parentPort;
// The world throws thousands of errors a seed: where each was made costs more than all the rest of it.
Error.stackTraceLimit = 0;
watchRejections();

port.on("message", (seeds: readonly number[]) => {
  void runPortion(seeds);
});

async function runPortion(seeds: readonly number[]): Promise<void> {
  const tally = createTally();
  for (const seed of seeds) await runSeed(seed, { createEngine }, tally);
  port.postMessage(tally);
}
