import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  decodeCommitMetadata,
  encodeCommitMetadata,
  METADATA_BYTES_MAX,
} from "../../../../connectors/kafka/commit-metadata.ts";

/** Disjoint ranges in order behind `offset`, from gaps and lengths. */
function rangesFrom(offset: number, steps: readonly (readonly [gap: number, more: number])[]) {
  let next = offset;
  return steps.map(([gap, more]) => {
    const from = next + gap;
    next = from + more + 1;
    return { from: String(from), to: String(from + more) };
  });
}

const OFFSET = fc.maxSafeNat().map((offset) => Math.floor(offset / 4));
const STEPS = (maxLength: number) => fc.array(fc.tuple(fc.nat(1_000_000), fc.nat(1_000_000)), { maxLength });

test("gives back what was written", () => {
  fc.assert(
    fc.property(OFFSET, fc.nat(), STEPS(200), (offset, revision, steps) => {
      const notes = { revision, settledRanges: rangesFrom(offset, steps) };
      assert.deepEqual(decodeCommitMetadata(offset, encodeCommitMetadata(offset, notes)), notes);
    }),
  );
});

test("stays within its bytes and leaves out what is farthest only", () => {
  fc.assert(
    fc.property(
      OFFSET,
      fc.array(fc.tuple(fc.integer({ min: 1, max: 40 }), fc.nat(40)), { maxLength: 3_000 }),
      (offset, steps) => {
        const settledRanges = rangesFrom(offset, steps);
        const text = encodeCommitMetadata(offset, { revision: 1, settledRanges });
        assert.ok(Buffer.byteLength(text) <= METADATA_BYTES_MAX);
        const read = decodeCommitMetadata(offset, text)?.settledRanges ?? [];
        const [last, ...whole] = read.toReversed();
        assert.deepEqual(whole.toReversed(), settledRanges.slice(0, whole.length));
        const cut = settledRanges[whole.length];
        assert.equal(last?.from, cut?.from);
        assert.ok(Number(last?.to ?? 0) <= Number(cut?.to ?? 0));
      },
    ),
    { numRuns: 200 },
  );
});

test("holds every pattern of settled records of a full window", () => {
  fc.assert(
    fc.property(OFFSET, fc.infiniteStream(fc.boolean()), (offset, isSettled) => {
      const settledRanges: { from: string; to: string }[] = [];
      for (let index = 0; index < 10_000; index++) {
        if (isSettled.next().value)
          settledRanges.push({ from: String(offset + 2 * index), to: String(offset + 2 * index) });
      }
      const text = encodeCommitMetadata(offset, { revision: 9, settledRanges });
      assert.deepEqual(decodeCommitMetadata(offset, text), { revision: 9, settledRanges });
    }),
    { numRuns: 10 },
  );
});

test("a range that begins before the committed offset is cut there", () => {
  const text = encodeCommitMetadata(10, { revision: 1, settledRanges: [{ from: "8", to: "12" }] });
  assert.deepEqual(decodeCommitMetadata(10, text)?.settledRanges, [{ from: "10", to: "12" }]);
});

test("ignores metadata of others, of other versions, of other offsets, and what is damaged", () => {
  const good = encodeCommitMetadata(7, { revision: 3, settledRanges: [{ from: "9", to: "10" }] });
  assert.notEqual(decodeCommitMetadata(7, good), undefined);
  assert.equal(decodeCommitMetadata(8, good), undefined);
  for (const foreign of [
    null,
    "",
    "some text",
    good.replace("/1 ", "/2 "),
    `${good},`,
    `${good} `,
    "x".repeat(5_000),
  ]) {
    assert.equal(decodeCommitMetadata(7, foreign), undefined, String(foreign));
  }
  const huge = "zzzzzzzzzzz";
  for (const text of [
    `millrace/1 7 1 r${huge}.1`,
    `millrace/1 7 ${huge} r`,
    "millrace/1 7 1 r1.1,,1.1",
    "millrace/1 7 1 b=",
    "millrace/1 7 1 x",
  ]) {
    assert.equal(decodeCommitMetadata(7, text), undefined, text);
  }
});

test("never throws, and what it takes is in order and behind the offset", () => {
  const almost = fc.stringMatching(/^millrace\/1 [0-9a-z]{0,3} [0-9a-z]{0,12} [rb][0-9a-z.,]{0,40}$/);
  fc.assert(
    fc.property(fc.nat(50_000), fc.oneof(fc.string(), almost), (offset, text) => {
      let next = offset;
      for (const { from, to } of decodeCommitMetadata(offset, text)?.settledRanges ?? []) {
        assert.ok(Number(from) >= next && Number(to) >= Number(from));
        next = Number(to) + 1;
      }
    }),
  );
});

test("keeps the log that the offsets belong to, beside ranges and beside bits", () => {
  const logId = "FPruNZFgSManF9HXtVJmMQ~0.0,3.5k,1f.a1";
  const many = Array.from({ length: 2_000 }, (_, index) => ({
    from: String(9 + 2 * index),
    to: String(9 + 2 * index),
  }));
  for (const settledRanges of [[], [{ from: "9", to: "10" }], many]) {
    const notes = { revision: 3, settledRanges, logId };
    const text = encodeCommitMetadata(7, notes);
    assert.deepEqual(decodeCommitMetadata(7, text), notes);
    assert.equal(decodeCommitMetadata(8, text), undefined);
  }
});
