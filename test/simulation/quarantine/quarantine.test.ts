import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { PARKED_KEY_MARKS } from "../../../src/ports/telemetry.ts";
import { huntInWorld, proveSeeds } from "../small/seed-thread.ts";
import { QUARANTINE_BUGS } from "./quarantine-bugs.ts";

const SEEDS = Number(process.env["MILLRACE_QUARANTINE_SEEDS"] ?? 120);
const HUNT_SEEDS_MAX = 2_000;
/** Nothing is drained here yet, so that no key is ever closed. */
const OUT_OF_REACH = "append refused after close";

describe("streams whose failing keys stand aside, under all that may go wrong (K1, K2, K4, K5, K9, K10)", () => {
  test("nothing is lost, keys keep their order, and what is parked rests", async () => {
    const { violations, totals, marks } = await proveSeeds("quarantine", SEEDS);
    assert.deepEqual(violations, []);
    assert((totals.get("parked") ?? 0) >= SEEDS / 2, `${totals.get("parked")} of ${SEEDS} seeds park a key`);
    assert.deepEqual(
      PARKED_KEY_MARKS.filter((mark) => !marks.has(mark)),
      [OUT_OF_REACH],
    );
  });

  for (const bug of QUARANTINE_BUGS) {
    test(`caught: ${bug.name}`, async (t) => {
      const caught = await huntInWorld("quarantine", bug, HUNT_SEEDS_MAX);
      assert.notEqual(caught, undefined);
      t.diagnostic(JSON.stringify(caught));
    });
  }

  test("a bug that is none is not caught: the hunt can fail", async () => {
    const [, real] = QUARANTINE_BUGS;
    assert(real !== undefined);
    const patches = real.patches.map((patch) => ({ ...patch, lines: 0, instead: "" }));
    assert.equal(await huntInWorld("quarantine", { ...real, name: "none", patches }, 10), undefined);
  });
});
