import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { huntInWorld, proveSeeds } from "../small/seed-thread.ts";
import { TENANT_BUGS } from "./tenant-bugs.ts";

const SEEDS = Number(process.env["MILLRACE_TENANT_SEEDS"] ?? 100);
const HUNT_SEEDS_MAX = 2_000;

describe("places that are dealt out to tenants (F1, F2, F3)", () => {
  test("each gets its share of time, no place is free while a message waits, and who comes alone goes soon", async () => {
    const { violations, totals } = await proveSeeds("tenants", SEEDS);
    assert.deepEqual(violations, []);
    for (const [name, count] of totals)
      assert(count >= SEEDS / 2, `${name} is rare: ${count} in ${SEEDS} seeds`);
  });

  for (const bug of TENANT_BUGS) {
    test(`caught: ${bug.name}`, async (t) => {
      const caught = await huntInWorld("tenants", bug, HUNT_SEEDS_MAX);
      assert.notEqual(caught, undefined);
      t.diagnostic(JSON.stringify(caught));
    });
  }

  test("a bug that is none is not caught: the hunt can fail", async () => {
    const [real] = TENANT_BUGS;
    assert(real !== undefined);
    const patches = real.patches.map((patch) => ({ ...patch, lines: 0, instead: "" }));
    assert.equal(await huntInWorld("tenants", { ...real, name: "none", patches }, 4), undefined);
  });
});
