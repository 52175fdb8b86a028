import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type AttemptResult, decide } from "../../../../src/engine/stream/decision.ts";
import {
  DECISION_ROWS,
  DECISIONS_FILE,
  decisionOf,
  decisionTable,
  segmentOf,
  tableOn,
} from "./decision-table.ts";

const failed: AttemptResult = {
  kind: "functionError",
  errorType: "Error",
  message: "",
  executedVersion: "7",
};
const RULES = { bisectBatchOnFunctionError: false, retryAttemptsMax: 1 };

describe("what becomes of a batch", () => {
  for (const row of DECISION_ROWS) {
    const { came, failures = 0, pauses = 0, mapping = {} } = row;
    test(`${came}, after ${failures} failures and ${pauses} pauses, by ${JSON.stringify(mapping)}: ${row.becomes}`, () => {
      assert.equal(decisionOf(row), row.becomes);
    });
  }

  test("docs/batch-decisions.md has the same rows", () => {
    const hint = "run: node test/unit/engine/stream/decision-table.ts";
    assert.equal(tableOn(readFileSync(DECISIONS_FILE, "utf8")), decisionTable(), hint);
  });

  test("a segment is never changed: what an attempt makes of it is another one", () => {
    const segment = segmentOf({ failures: 1, pauses: 2 });
    const before = structuredClone(segment);
    const decision = decide(segment, failed, RULES, 0);
    assert.deepEqual(segment, before);
    assert.equal(decision.kind, "giveUp");
    assert(decision.kind === "giveUp");
    const { failures, pauses, invocations, isRetry, executedVersion } = decision.segment;
    assert.deepEqual([failures, pauses, invocations, isRetry, executedVersion], [2, 0, 1, true, "7"]);
  });

  test("a pause keeps the failures, a failure begins the pauses anew", () => {
    const paused = decide(segmentOf({ failures: 1 }), { kind: "unavailable", message: "" }, RULES, 0);
    assert(paused.kind === "again");
    assert.deepEqual([paused.segment.failures, paused.segment.pauses], [1, 1]);
    const rules = { ...RULES, retryAttemptsMax: undefined };
    const again = decide(paused.segment, failed, rules, 0);
    assert(again.kind === "again");
    assert.deepEqual([again.segment.failures, again.segment.pauses], [2, 0]);
  });

  test("a call that did not run is no invocation, nor is a record that no event can hold", () => {
    const results: readonly AttemptResult[] = [
      { kind: "payloadTooLarge" },
      { kind: "oversized" },
      { kind: "throttled", retryAfterMs: 1 },
      { kind: "unavailable", message: "" },
    ];
    for (const result of results) {
      const decision = decide(segmentOf({ keys: ["a"] }), result, { ...RULES, retryAttemptsMax: 9 }, 0);
      assert(decision.kind === "again");
      assert.equal(decision.segment.invocations, 0, result.kind);
    }
  });

  test("says how long a window's last invocation has been tried, of nothing else", () => {
    const last = { ...segmentOf({ keys: [] }), windowEnd: "final", triedFromMs: 400 } as const;
    const tried = decide(last, failed, RULES, 1_000);
    assert(tried.kind === "again");
    assert.equal(tried.triedForMs, 600);
    const batch = decide(segmentOf({}), failed, RULES, 1_000);
    assert(batch.kind === "again");
    assert.equal(batch.triedForMs, undefined);
  });

  test("the halves of any batch are all of it, in order, and smaller than it", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 200 }), (size) => {
        const segment = segmentOf({ keys: Array.from({ length: size }, String) });
        const decision = decide(segment, failed, { ...RULES, bisectBatchOnFunctionError: true }, 0);
        assert(decision.kind === "split");
        assert.deepEqual(decision.halves.flat(), segment.records);
        for (const half of decision.halves) assert(half.length > 0 && half.length < size);
      }),
      { numRuns: 50 },
    );
  });
});
