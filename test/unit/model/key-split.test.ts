import assert from "node:assert/strict";
import { test } from "node:test";
import { KeySplit, LAST_PLACE } from "../../../src/model/key-split.ts";

const KEYS = Array.from({ length: 10_000 }, (_, index) => `key-${index}`);
const split = (weight: number, salt = "alias-1") => new KeySplit(new Map([["2", weight]]), salt);

test("while a weight only grows a key changes sides once, and for good", () => {
  const steps = [0.1, 0.25, 0.5, 0.9, 1].map((weight) => split(weight));
  for (const key of KEYS) {
    const sides = steps.map((step) => step.sideOf(key));
    assert.deepEqual(
      sides,
      sides.toSorted((a, b) => b - a),
    );
    assert.equal(sides.at(-1), 0);
  }
});

test("a weight is the share of keys that another version gets, also of keys that are nearly alike", () => {
  for (const weight of [0.01, 0.1, 0.5]) {
    const moved = KEYS.filter((key) => split(weight).sideOf(key) === 0).length / KEYS.length;
    assert.ok(Math.abs(moved - weight) < 0.015, `${moved} of ${weight}`);
  }
});

test("another alias has other keys on its sides", () => {
  const both = KEYS.filter((key) => split(0.1).sideOf(key) === 0 && split(0.1, "alias-2").sideOf(key) === 0);
  assert.ok(both.length > 0 && both.length < 200, `${both.length} keys`);
});

test("a batch's place lets it go to another version only when all keys that may be in it go there", () => {
  const tenth = split(0.1);
  const [next, own] = [tenth.lastPlaceOf(0), tenth.lastPlaceOf(1)];
  assert.equal(own, LAST_PLACE);
  assert.ok(next < 0.1 && next > 0.099_999);
  assert.ok(KEYS.filter((key) => tenth.sideOf(key) === 0).every((key) => tenth.placeOf(key) <= next));
  assert.equal(split(1).lastPlaceOf(0), LAST_PLACE);
});

test("three versions have a stretch each", () => {
  const three = new KeySplit(
    new Map([
      ["2", 0.2],
      ["3", 0.3],
    ]),
    "alias-1",
  );
  const counts = [0, 0, 0];
  for (const key of KEYS) counts[three.sideOf(key)] = (counts[three.sideOf(key)] ?? 0) + 1;
  assert.deepEqual([three.sides, counts.map((count) => Math.round(count / 1_000))], [3, [2, 3, 5]]);
});

test("weights that deal keys out alike are alike, whatever their versions are called", () => {
  assert.ok(split(0.1).isLike(new KeySplit(new Map([["7", 0.1]]), "alias-1")));
  assert.ok(!split(0.1).isLike(split(0.2)));
  assert.ok(!split(0.1).isLike(split(0.1, "alias-2")));
  assert.ok(!split(0.1).isLike(undefined));
});
