import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_SETTINGS } from "../../../../src/engine/settings.ts";
import { CheckpointLoop } from "../../../../src/engine/stream/checkpoint-loop.ts";
import { RepeatedLines } from "../../../../src/lib/repeated-lines.ts";
import type { Checkpoint } from "../../../../src/model/checkpoint.ts";
import { createMemoryStore } from "../../../../src/stores/memory.ts";
import { ManualClock, SILENT_TELEMETRY } from "./small-world.ts";

/** A loop on a store whose writes end when the test says so. */
function slowLoop() {
  const clock = new ManualClock();
  const writes: { checkpoint: Checkpoint; end: (result: "stored" | "fenced") => void; fail: () => void }[] =
    [];
  const fenced: boolean[] = [];
  const loop = new CheckpointLoop({
    store: {
      ...createMemoryStore(),
      checkpoint: (_uuid, _lease, checkpoint) =>
        new Promise((end, reject) => {
          writes.push({ checkpoint, end, fail: () => reject(new Error("timed out")) });
        }),
    },
    mappingUuid: "u",
    mappingName: "m",
    lease: { shardId: "s", owner: "o", epoch: 1 },
    settings: { ...DEFAULT_SETTINGS, checkpointIntervalMs: 100 },
    clock,
    random: { next: () => 0.5, uuid: () => "" },
    telemetry: SILENT_TELEMETRY,
    lines: new RepeatedLines(clock, SILENT_TELEMETRY),
    revision: 7,
    snapshot: () => ({ resume: { kind: "oldest" }, settledRanges: [], ended: false, window: undefined }),
    onStored: () => {},
    onFailure: () => {},
    onFenced: () => fenced.push(true),
    onDefect: (error) => assert.fail(String(error)),
  });
  return { clock, writes, fenced, loop };
}

test("progress made while a write runs goes with the next, after the interval", async () => {
  const { clock, writes, loop } = slowLoop();
  loop.changed();
  await clock.advance(0);
  loop.changed();
  loop.changed();
  await clock.advance(1_000);
  assert.equal(writes.length, 1);
  writes[0]?.end("stored");
  await clock.advance(1_000);
  assert.deepEqual(
    writes.map(({ checkpoint }) => checkpoint.revision),
    [8, 9],
  );
  assert.equal(loop.isDurable, false);
  writes[1]?.end("stored");
  await clock.advance(0);
  assert.equal(loop.isDurable, true);
});

test("a flush and the interval's timer never write at the same time", async () => {
  // Regression: two writes on their way arrived the other way round (simulation, seed 34).
  const { clock, writes, loop } = slowLoop();
  loop.changed();
  await clock.advance(0);
  loop.changed();
  const flushed = loop.flushInTries(3);
  writes[0]?.end("stored");
  await clock.advance(1_000);
  loop.changed();
  await clock.advance(1_000);
  assert.equal(writes.length, 2);
  writes[1]?.end("stored");
  await clock.advance(1_000);
  assert.equal(writes.length, 3);
  writes[2]?.end("stored");
  await flushed;
  assert.equal(loop.isDurable, true);
});

test("a write of unknown effect is written again with a higher revision", async () => {
  const { clock, writes, loop } = slowLoop();
  loop.changed();
  await clock.advance(0);
  writes[0]?.fail();
  await clock.advance(1_000);
  assert.equal(writes[1]?.checkpoint.revision, 9);
});

test("the end of a shard is written at once, whatever the interval", async () => {
  const { clock, writes, loop } = slowLoop();
  loop.changed();
  await clock.advance(0);
  writes[0]?.end("stored");
  await clock.advance(1);
  loop.ended();
  await clock.advance(1);
  assert.equal(writes.length, 2);
});

test("a fenced write ends the loop", async () => {
  const { clock, writes, fenced, loop } = slowLoop();
  loop.changed();
  await clock.advance(0);
  writes[0]?.end("fenced");
  loop.changed();
  await clock.advance(10_000);
  assert.equal(writes.length, 1);
  assert.deepEqual(fenced, [true]);
});
