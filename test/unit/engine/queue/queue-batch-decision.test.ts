import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { acknowledged, divided, groupsHeldBack } from "../../../../src/engine/queue/batch-ending.ts";
import {
  batchOf,
  QUEUE_DECISION_ROWS,
  QUEUE_DECISIONS_FILE,
  queueDecisionOf,
  queueDecisionPage,
} from "./queue-batch-table.ts";

describe("what becomes of a batch of messages", () => {
  for (const row of QUEUE_DECISION_ROWS) {
    test(`${row.came}, by ${JSON.stringify(row.rules ?? {})}: ${row.becomes}`, () => {
      assert.equal(queueDecisionOf(row), row.becomes);
    });
  }

  test("docs/queue-batch-decisions.md has the same rows", () => {
    const hint = "run: node test/unit/engine/queue/queue-batch-table.ts";
    assert.equal(readFileSync(QUEUE_DECISIONS_FILE, "utf8"), queueDecisionPage(), hint);
  });

  test("a group is held back by what is left, by what goes back, and by a hold that has ended", () => {
    const batch = batchOf({ groups: "abc" });
    assert.deepEqual([...groupsHeldBack(divided(batch, new Set(["m1"]), false), 0)], ["a"]);
    assert.deepEqual([...groupsHeldBack(acknowledged(batch), 0)], []);
    assert.deepEqual([...groupsHeldBack(acknowledged(batch), 30_000)], ["a", "b", "c"]);
    const lost = batch.map((held, index) => ({ ...held, isLost: index === 1 }));
    assert.deepEqual([...groupsHeldBack(acknowledged(lost), 0)], ["b"]);
  });
});
