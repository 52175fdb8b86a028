import assert from "node:assert/strict";
import { test } from "node:test";
import { KeySkew } from "../../../src/load/key-skew.ts";
import { seededRandom } from "../../../src/load/seeded-random.ts";

const DRAWS = 100_000;

function countKeys(count: number, skew: number): number[] {
  const keys = new KeySkew(seededRandom(7, "keys"), { count, skew });
  const counts = new Array<number>(count).fill(0);
  for (let draw = 0; draw < DRAWS; draw++) {
    const key = keys.next();
    counts[key] = (counts[key] ?? Number.NaN) + 1;
  }
  return counts;
}

test("without skew all keys get the same share", () => {
  const counts = countKeys(10, 0);
  for (const count of counts) assert.ok(Math.abs(count - DRAWS / 10) < DRAWS * 0.005, `${counts}`);
});

test("with a skew of 1 the nth key gets an nth of what the first gets", () => {
  const counts = countKeys(100, 1);
  const harmonic = Array.from({ length: 100 }, (_, key) => 1 / (key + 1)).reduce((sum, one) => sum + one, 0);
  for (const key of [0, 1, 4, 9]) {
    const expected = DRAWS / harmonic / (key + 1);
    assert.ok(
      Math.abs((counts[key] ?? 0) - expected) < expected * 0.06,
      `key ${key}: ${counts[key]}, not ${expected}`,
    );
  }
});

test("the last key is drawn too, and none beyond it", () => {
  const counts = countKeys(5, 3);
  assert.equal(counts.length, 5);
  assert.ok(
    counts.every((count) => count > 0),
    `${counts}`,
  );
});

test("the same seed draws the same keys, and another use of it draws others", () => {
  const draw = (use: string) => {
    const keys = new KeySkew(seededRandom(3, use), { count: 1000, skew: 0.5 });
    return Array.from({ length: 20 }, () => keys.next());
  };
  assert.deepEqual(draw("keys"), draw("keys"));
  assert.notDeepEqual(draw("keys"), draw("sizes"));
});
