import assert from "node:assert/strict";
import { test } from "node:test";
import { FAILED, ManualClock, SUCCEEDED } from "../stream/small-world.ts";
import { SmallQueue } from "./small-queue.ts";

function explain(queue: SmallQueue) {
  const explanation = queue.engine.explain(queue.mapping.uuid);
  assert(explanation?.kind === "queue");
  return explanation;
}

test("says of a group which message failed, why, and when it comes again; and forgets it then", async () => {
  const queue = new SmallQueue({ batchSize: 1 }, { fifo: true, visibilityMs: 30_000 });
  queue.send("a1", "a2", "b1");
  queue.handler = ({ ids }) => (ids.includes("a1") ? FAILED : SUCCEEDED);
  await queue.clock.advance(1_000);
  const { failedMessages } = explain(queue);
  const errorId = failedMessages[0]?.errorId;
  assert.match(errorId ?? "", /^[0-9a-f]{4}$/);
  assert.deepEqual(failedMessages, [
    {
      messageId: "a1",
      group: "a",
      receiveCount: 1,
      problem: "Error",
      errorId,
      failure: "functionFails",
      againMs: ManualClock.startMs + 30_000,
    },
  ]);
  queue.handler = () => SUCCEEDED;
  await queue.clock.advance(40_000);
  assert.deepEqual(explain(queue).failedMessages, []);
});

test("shows batches that run with their groups, and that nothing waits behind them", async () => {
  const queue = new SmallQueue({ batchSize: 1 }, { fifo: true });
  const { promise, resolve } = Promise.withResolvers<typeof SUCCEEDED>();
  queue.handler = () => promise;
  queue.send("a1", "a2", "a3", "b1");
  await queue.clock.advance(200);
  const { batches, waitingGroups, runningBatches, function: fn } = explain(queue);
  assert.deepEqual(
    batches.map(({ doing, groups, firstRecord, attempts }) => [doing, groups, firstRecord, attempts]),
    [
      ["invoking", ["a"], "a1", 1],
      ["invoking", ["b"], "b1", 1],
    ],
  );
  assert.deepEqual([runningBatches, waitingGroups], [2, []]);
  assert.deepEqual([fn.ownRunning, fn.ownWaiting], [2, 0]);
  resolve(SUCCEEDED);
  await queue.clock.advance(1_000);
  assert.deepEqual([explain(queue).batches, explain(queue).waitingMessages], [[], 0]);
});

test("shows batches that wait for their turn and one that is throttled, with its next attempt", async () => {
  const queue = new SmallQueue({ batchSize: 1 }, { concurrency: 1 });
  const { promise, resolve } = Promise.withResolvers<typeof SUCCEEDED>();
  queue.handler = () => promise;
  queue.send("m1", "m2");
  await queue.clock.advance(100);
  const { batches, function: fn } = explain(queue);
  assert.deepEqual(
    batches.map(({ doing }) => doing),
    ["invoking", "queued"],
  );
  assert.deepEqual([fn.limit, fn.running, fn.ownWaiting], [1, 1, 1]);

  queue.handler = () => ({ kind: "throttled", retryAfterMs: 5_000 });
  resolve(SUCCEEDED);
  await queue.clock.advance(100);
  const [batch] = explain(queue).batches;
  assert.deepEqual(
    [batch?.doing, batch?.throttles, batch?.lastProblem, batch?.nextAttemptMs],
    ["pausing", 1, "throttled", ManualClock.startMs + 5_100],
  );
});
