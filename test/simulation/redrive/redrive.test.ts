import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import { Worker } from "node:worker_threads";
import { REDRIVE_MARKS } from "../../../src/ports/telemetry.ts";
import type { FedSource } from "./fed-world.ts";
import type { RedriveHunt } from "./redrive-bug-worker.ts";
import { REDRIVE_BUGS } from "./redrive-bugs.ts";
import { runRedriveSeed } from "./run-redrive-seed.ts";

const SEEDS = Number(process.env["MILLRACE_REDRIVE_SEEDS"] ?? 40);
const HUNT_SEEDS_MAX = 1_000;

describe("what is redriven while processes crash, stop, stand still and lose the stores (R1 to R5)", () => {
  for (const source of ["rows", "letters"] as const) {
    const title = `each item of ${source} comes to one end, in order per key, none twice, at its pace, and not while paused`;
    test(title, () => proveSeeds(source));
  }

  async function proveSeeds(source: FedSource): Promise<void> {
    const totals = new Map<string, number>();
    const marks = new Set<string>();
    for (let seed = 1; seed <= SEEDS; seed++) {
      const run = await runRedriveSeed(seed, source);
      assert.deepEqual(run.violations, [], `seed ${seed}`);
      for (const [name, count] of Object.entries(run.counts))
        totals.set(name, (totals.get(name) ?? 0) + count);
      for (const mark of run.marks.keys()) marks.add(mark);
    }
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
      const caught = await hunt({ bug, seedsMax: HUNT_SEEDS_MAX });
      assert.notEqual(caught, undefined);
      t.diagnostic(JSON.stringify(caught));
    });
  }

  test("a bug that is none is not caught: the hunt can fail", async () => {
    const [real] = REDRIVE_BUGS;
    assert(real !== undefined);
    const patches = real.patches.map((patch) => ({ ...patch, lines: 0, instead: "" }));
    assert.equal(await hunt({ bug: { ...real, name: "none", patches }, seedsMax: 20 }), undefined);
  });
});

async function hunt(task: RedriveHunt): Promise<unknown> {
  const worker = new Worker(new URL("redrive-bug-worker.ts", import.meta.url), { workerData: task });
  const [caught] = await once(worker, "message");
  await worker.terminate();
  return caught;
}
