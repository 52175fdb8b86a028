import assert from "node:assert/strict";
import { test } from "node:test";
import type { InvocationOutcome } from "../../../../src/model/outcome.ts";
import { FAILED, SUCCEEDED } from "../stream/small-world.ts";
import { SmallQueue } from "./small-queue.ts";

const TOO_LARGE: InvocationOutcome = { kind: "payloadTooLarge" };
const FAILS = "PROBLEM: Function call failed";

test("a batch of messages that is too large for what stands before the function is split", async () => {
  const queue = new SmallQueue({ batchSize: 4 });
  queue.send("a", "b", "c", "d");
  queue.handler = ({ ids }) => (ids.length > 1 ? TOO_LARGE : SUCCEEDED);
  await queue.clock.advance(1_000);
  assert.deepEqual(queue.deleted.toSorted(), ["a", "b", "c", "d"]);
  assert.ok(queue.calls.every(({ receiveCounts }) => receiveCounts.every((count) => count === 1)));
  assert.equal(queue.count("batch_splits"), 3);
});

test("of a batch that is split a group does not go on behind a message that failed", async () => {
  const queue = new SmallQueue({ batchSize: 4 }, { fifo: true });
  queue.send("a1", "b1", "a2", "b2");
  queue.handler = ({ ids }) => {
    if (ids.length > 2) return TOO_LARGE;
    return ids.includes("a1") && ids.length > 1 ? TOO_LARGE : ids.includes("a1") ? FAILED : SUCCEEDED;
  };
  await queue.clock.advance(1_000);
  assert.deepEqual(
    queue.calls.map(({ ids }) => ids),
    [["a1", "b1", "a2", "b2"], ["a1", "b1"], ["a1"], ["b1"], ["b2"]],
  );
  assert.deepEqual(queue.deleted, ["b1", "b2"]);
});

test("a message whose size is refused stays for the queue's own redrive, and is told at once", async () => {
  const queue = new SmallQueue({ batchSize: 1 });
  queue.send("a");
  queue.handler = () => TOO_LARGE;
  await queue.clock.advance(1_000);
  assert.deepEqual(queue.left, ["a"]);
  assert.equal(queue.engine.status()[0]?.lastProcessingResult, FAILS);
  assert.ok(queue.count("too_large_events") > 0);
});

for (const outcome of [
  { kind: "throttled", retryAfterMs: undefined },
  { kind: "unavailable", message: "connection refused" },
] as const) {
  test(`a function of a queue that is ${outcome.kind} is told in the mapping's last result`, async () => {
    const queue = new SmallQueue({ batchSize: 1 });
    queue.send("a");
    queue.handler = () => outcome;
    await queue.clock.advance(1_000);
    assert.equal(queue.engine.status()[0]?.lastProcessingResult, FAILS);
  });
}
