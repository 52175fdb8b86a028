import assert from "node:assert/strict";
import { test } from "node:test";
import { SettledSkip } from "../../../../src/engine/stream/settled-skip.ts";

const byNumber = (a: string, b: string) => Number(a) - Number(b);
const RANGES = [
  { from: "3", to: "5" },
  { from: "8", to: "9" },
];

test("records inside a range are settled, those between are not", () => {
  const skip = new SettledSkip(RANGES, byNumber);
  const settled = ["1", "3", "4", "5", "6", "8", "9", "10"].filter((position) => skip.isSettled(position));
  assert.deepEqual(settled, ["3", "4", "5", "8", "9"]);
});

test("ranges that are not reached yet follow what was read", () => {
  const skip = new SettledSkip(RANGES, byNumber);
  skip.isSettled("1");
  skip.isSettled("2");
  assert.deepEqual(skip.withUnread([{ from: "2", to: "2" }]), [{ from: "2", to: "2" }, ...RANGES]);
});

test("a range that is half read is one range", () => {
  const skip = new SettledSkip(RANGES, byNumber);
  for (const position of ["2", "3", "4"]) skip.isSettled(position);
  assert.deepEqual(skip.withUnread([{ from: "3", to: "4" }]), RANGES);
});

test("a half-read range begins at the newest record when the low-water mark has passed it", () => {
  const skip = new SettledSkip(RANGES, byNumber);
  for (const position of ["2", "3", "4"]) skip.isSettled(position);
  assert.deepEqual(skip.withUnread([]), [
    { from: "4", to: "5" },
    { from: "8", to: "9" },
  ]);
});

test("ranges that are read through are gone", () => {
  const skip = new SettledSkip(RANGES, byNumber);
  for (const position of ["5", "6", "10"]) skip.isSettled(position);
  assert.deepEqual(skip.withUnread([]), []);
});
