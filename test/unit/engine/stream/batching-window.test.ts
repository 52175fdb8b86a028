import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BatchingWindow } from "../../../../src/engine/stream/batching-window.ts";
import { ManualClock } from "./small-world.ts";

function windowOf(lengthMs: number, from?: "lastInvocation" | "firstRecord") {
  const clock = new ManualClock();
  return { clock, window: new BatchingWindow(lengthMs, from, clock) };
}

describe("batching window", () => {
  test("there is none of no length", () => {
    assert.equal(windowOf(0).window.isThere, false);
    assert.equal(windowOf(1).window.isThere, true);
  });

  test("a record that comes after windows without records waits for the rest of the present one", async () => {
    const { clock, window } = windowOf(1_000);
    await clock.advance(3_400);
    window.firstQueued();
    assert.equal(window.endsAtMs, 4_000);
  });

  test("the next window begins when the previous invocation completes", async () => {
    const { clock, window } = windowOf(1_000);
    await clock.advance(400);
    window.firstQueued();
    window.batchTaken();
    assert.equal(window.endsAtMs, 1_000, "taking a batch changes nothing");
    await clock.advance(300);
    window.invocationEnded();
    assert.equal(window.endsAtMs, 1_700);
  });

  test("where a window opens with its first record, invocations do not move it, and what a batch leaves opens one", async () => {
    const { clock, window } = windowOf(1_000, "firstRecord");
    await clock.advance(3_400);
    window.firstQueued();
    assert.equal(window.endsAtMs, 4_400);
    await clock.advance(300);
    window.invocationEnded();
    assert.equal(window.endsAtMs, 4_400);
    window.batchTaken();
    assert.equal(window.endsAtMs, 4_700);
  });
});
