import assert from "node:assert/strict";
import { test } from "node:test";
import { FAILED, SUCCEEDED } from "../stream/small-world.ts";
import { ids, SmallQueue } from "./small-queue.ts";

test("counts a message that comes again as a retry, and its first wait only once", async () => {
  const queue = new SmallQueue({ batchSize: 1 }, { visibilityMs: 20_000 });
  queue.handler = () => (queue.calls.length === 1 ? FAILED : SUCCEEDED);
  queue.send("a1");
  await queue.clock.advance(60_000);
  assert.equal(queue.calls.length, 2);
  assert.equal(queue.count("retries"), 1);
  assert.equal(queue.observations.get("put_to_invoke_seconds")?.length, 1);
});

test("counts a partial response of a queue", async () => {
  const queue = new SmallQueue({ batchSize: 10, batchingWindowMs: 1000, reportBatchItemFailures: true });
  queue.handler = ({ ids: [first] }) =>
    queue.calls.length > 1
      ? SUCCEEDED
      : {
          kind: "succeeded",
          payload: Buffer.from(JSON.stringify({ batchItemFailures: [{ itemIdentifier: first }] })),
        };
  queue.send(...ids("a", 4));
  await queue.clock.advance(10_000);
  assert.equal(queue.count("partial_failures"), 1);
});

test("shows receives at once, the limit of batches at once, and the age of the oldest message in hand", async () => {
  const queue = new SmallQueue({ batchSize: 1 });
  const answer = Promise.withResolvers<typeof SUCCEEDED>();
  queue.handler = () => answer.promise;
  queue.send("a1");
  await queue.clock.advance(5000);
  assert.ok((queue.gauges.get("queue_receivers") ?? 0) >= 1);
  assert.ok((queue.gauges.get("queue_concurrency_limit") ?? 0) >= 2);
  assert.equal(queue.engine.status()[0]?.oldestAgeMs, 5000);
  answer.resolve(SUCCEEDED);
  await queue.clock.advance(1000);
  assert.equal(queue.engine.status()[0]?.oldestAgeMs, 0);
  const stop = queue.engine.stop(20_000);
  await queue.clock.advance(30_000);
  await stop;
  assert.equal(queue.gauges.get("queue_receivers"), 0);
});

test("shows as the limit of batches at once what this process may run of a maximum that others share", async () => {
  const mapping = { batchSize: 1, concurrencyMax: 4 };
  const first = new SmallQueue(mapping);
  await first.clock.advance(5_000);
  assert.equal(first.gauges.get("queue_concurrency_limit"), 4);
  const { clock, store } = first;
  const second = new SmallQueue(mapping, { clock, store, owner: "process-2" });
  await clock.advance(20_000);
  const limits = [first, second].map(({ gauges }) => gauges.get("queue_concurrency_limit"));
  assert.deepEqual(limits, [2, 2]);
});
