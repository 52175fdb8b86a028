import assert from "node:assert/strict";
import { test } from "node:test";
import { shareOf, sideOf, splitOf } from "../../../src/invocation/alias-route.ts";

const LIVE = { version: "2", weights: new Map([["3", 0.25]]), salt: "live" };
const SPLIT = splitOf(LIVE);
const idOf = (head: string) => ({ requestId: `${head}-0000-4000-8000-000000000000` });

test("all attempts of a call of a weighted alias go to one version", () => {
  for (let batch = 0; batch < 50; batch++) {
    const requestId = crypto.randomUUID();
    const sides = [0, 1, 2].map(() => sideOf(LIVE, { requestId }, SPLIT));
    assert.equal(new Set(sides).size, 1);
  }
});

test("a weight is the share of calls that another version gets", () => {
  // Ids that cover 0 to 1 evenly, so that the share is exact.
  const ids = Array.from({ length: 256 }, (_, index) => (index * 2 ** 24).toString(16).padStart(8, "0"));
  const others = ids.filter((head) => sideOf(LIVE, idOf(head), undefined) === "3");
  assert.equal(others.length, 64);
});

test("ids of other forms have a share too", () => {
  const shares = ["a", "window/17", "", "ABCDEF01-"].map(shareOf);
  for (const share of shares) assert.ok(share >= 0 && share < 1);
  assert.equal(new Set(shares).size, shares.length);
});
