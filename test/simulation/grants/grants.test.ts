import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { huntInWorld, proveSeeds } from "../small/seed-thread.ts";
import { GRANT_BUGS } from "./grant-bugs.ts";

const SEEDS = Number(process.env["MILLRACE_GRANT_SEEDS"] ?? 20);
const HUNT_SEEDS_MAX = 200;

describe("processes that share a function's concurrency (I28, I29, I30)", () => {
  test("no more run than the limit, each within what it was granted, in fair turns, whatever fails", async () => {
    const { violations, totals } = await proveSeeds("grants", SEEDS);
    assert.deepEqual(violations, []);
    for (const [name, count] of totals)
      assert(count >= SEEDS / 2, `${name} is rare: ${count} in ${SEEDS} seeds`);
  });

  for (const bug of GRANT_BUGS) {
    test(`caught: ${bug.name}`, async (t) => {
      const caught = await huntInWorld("grants", bug, HUNT_SEEDS_MAX);
      assert.notEqual(caught, undefined);
      t.diagnostic(JSON.stringify(caught));
    });
  }

  test("a bug that is none is not caught: the hunt can fail", async () => {
    const [real] = GRANT_BUGS;
    assert(real !== undefined);
    const patches = real.patches.map((patch) => ({ ...patch, lines: 0, instead: "" }));
    assert.equal(await huntInWorld("grants", { ...real, name: "none", patches }, 4), undefined);
  });
});
