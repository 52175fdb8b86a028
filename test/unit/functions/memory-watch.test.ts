import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryWatch, type WatchedHeap } from "../../../src/functions/memory-watch.ts";
import { createManualClock } from "./manual-clock.ts";

const MB = 1024 * 1024;

function createHeap(usedMb: number | Error): WatchedHeap & { exceeded: number } {
  return {
    exceeded: 0,
    usedHeapBytes: async () => {
      if (usedMb instanceof Error) throw usedMb;
      return usedMb * MB;
    },
    onHeapExceeded() {
      this.exceeded += 1;
    },
  };
}

test("stops the workers whose heap is above twice their memory, and no others", async () => {
  const clock = createManualClock();
  const heaps = [createHeap(199), createHeap(201), createHeap(new Error("gone"))];
  const watch = new MemoryWatch(clock, 100, () => heaps);
  watch.wake();
  clock.advance(300);
  await new Promise(setImmediate);
  assert.deepEqual(
    heaps.map((heap) => heap.exceeded),
    [0, 1, 0],
  );
  watch.close();
  assert.equal(clock.scheduledCalls, 0);
});

test("rests while nothing runs", () => {
  const clock = createManualClock();
  const watch = new MemoryWatch(clock, 100, () => []);
  watch.wake();
  watch.wake();
  assert.equal(clock.scheduledCalls, 1);
  clock.advance(300);
  assert.equal(clock.scheduledCalls, 0);
});
