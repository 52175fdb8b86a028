import assert from "node:assert/strict";
import { test } from "node:test";
import { longestTimeoutMs, longestTimeoutOfAllMs, qualifierIn } from "../../../src/model/call-timeouts.ts";

const FUNCTION = {
  timeoutMs: 3_000,
  versionTimeoutsMs: new Map([
    ["1", 1_000],
    ["2", 60_000],
  ]),
  aliases: new Map([
    ["first", { version: "1", weights: new Map() }],
    ["rising", { version: "1", weights: new Map([["2", 0.1]]) }],
  ]),
};

test("a name may take as long as the slowest version that it leads to", () => {
  const longest = (qualifier: string | undefined) => longestTimeoutMs(FUNCTION, qualifier);
  assert.deepEqual([undefined, "$LATEST", "1", "2", "9"].map(longest), [3_000, 3_000, 1_000, 60_000, 3_000]);
  assert.deepEqual(["first", "rising"].map(longest), [1_000, 60_000]);
  assert.equal(longestTimeoutOfAllMs(FUNCTION), 60_000);
  assert.equal(longestTimeoutOfAllMs({ timeoutMs: 3_000 }), 3_000);
});

test("the qualifier of an ARN is what stands behind the function's name", () => {
  const arn = "arn:aws:lambda:eu-west-1:000000000000:function:orders";
  assert.deepEqual([qualifierIn(arn), qualifierIn(`${arn}:live`)], [undefined, "live"]);
});
