import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Checkpoint, initialCheckpoint } from "../../../src/model/checkpoint.ts";
import { readCheckpoint, readStrings, writeCheckpoint } from "../../../src/stores/checkpoint-json.ts";

const anyStart = fc.oneof(
  fc.constant({ kind: "oldest" } as const),
  fc.nat().map((epochMs) => ({ kind: "timestamp" as const, epochMs })),
  fc.string({ unit: "grapheme" }).map((position) => ({ kind: "after" as const, position })),
);
const anyRange = fc.tuple(fc.string(), fc.string()).map(([from, to]) => ({ from, to }));
const anyWindow = fc.tuple(fc.nat(), fc.json()).map(([startMs, stateJson]) => ({ startMs, stateJson }));
const anyCheckpoint: fc.Arbitrary<Checkpoint> = fc
  .tuple(fc.nat(), anyStart, fc.array(anyRange), fc.boolean(), fc.option(anyWindow, { nil: undefined }))
  .map(([revision, resume, settledRanges, ended, window]) => ({
    revision,
    resume,
    settledRanges,
    ended,
    window,
  }));

test("any checkpoint comes back as it was written", () => {
  fc.assert(
    fc.property(anyCheckpoint, (checkpoint) => {
      assert.deepEqual(readCheckpoint(writeCheckpoint(checkpoint)), checkpoint);
    }),
  );
});

test("a text that was cut off anywhere is not a checkpoint", () => {
  const text = writeCheckpoint({
    ...initialCheckpoint({ kind: "after", position: "17" }),
    settledRanges: [{ from: "19", to: "20" }],
  });
  for (let length = 0; length < text.length; length++)
    assert.equal(readCheckpoint(text.slice(0, length)), undefined);
  assert.ok(readCheckpoint(text) !== undefined);
});

test("a member that is missing or of another type makes it no checkpoint", () => {
  const whole = initialCheckpoint({ kind: "oldest" });
  const changes: readonly object[] = [
    { revision: "1" },
    { revision: 1.5 },
    { revision: undefined },
    { resume: undefined },
    { resume: null },
    { resume: { kind: "newest" } },
    { resume: { kind: "after" } },
    { resume: { kind: "after", position: 17 } },
    { resume: { kind: "timestamp", epochMs: "1" } },
    { settledRanges: undefined },
    { settledRanges: {} },
    { settledRanges: [null] },
    { settledRanges: [{ from: "1" }] },
    { ended: 0 },
    { window: null },
    { window: { startMs: 0 } },
    { window: { startMs: 0, stateJson: {} } },
  ];
  for (const change of changes) {
    const text = JSON.stringify({ ...whole, ...change });
    assert.equal(readCheckpoint(text), undefined, text);
  }
});

test("any text is read as a checkpoint or as none, and never throws", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      readCheckpoint(text);
      readStrings(text);
    }),
  );
  assert.deepEqual(readStrings('["a","b"]'), ["a", "b"]);
  assert.equal(readStrings('["a",1]'), undefined);
});
