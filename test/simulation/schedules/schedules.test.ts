import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import { Worker } from "node:worker_threads";
import { runScheduleSeed, runScheduleWorld } from "./run-schedule-seed.ts";
import type { ScheduleHunt } from "./schedule-bug-worker.ts";
import { SCHEDULE_BUGS } from "./schedule-bugs.ts";

const SEEDS = Number(process.env["MILLRACE_SCHEDULE_SEEDS"] ?? 16);
const HUNT_SEEDS_MAX = 60;

describe("processes that share schedules (I37)", () => {
  test("each tick is enqueued once or is told as missed, and none that a row does not mean", async () => {
    const totals = new Map<string, number>();
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { violations, counts } = await runScheduleSeed(seed);
      assert.deepEqual(violations, [], `seed ${seed}`);
      for (const [name, count] of Object.entries(counts)) totals.set(name, (totals.get(name) ?? 0) + count);
    }
    for (const [name, count] of totals)
      assert(count >= SEEDS / 4, `${name} is rare: ${count} in ${SEEDS} seeds`);
  });

  test("a thousand schedules a minute for an hour are enqueued once each, while processes crash", async (t) => {
    const { violations, counts } = await runScheduleWorld({
      seed: 1,
      schedules: 1_000,
      minutes: 60,
      isExact: true,
      isUniform: true,
    });
    assert.deepEqual(violations, []);
    assert(counts.enqueued >= 64_000, `${counts.enqueued} ticks`);
    assert.deepEqual([counts.skipped, counts.missed], [0, 0]);
    assert(counts.crashes >= 5, `${counts.crashes} crashes`);
    t.diagnostic(JSON.stringify(counts));
  });

  for (const bug of SCHEDULE_BUGS) {
    test(`caught: ${bug.name}`, async (t) => {
      const caught = await hunt({ bug, seedsMax: HUNT_SEEDS_MAX });
      assert.notEqual(caught, undefined);
      t.diagnostic(JSON.stringify(caught));
    });
  }

  test("a bug that is none is not caught: the hunt can fail", async () => {
    const [real] = SCHEDULE_BUGS;
    assert(real !== undefined);
    const patches = real.patches.map((patch) => ({ ...patch, lines: 0, instead: "" }));
    assert.equal(await hunt({ bug: { ...real, name: "none", patches }, seedsMax: 3 }), undefined);
  });
});

async function hunt(task: ScheduleHunt): Promise<unknown> {
  const worker = new Worker(new URL("schedule-bug-worker.ts", import.meta.url), { workerData: task });
  const [caught] = await once(worker, "message");
  await worker.terminate();
  return caught;
}
