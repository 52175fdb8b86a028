import assert from "node:assert/strict";
import { test } from "node:test";
import { arrivalOf, knownArrivalMs } from "../../../src/model/arrival.ts";

test("an age is counted from a plausible arrival only", () => {
  const now = Date.UTC(2026, 5, 1);
  assert.equal(knownArrivalMs(now), now);
  const absurd = [
    undefined,
    0,
    -1,
    now / 1000,
    now * 1000,
    now * 1e6,
    9e15,
    Number.NaN,
    Number.POSITIVE_INFINITY,
  ];
  for (const arrivalMs of absurd) assert.equal(knownArrivalMs(arrivalMs), undefined, String(arrivalMs));
});

test("a date that is not valid is no arrival", () => {
  assert.equal(arrivalOf(undefined), undefined);
  assert.equal(arrivalOf(new Date(Number.NaN)), undefined);
  assert.equal(arrivalOf(new Date(0)), 0);
});
