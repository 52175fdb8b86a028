import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { CHECKERS } from "./checkers/index.ts";
import { QUEUE_CHECKERS } from "./checkers/queues/index.ts";
import { hunt } from "./hunt.ts";
import { OPEN_BUGS } from "./planted/open-bugs.ts";
import type { PlantedBug } from "./planted/planted-bug.ts";
import { PLANTED_BUGS } from "./planted-bugs.ts";
import { QUARANTINE_BUGS } from "./quarantine/quarantine-bugs.ts";

/** The whole table is hunted by `npm run simulate:bugs`; here one bug of each invariant, of those that show soon. */
const SEEDS_MAX = 300;
/** Written by `npm run simulate:bugs -- --record`. */
const CAUGHT_BY: Readonly<Record<string, number>> = JSON.parse(
  readFileSync(new URL("planted/caught-by.json", import.meta.url), "utf8"),
);
const QUICK: readonly string[] = [
  "a drop is not counted",
  "the lane does not depend on the key",
  "one retry too many",
  "the store does not fence",
  "records are settled before the destination has accepted them",
  "invocations start without a live lease",
  "settled ranges are not skipped after a restart",
  "the smallest batches are not split",
  "what is read is not taken from the budget",
  "a child starts before its parents are done",
  "a batch has one record too many",
  "leases are kept after stop",
  "a failed read ends the reading",
  "a response that is not JSON stops the engine",
  "messages of a failed batch are acknowledged",
  "holds are not prolonged",
  "two batches of a group run at once",
  "a batch of messages is one too large",
  "receiving ignores the byte budget",
  "failures do not slow a queue down",
];

describe("planted bugs", () => {
  for (const name of QUICK) {
    test(`caught: ${name}`, async () => {
      const { seed, message } = await hunt({
        bug: find(name),
        seedsMax: SEEDS_MAX,
        firstSeed: CAUGHT_BY[name],
      });
      assert.notEqual(seed, undefined, message);
    });
  }

  for (const name of ["one retry too many", "settled ranges are not skipped after a restart"]) {
    test(`shrinks to a story of at most 10 faults and 50 records: ${name}`, async () => {
      const { shortest } = await hunt({ bug: find(name), seedsMax: SEEDS_MAX, shrinks: true });
      assert.ok(shortest !== undefined);
      assert.ok(shortest.faults.length + Object.keys(shortest.rates).length <= 10);
      assert.ok(shortest.mappings.reduce((sum, { workload }) => sum + workload.records, 0) <= 50);
    });
  }

  test("a bug that is none is not caught: the hunt can fail", async () => {
    const real = find("one retry too many");
    const none = { ...real, patches: real.patches.map((patch) => ({ ...patch, lines: 0, instead: "" })) };
    assert.equal((await hunt({ bug: none, seedsMax: 10 })).seed, undefined);
  });

  test("a bug whose place is gone from the source is refused", async () => {
    const patch = { at: "no-such-comment", instead: "" };
    const lost: PlantedBug = { name: "lost", breaks: ["I1"], patches: [patch] };
    await assert.rejects(hunt({ bug: lost, seedsMax: 1 }), /was not planted/);
  });

  test("every bug that is open is one that is planted", () => {
    const names = new Set(PLANTED_BUGS.map(({ name }) => name));
    assert.deepEqual(
      [...OPEN_BUGS].filter((name) => !names.has(name)),
      [],
    );
  });

  test("every checker has a bug that it must catch", () => {
    const broken = new Set<string>(
      [...PLANTED_BUGS, ...QUARANTINE_BUGS].flatMap(({ breaks = [] }) => breaks),
    );
    const untested = [...CHECKERS, ...QUEUE_CHECKERS].map(({ id }) => id).filter((id) => !broken.has(id));
    assert.deepEqual(untested, []);
  });
});

function find(name: string): PlantedBug {
  const bug = PLANTED_BUGS.find((each) => each.name === name);
  assert.ok(bug !== undefined, `there is no planted bug "${name}"`);
  return bug;
}
