import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { compileFilterCriteria } from "../../../../src/engine/filter/filter.ts";
import { DIRECT_LOOKUPS_MAX, DOTTED_LOOKUPS_MAX } from "../../../../src/engine/filter/filter-limits.ts";
import { compileWildcard, parseWildcard } from "../../../../src/engine/filter/wildcard.ts";
import { work } from "../../../../src/engine/filter/work.ts";
import { adversarialCases } from "../../../load/filter-adversary.ts";

/** Values, keys and characters: all that an event has. */
function unitsOf(text: string): number {
  return text.length;
}

describe("the cost of a match", () => {
  for (const { title, pattern, event } of adversarialCases()) {
    test(`stays within what was computed at compile time: ${title}`, () => {
      const matcher = compileFilterCriteria([pattern], "data", { dataPattern: "any" });
      const document = JSON.parse(event) as unknown;
      work.steps = 0;
      matcher.matches({ document, isDataJson: true });
      const bound = DIRECT_LOOKUPS_MAX + DOTTED_LOOKUPS_MAX + 4096 + matcher.stepsPerUnitMax * unitsOf(event);
      assert.ok(work.steps <= bound, `${work.steps} steps, bound ${bound}`);
    });
  }

  test("grows with the event in a line, for a wildcard that would make a backtracking search explode", () => {
    const wildcard = parseWildcard("*aa*aa*b*c");
    assert.ok(!("reason" in wildcard));
    const matches = compileWildcard(wildcard);
    const stepsFor = (size: number): number => {
      work.steps = 0;
      assert.equal(matches(`${"a".repeat(size)}c`), false);
      return work.steps;
    };
    assert.ok(stepsFor(200_000) <= 2.1 * stepsFor(100_000));
  });
});
