import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import { Worker } from "node:worker_threads";
import type { GrantHunt } from "./grant-bug-worker.ts";
import { GRANT_BUGS } from "./grant-bugs.ts";
import { runGrantSeed } from "./run-grant-seed.ts";

const SEEDS = Number(process.env["MILLRACE_GRANT_SEEDS"] ?? 20);
const HUNT_SEEDS_MAX = 200;

describe("processes that share a function's concurrency (I28, I29, I30)", () => {
  test("no more run than the limit, each within what it was granted, in fair turns, whatever fails", async () => {
    const totals = new Map<string, number>();
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { violations, counts } = await runGrantSeed(seed);
      assert.deepEqual(violations, [], `seed ${seed}`);
      for (const [name, count] of Object.entries(counts)) totals.set(name, (totals.get(name) ?? 0) + count);
    }
    for (const [name, count] of totals)
      assert(count >= SEEDS / 2, `${name} is rare: ${count} in ${SEEDS} seeds`);
  });

  for (const bug of GRANT_BUGS) {
    test(`caught: ${bug.name}`, async (t) => {
      const caught = await hunt({ bug, seedsMax: HUNT_SEEDS_MAX });
      assert.notEqual(caught, undefined);
      t.diagnostic(JSON.stringify(caught));
    });
  }

  test("a bug that is none is not caught: the hunt can fail", async () => {
    const [real] = GRANT_BUGS;
    assert(real !== undefined);
    const patches = real.patches.map((patch) => ({ ...patch, lines: 0, instead: "" }));
    assert.equal(await hunt({ bug: { ...real, name: "none", patches }, seedsMax: 4 }), undefined);
  });
});

async function hunt(task: GrantHunt): Promise<unknown> {
  const worker = new Worker(new URL("grant-bug-worker.ts", import.meta.url), { workerData: task });
  const [caught] = await once(worker, "message");
  await worker.terminate();
  return caught;
}
