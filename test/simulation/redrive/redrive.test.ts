import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { REDRIVE_MARKS } from "../../../src/ports/telemetry.ts";
import { huntInWorld, proveSeeds } from "../small/seed-thread.ts";
import type { FedSource } from "./fed-world.ts";
import { REDRIVE_BUGS } from "./redrive-bugs.ts";

const SEEDS = Number(process.env["MILLRACE_REDRIVE_SEEDS"] ?? 40);
const HUNT_SEEDS_MAX = 1_000;

describe("what is redriven while processes crash, stop, stand still and lose the stores (R1 to R5)", () => {
  for (const source of ["rows", "letters"] as const) {
    const title = `each item of ${source} comes to one end, in order per key, none twice, at its pace, and not while paused`;
    test(title, () => prove(source));
  }

  async function prove(source: FedSource): Promise<void> {
    const { violations, totals, marks } = await proveSeeds(source, SEEDS);
    assert.deepEqual(violations, []);
    for (const [name, count] of totals)
      assert(
        count >= SEEDS / 2 || (name === "gone" && source === "letters"),
        `${name} is rare: ${count} in ${SEEDS} seeds`,
      );
    assert.deepEqual(
      REDRIVE_MARKS.filter((mark) => !marks.has(mark)),
      [],
    );
  }

  for (const bug of REDRIVE_BUGS) {
    test(`caught: ${bug.name}`, async (t) => {
      const caught = await huntInWorld(bug.source, bug, HUNT_SEEDS_MAX);
      assert.notEqual(caught, undefined);
      t.diagnostic(JSON.stringify(caught));
    });
  }

  test("a bug that is none is not caught: the hunt can fail", async () => {
    const [real] = REDRIVE_BUGS;
    assert(real !== undefined);
    const patches = real.patches.map((patch) => ({ ...patch, lines: 0, instead: "" }));
    assert.equal(await huntInWorld(real.source, { ...real, name: "none", patches }, 20), undefined);
  });
});
