import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { huntInWorld, proveSeeds } from "../small/seed-thread.ts";
import { SCHEDULE_BUGS } from "./schedule-bugs.ts";

const SEEDS = Number(process.env["MILLRACE_SCHEDULE_SEEDS"] ?? 16);
const HUNT_SEEDS_MAX = 60;

describe("processes that share schedules (I37)", () => {
  test("each tick is enqueued once or is told as missed, and none that a row does not mean", async () => {
    const { violations, totals } = await proveSeeds("schedules", SEEDS);
    assert.deepEqual(violations, []);
    for (const [name, count] of totals)
      assert(count >= SEEDS / 4, `${name} is rare: ${count} in ${SEEDS} seeds`);
  });

  test("a thousand schedules a minute for an hour are enqueued once each, while processes crash", async (t) => {
    const { violations, totals } = await proveSeeds("thousandSchedules", 1);
    assert.deepEqual(violations, []);
    const { enqueued = 0, crashes = 0, skipped, missed } = Object.fromEntries(totals);
    assert(enqueued >= 64_000, `${enqueued} ticks`);
    assert.deepEqual([skipped, missed], [0, 0]);
    assert(crashes >= 5, `${crashes} crashes`);
    t.diagnostic(JSON.stringify([...totals]));
  });

  for (const bug of SCHEDULE_BUGS) {
    test(`caught: ${bug.name}`, async (t) => {
      const caught = await huntInWorld("schedules", bug, HUNT_SEEDS_MAX);
      assert.notEqual(caught, undefined);
      t.diagnostic(JSON.stringify(caught));
    });
  }

  test("a bug that is none is not caught: the hunt can fail", async () => {
    const [real] = SCHEDULE_BUGS;
    assert(real !== undefined);
    const patches = real.patches.map((patch) => ({ ...patch, lines: 0, instead: "" }));
    assert.equal(await huntInWorld("schedules", { ...real, name: "none", patches }, 3), undefined);
  });
});
