import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import { Worker } from "node:worker_threads";
import { createEngine } from "../../src/engine/create-engine.ts";
import { generateScenario } from "./generate-scenario.ts";
import { readRegressions } from "./regressions.ts";
import { runScenario, traceHash, watchRejections } from "./run-scenario.ts";
import { tellStory } from "./story.ts";
import type { Tally } from "./tally.ts";

watchRejections();

/** A small part of what `npm run simulate` does; the same seeds at each run, so that a change shows as a change. */
const SEEDS = 150;

describe("simulation", () => {
  test(`${SEEDS} seeds break no invariant`, async () => {
    const tally = await runInThread(Array.from({ length: SEEDS }, (_, index) => index + 1));
    assert.equal(tally.seeds, SEEDS);
    const told = tally.failures.map(({ seed, violations }) => {
      const lines = violations.map(({ invariant, message }) => `${invariant} ${message}`);
      return `seed ${seed}: ${lines.join("; ")}`;
    });
    assert.deepEqual(told, [], "replay with: npm run simulate -- --seed <seed>");
  });

  test("no scenario that failed once fails again", async () => {
    for (const { found, scenario } of readRegressions()) {
      const { history, violations } = await runScenario(scenario, { createEngine });
      assert.equal(violations.length, 0, `${found}\n${tellStory(history, violations)}`);
    }
  });

  test("poison heals where nothing bounds its retries: a record whose arrival nobody knows has no age", () => {
    let found = 0;
    for (let seed = 1; seed <= 2_000; seed++) {
      for (const { mapping, workload, fn } of generateScenario(seed).mappings) {
        const isTimeless = (workload.timelessShare ?? 0) > 0;
        if (mapping.retryAttemptsMax !== undefined || !isTimeless) continue;
        found += mapping.recordAgeMsMax === undefined ? 0 : 1;
        assert.equal(fn.poisonHeals, true, `seed ${seed}, ${mapping.name}`);
      }
    }
    assert(found > 0, "some mapping bounds the age alone");
  });

  test("the same seed leaves the same trace, another seed another", async () => {
    const hashes: number[] = [];
    for (const seed of [3, 3, 8]) {
      hashes.push(traceHash((await runScenario(generateScenario(seed), { createEngine })).history));
    }
    assert.equal(hashes[0], hashes[1]);
    assert.notEqual(hashes[0], hashes[2]);
  });
});

/** The runner of tests follows every promise of its own thread, which doubles a seed's time there. */
async function runInThread(seeds: readonly number[]): Promise<Tally> {
  const worker = new Worker(new URL("simulate-worker.ts", import.meta.url));
  worker.postMessage(seeds);
  try {
    const answer = await once(worker, "message");
    const tally: Tally = answer[0];
    return tally;
  } finally {
    await worker.terminate();
  }
}
