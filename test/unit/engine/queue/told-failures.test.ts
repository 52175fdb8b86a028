import assert from "node:assert/strict";
import { test } from "node:test";
import { FAILED, SUCCEEDED } from "../stream/small-world.ts";
import { ids, SmallQueue } from "./small-queue.ts";

/** As queues of brokers: no time-out of their own brings back what failed. */
const TOLD = { fifo: true, visibilityMs: 600_000, isTold: true } as const;

test("a queue that wants to know is told what failed, with pauses that grow, and what is behind comes later", async () => {
  const queue = new SmallQueue({ batchSize: 1 }, TOLD);
  queue.handler = ({ ids: [id] }) => (id === "g1" && queue.receiveCount("g1") < 6 ? FAILED : SUCCEEDED);
  queue.send(...ids("g", 3));
  // Far below the hold: it did not end by itself.
  await queue.clock.advance(60_000);
  assert.deepEqual(queue.deleted, ["g1", "g2", "g3"]);
  const pauses = queue.told.map(({ delayMs }) => delayMs);
  assert.equal(pauses.length, 5);
  assert.deepEqual(
    pauses,
    pauses.toSorted((a, b) => a - b),
  );
  assert.ok((pauses.at(-1) ?? 0) > (pauses[0] ?? 0));
});

test("a queue that wants to know is told of messages that cannot be converted, too", async () => {
  const queue = new SmallQueue({ batchSize: 10 }, TOLD);
  queue.damaged.add("g2");
  queue.send(...ids("g", 3));
  await queue.clock.advance(1_000);
  assert.deepEqual(queue.told[0]?.ids, ["g2"]);
  assert.deepEqual(queue.left, ["g2"]);
});

test("a batch of a queue with order is filled while it waits for its window", async () => {
  const mapping = { batchSize: 10, batchingWindowMs: 5_000, concurrencyMax: 2 };
  const queue = new SmallQueue(mapping, { fifo: true, visibilityMs: 60_000 });
  await queue.clock.advance(1_000);
  queue.send("a1");
  await queue.clock.advance(1_000);
  queue.send("b1", "c1");
  await queue.clock.advance(10_000);
  assert.deepEqual(
    queue.calls.map((call) => call.ids),
    [["a1", "b1", "c1"]],
  );
});
