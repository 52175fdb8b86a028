import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import { Worker } from "node:worker_threads";
import type { HostHunt } from "./host-bug-worker.ts";
import { HOST_BUGS } from "./host-bugs.ts";
import { runHostSeed } from "./run-host-seed.ts";

/** A million steps in all. */
const SEEDS = 500;
const STEPS = 2_000;
const HUNT_SEEDS_MAX = 200;

describe("environments of functions (I40)", () => {
  test("an event goes to one process, each answer to its own call, and nothing is left, whatever processes do", async () => {
    const totals = new Map<string, number>();
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { violations, counts } = await runHostSeed(seed, STEPS);
      assert.deepEqual(violations, [], `seed ${seed}`);
      for (const [name, count] of Object.entries(counts)) totals.set(name, (totals.get(name) ?? 0) + count);
    }
    for (const name of [
      "succeeded",
      "functionError",
      "timedOut",
      "aborted",
      "initErrors",
      "lost",
      "throttled",
      "neighbours",
      "streams",
      "brokenStreams",
    ])
      assert((totals.get(name) ?? 0) >= SEEDS / 2, `${name} is rare: ${totals.get(name)} in ${SEEDS} seeds`);
  });

  for (const bug of HOST_BUGS) {
    test(`caught: ${bug.name}`, async (t) => {
      const caught = await hunt({ bug, seedsMax: HUNT_SEEDS_MAX, steps: STEPS });
      assert.notEqual(caught, undefined);
      t.diagnostic(JSON.stringify(caught));
    });
  }

  test("a bug that is none is not caught: the hunt can fail", async () => {
    const [real] = HOST_BUGS;
    assert(real !== undefined);
    const patches = real.patches.map((patch) => ({ ...patch, lines: 0, instead: "" }));
    assert.equal(
      await hunt({ bug: { ...real, name: "none", patches }, seedsMax: 4, steps: STEPS }),
      undefined,
    );
  });
});

async function hunt(task: HostHunt): Promise<unknown> {
  const worker = new Worker(new URL("host-bug-worker.ts", import.meta.url), { workerData: task });
  const [caught] = await once(worker, "message");
  await worker.terminate();
  return caught;
}
