import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { huntInWorld, proveSeeds } from "../small/seed-thread.ts";
import { SCALER_BUGS } from "./scaler-bugs.ts";

const SEEDS = Number(process.env["MILLRACE_SCALER_SEEDS"] ?? 4);
const HUNT_SEEDS_MAX = 40;

describe("an engine that is scaled from zero and to zero (I46)", () => {
  test("a day of load: never idle while something is there, and idle once nothing is", async (t) => {
    const { violations, totals } = await proveSeeds("scaler", SEEDS);
    assert.deepEqual(violations, []);
    for (const [name, count] of totals) assert(count >= SEEDS, `${name} is rare: ${count} in ${SEEDS} seeds`);
    t.diagnostic(JSON.stringify([...totals]));
  });

  for (const bug of SCALER_BUGS) {
    test(`caught: ${bug.name}`, async (t) => {
      const caught = await huntInWorld("scaler", bug, HUNT_SEEDS_MAX);
      assert.notEqual(caught, undefined);
      t.diagnostic(JSON.stringify(caught));
    });
  }

  test("a bug that is none is not caught: the hunt can fail", async () => {
    const [real] = SCALER_BUGS;
    assert(real !== undefined);
    const patches = real.patches.map((patch) => ({ ...patch, lines: 0, instead: "" }));
    assert.equal(await huntInWorld("scaler", { ...real, name: "none", patches }, 2), undefined);
  });
});
