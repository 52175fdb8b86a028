import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import { Worker } from "node:worker_threads";
import type { ControlHunt } from "./control-bug-worker.ts";
import { CONTROL_BUGS } from "./control-bugs.ts";
import { runControlSeed } from "./run-control-seed.ts";

const SEEDS = Number(process.env["MILLRACE_CONTROL_SEEDS"] ?? 60);
const HUNT_SEEDS_MAX = 600;

describe("control planes of one store (I17, I27, I41, I42)", () => {
  test("what is Disabled or gone is started by nobody, what was changed by nobody after the bound, and what is declared is changed by its owner alone, whatever fails", async () => {
    const totals = new Map<string, number>();
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { violations, counts } = await runControlSeed(seed);
      assert.deepEqual(violations, [], `seed ${seed}`);
      for (const [name, count] of Object.entries(counts)) totals.set(name, (totals.get(name) ?? 0) + count);
    }
    for (const [name, count] of totals) assert(count >= SEEDS, `${name} is rare: ${count} in ${SEEDS} seeds`);
  });

  for (const bug of CONTROL_BUGS) {
    test(`caught: ${bug.name}`, async () => {
      assert.notEqual(await hunt({ bug, seedsMax: HUNT_SEEDS_MAX }), undefined);
    });
  }

  test("a bug that is none is not caught: the hunt can fail", async () => {
    const [real] = CONTROL_BUGS;
    assert(real !== undefined);
    const patches = real.patches.map((patch) => ({ ...patch, lines: 0, instead: "" }));
    assert.equal(await hunt({ bug: { name: "none", patches }, seedsMax: 10 }), undefined);
  });
});

async function hunt(task: ControlHunt): Promise<unknown> {
  const worker = new Worker(new URL("control-bug-worker.ts", import.meta.url), { workerData: task });
  const [seed] = await once(worker, "message");
  await worker.terminate();
  return seed;
}
