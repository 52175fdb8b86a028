import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { huntInWorld, proveSeeds } from "../small/seed-thread.ts";
import { EVENT_BUGS } from "./event-bugs.ts";

const SEEDS = Number(process.env["MILLRACE_EVENT_SEEDS"] ?? 20);
const HUNT_SEEDS_MAX = 2_000;

describe("processes that share asynchronous events (I31 to I36)", () => {
  test("what was accepted comes to one end, in time, is told on every route, and holds up nobody", async (t) => {
    const { violations, totals } = await proveSeeds("events", SEEDS);
    assert.deepEqual(violations, []);
    t.diagnostic(JSON.stringify([...totals]));
    for (const [name, count] of totals)
      assert(count >= SEEDS / 4, `${name} is rare: ${count} in ${SEEDS} seeds`);
  });

  for (const bug of EVENT_BUGS) {
    test(`caught: ${bug.name}`, async (t) => {
      const caught = await huntInWorld("events", bug, HUNT_SEEDS_MAX);
      assert.notEqual(caught, undefined);
      t.diagnostic(JSON.stringify(caught));
    });
  }

  test("a bug that is none is not caught: the hunt can fail", async () => {
    const [real] = EVENT_BUGS;
    assert(real !== undefined);
    const patches = real.patches.map((patch) => ({ ...patch, lines: 0, instead: "" }));
    assert.equal(await huntInWorld("events", { ...real, name: "none", patches }, 3), undefined);
  });
});
