import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { huntInWorld, proveSeeds } from "../small/seed-thread.ts";
import { CONTROL_BUGS } from "./control-bugs.ts";

const SEEDS = Number(process.env["MILLRACE_CONTROL_SEEDS"] ?? 60);
const HUNT_SEEDS_MAX = 600;

describe("control planes of one store (I17, I27, I41, I42)", () => {
  test("what is Disabled or gone is started by nobody, what was changed by nobody after the bound, and what is declared is changed by its owner alone, whatever fails", async () => {
    const { violations, totals } = await proveSeeds("control", SEEDS);
    assert.deepEqual(violations, []);
    for (const [name, count] of totals) assert(count >= SEEDS, `${name} is rare: ${count} in ${SEEDS} seeds`);
  });

  for (const bug of CONTROL_BUGS) {
    test(`caught: ${bug.name}`, async (t) => {
      const caught = await huntInWorld("control", bug, HUNT_SEEDS_MAX);
      assert.notEqual(caught, undefined);
      t.diagnostic(JSON.stringify(caught));
    });
  }

  test("a bug that is none is not caught: the hunt can fail", async () => {
    const [real] = CONTROL_BUGS;
    assert(real !== undefined);
    const patches = real.patches.map((patch) => ({ ...patch, lines: 0, instead: "" }));
    assert.equal(await huntInWorld("control", { ...real, name: "none", patches }, 10), undefined);
  });
});
