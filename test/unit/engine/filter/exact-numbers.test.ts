import assert from "node:assert/strict";
import { test } from "node:test";
import { compileFilterCriteria } from "../../../../src/engine/filter/filter.ts";
import { testPattern } from "../../../../src/engine/filter/test-pattern.ts";
import { parseExactJson } from "../../../../src/model/exact-json.ts";

const EVEN = "9007199254740992";
const ODD = "9007199254740993";

/** Whether a record with this id passes. */
function passes(condition: string, id: string): boolean {
  const filter = compileFilterCriteria([`{"data":{"id":[${condition}]}}`], "data");
  return filter.matches({ document: { data: parseExactJson(`{"id":${id}}`) }, isDataJson: true });
}

test("an id beyond 2^53 matches itself and not its neighbour", () => {
  for (const [condition, id] of [
    [EVEN, EVEN],
    [ODD, ODD],
    ["1e17", "100000000000000000"],
    ["-9223372036854775807", "-9223372036854775807"],
  ] as const) {
    assert.equal(passes(condition, id), true, `${condition} ${id}`);
  }
  assert.equal(passes(EVEN, ODD), false);
  assert.equal(passes(ODD, EVEN), false);
});

test("a record is not dropped by `anything-but` of its neighbour's id", () => {
  assert.equal(passes(`{"anything-but":[${EVEN}]}`, ODD), true);
  assert.equal(passes(`{"anything-but":[${ODD}]}`, EVEN), true);
  assert.equal(passes(`{"anything-but":${ODD}}`, ODD), false);
});

test("a numeric range ends exactly at its bounds", () => {
  assert.equal(passes(`{"numeric":[">",${EVEN}]}`, ODD), true);
  assert.equal(passes(`{"numeric":[">",${ODD}]}`, ODD), false);
  assert.equal(passes(`{"numeric":["=",${ODD}]}`, ODD), true);
  assert.equal(passes(`{"numeric":["=",${EVEN}]}`, ODD), false);
  assert.equal(passes(`{"numeric":[">=",${EVEN},"<",${ODD}]}`, EVEN), true);
  assert.equal(passes('{"numeric":["<",1e300]}', "1".repeat(400)), false);
});

test("a pattern is tested against an event with the same numbers", () => {
  assert.equal(testPattern(`{"id":[${ODD}]}`, `{"id":${ODD}}`), true);
  assert.equal(testPattern(`{"id":[${ODD}]}`, `{"id":${EVEN}}`), false);
  assert.throws(() => testPattern(`{"id":[${"1".repeat(400)}]}`, "{}"), /out of range/);
});
