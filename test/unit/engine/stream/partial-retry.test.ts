import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { BufferedRecord } from "../../../../src/engine/stream/buffered-record.ts";
import { splitByFailures } from "../../../../src/engine/stream/partial-retry.ts";

function batchOf(keys: readonly (string | undefined)[]): BufferedRecord[] {
  return keys.map((key, ordinal) => ({
    ordinal,
    read: { monotonicMs: 0, wallMs: 0, answeredMs: undefined, logId: undefined },
    record: { position: String(ordinal), key, arrivalMs: 0, bytes: 1, encodedBytes: 1 },
  }));
}

const ordinals = (records: readonly BufferedRecord[]) => records.map(({ ordinal }) => ordinal);

test("fromFirst: the first record that failed and all behind it come again", () => {
  const split = splitByFailures(batchOf(["a", "b", "a", "c"]), new Set([3, 1]), "fromFirst");
  assert.deepEqual([ordinals(split.settled), ordinals(split.again)], [[0], [1, 2, 3]]);
});

test("listed: the others are settled, but for later records of a failed one's key", () => {
  const split = splitByFailures(batchOf(["a", "b", "a", "c", "b"]), new Set([1]), "listed");
  assert.deepEqual(
    [ordinals(split.settled), ordinals(split.again)],
    [
      [0, 2, 3],
      [1, 4],
    ],
  );
});

test("listed: records without a key hold back nobody", () => {
  const split = splitByFailures(batchOf([undefined, undefined, "", ""]), new Set([0, 2]), "listed");
  assert.deepEqual([ordinals(split.settled), ordinals(split.again)], [[1], [0, 2, 3]]);
});

test("every record is settled or comes again, in order, and none is settled behind a failed one of its key", () => {
  const batch = fc.array(fc.option(fc.constantFrom("a", "b", "c"), { nil: undefined }), {
    minLength: 1,
    maxLength: 30,
  });
  const property = fc.property(batch, fc.uniqueArray(fc.nat(29), { minLength: 1 }), (keys, chosen) => {
    const failed = new Set(chosen.map((index) => index % keys.length));
    for (const rule of ["listed", "fromFirst"] as const) {
      const { settled, again } = splitByFailures(batchOf(keys), failed, rule);
      assert.deepEqual(
        [...ordinals(settled), ...ordinals(again)].sort((a, b) => a - b),
        keys.map((_, index) => index),
      );
      assert.deepEqual(
        ordinals(again),
        ordinals(again).toSorted((a, b) => a - b),
      );
      for (const index of failed) assert.ok(ordinals(again).includes(index));
      for (const { ordinal, record } of settled) {
        const isBehind = [...failed].some((index) => index < ordinal && keys[index] === record.key);
        assert.ok(record.key === undefined || !isBehind);
      }
    }
  });
  fc.assert(property, { numRuns: 500 });
});
