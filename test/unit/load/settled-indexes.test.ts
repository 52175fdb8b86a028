import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SettledIndexes } from "../../../src/load/settled-indexes.ts";

test("agrees with a plain set, whatever the order", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 80 }), (indexes) => {
      const settled = new SettledIndexes();
      const plain = new Set<number>();
      for (const index of indexes) {
        assert.equal(settled.add(index), !plain.has(index));
        plain.add(index);
      }
      for (let index = 0; index <= 42; index++) assert.equal(settled.has(index), plain.has(index));
      let below = 0;
      while (plain.has(below)) below++;
      assert.equal(settled.below, below);
      for (const end of [0, 5, 20, 41]) {
        const missing = Array.from({ length: end }, (_, index) => index).filter((index) => !plain.has(index));
        assert.equal(settled.missing(end), missing.length);
      }
    }),
  );
});

test("a million indexes in order cost one mark, and a gap costs one range", () => {
  const settled = new SettledIndexes();
  for (let index = 0; index < 1_000_000; index++) settled.add(index);
  assert.equal(settled.ranges, 0);
  settled.add(1_000_001);
  for (let index = 1_000_002; index < 1_100_000; index++) settled.add(index);
  assert.equal(settled.ranges, 1);
  settled.add(1_000_000);
  assert.deepEqual([settled.ranges, settled.below], [0, 1_100_000]);
});
