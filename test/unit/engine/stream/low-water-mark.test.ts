import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LowWaterMark } from "../../../../src/engine/stream/low-water-mark.ts";

test("what is settled as it is read costs one place, however much it is, and counts as records", () => {
  const mark = new LowWaterMark({ kind: "oldest" });
  const open = mark.append("1", 0);
  for (let position = 2; position <= 100_000; position++) mark.settle(mark.append(String(position), 0));
  assert.equal(mark.places, 1);
  assert.equal(mark.span, 100_000);
  assert.deepEqual(mark.settledRanges(), [{ from: "2", to: "100000" }]);
  mark.settle(open);
  assert.equal(mark.span, 0);
  assert.deepEqual(mark.resume, { kind: "after", position: "100000" });
});

/** What is settled, told in the plainest way. */
class PlainMark {
  readonly settled: boolean[] = [];

  ranges() {
    const low = this.low;
    const ranges: { from: string; to: string }[] = [];
    for (let index = low; index < this.settled.length; index++) {
      if (this.settled[index] !== true) continue;
      const last = ranges.at(-1);
      if (last !== undefined && Number(last.to) === index) last.to = String(index + 1);
      else ranges.push({ from: String(index + 1), to: String(index + 1) });
    }
    return ranges;
  }

  get low(): number {
    const first = this.settled.indexOf(false);
    return first < 0 ? this.settled.length : first;
  }
}

test("mark and ranges are those of the plain account, in whatever order records are settled", () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("read" as const), isDropped: fc.boolean() }),
    fc.record({ kind: fc.constant("settle" as const), which: fc.nat(1_000) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 600 }), (steps) => {
      const mark = new LowWaterMark({ kind: "oldest" });
      const plain = new PlainMark();
      const open: { ordinal: number; index: number }[] = [];
      for (const each of steps) {
        if (each.kind === "read") {
          const ordinal = mark.append(String(plain.settled.length + 1), 0);
          plain.settled.push(each.isDropped);
          if (each.isDropped) mark.settle(ordinal);
          else open.push({ ordinal, index: plain.settled.length - 1 });
        } else if (open.length > 0) {
          const [taken] = open.splice(each.which % open.length, 1);
          if (taken === undefined) continue;
          mark.settle(taken.ordinal);
          plain.settled[taken.index] = true;
        }
        assert.deepEqual(mark.settledRanges(), plain.ranges());
        assert.equal(mark.span, plain.settled.length - plain.low);
        const resume = plain.low === 0 ? { kind: "oldest" } : { kind: "after", position: String(plain.low) };
        assert.deepEqual(mark.resume, resume);
      }
    }),
    { numRuns: 300 },
  );
});
