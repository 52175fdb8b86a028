import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { huntInWorld, proveSeeds } from "../small/seed-thread.ts";
import { HOST_STEPS } from "../small/worlds.ts";
import { HOST_BUGS } from "./host-bugs.ts";

/** A million steps in all. */
const SEEDS = 1_000_000 / HOST_STEPS;
const HUNT_SEEDS_MAX = 200;

describe("environments of functions (I40)", () => {
  test("an event goes to one process, each answer to its own call, and nothing is left, whatever processes do", async () => {
    const { violations, totals } = await proveSeeds("host", SEEDS);
    assert.deepEqual(violations, []);
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
      const caught = await huntInWorld("host", bug, HUNT_SEEDS_MAX);
      assert.notEqual(caught, undefined);
      t.diagnostic(JSON.stringify(caught));
    });
  }

  test("a bug that is none is not caught: the hunt can fail", async () => {
    const [real] = HOST_BUGS;
    assert(real !== undefined);
    const patches = real.patches.map((patch) => ({ ...patch, lines: 0, instead: "" }));
    assert.equal(await huntInWorld("host", { ...real, name: "none", patches }, 4), undefined);
  });
});
