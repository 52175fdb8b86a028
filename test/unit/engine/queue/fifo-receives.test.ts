import assert from "node:assert/strict";
import { test } from "node:test";
import { answered, FAILED, SUCCEEDED } from "../stream/small-world.ts";
import { ids, SmallQueue } from "./small-queue.ts";

const FIFO = { fifo: true, visibilityMs: 20_000, receivesMax: 5 };

test("FIFO: behind a message that always fails none is dead-lettered unseen (one group, batches of one)", async () => {
  const queue = new SmallQueue({ batchSize: 1 }, FIFO);
  queue.handler = ({ ids: [id] }) => (id === "g1" ? FAILED : SUCCEEDED);
  queue.send(...ids("g", 10));
  await queue.clock.advance(400_000);
  assert.deepEqual(queue.dead, ["g1"]);
  assert.deepEqual(queue.deleted, ids("g", 10).slice(1));
  assert.equal(queue.count("unseen_receives"), 0);
});

for (const receivesMax of [1, 2, 3]) {
  test(`FIFO: what a partial response does not list is done, and nothing of it is dead-lettered (maxReceiveCount ${receivesMax})`, async () => {
    const queue = new SmallQueue(
      { reportBatchItemFailures: true, strictAwsFifo: true },
      { ...FIFO, receivesMax },
    );
    queue.handler = (call) =>
      answered({ batchItemFailures: call.ids.includes("g1") ? [{ itemIdentifier: "g1" }] : [] });
    queue.send(...ids("g", 10));
    await queue.clock.advance(200_000);
    assert.deepEqual(queue.dead, ["g1"]);
    assert.deepEqual(queue.deleted, ids("g", 10).slice(1));
  });
}

test("FIFO: many groups under a small maximum: no message is received that cannot start", async () => {
  const queue = new SmallQueue({ batchSize: 2, concurrencyMax: 3 }, { ...FIFO, receivesMax: 1 });
  queue.handler = () => new Promise((resolve) => queue.clock.schedule(3_000, () => resolve(SUCCEEDED)));
  for (const group of "abcdefgh") queue.send(...ids(group, 3));
  await queue.clock.advance(10_000);
  assert.ok(queue.messagesMax.every((most) => most <= 2));
  assert.ok(queue.gauges.get("buffered_records") === 0, "nothing waits");
  await queue.clock.advance(60_000);
  assert.deepEqual([queue.left, queue.dead], [[], []]);
});

test("FIFO: more batches run at once while there is more to do, though nothing waits here", async () => {
  const queue = new SmallQueue({ batchSize: 1 }, { ...FIFO, visibilityMs: 60_000 });
  queue.handler = () => new Promise((resolve) => queue.clock.schedule(200, () => resolve(SUCCEEDED)));
  for (let group = 0; group < 600; group++) queue.send(`g${group}x1`);
  await queue.clock.advance(60_000);
  assert.ok(
    (queue.gauges.get("queue_concurrency_limit") ?? 0) > 10,
    `${queue.gauges.get("queue_concurrency_limit")}`,
  );
  assert.deepEqual(queue.left, []);
});

test("FIFO: messages too large for one batch together cost a receive once, not every time", async () => {
  const queue = new SmallQueue({ batchSize: 10 }, { ...FIFO, settings: { payloadBytesMax: 250 } });
  queue.handler = ({ ids: [id] }) => (id === "g3" && queue.receiveCount("g3") < 4 ? FAILED : SUCCEEDED);
  queue.send(...ids("g", 10));
  await queue.clock.advance(300_000);
  assert.deepEqual([queue.left, queue.dead], [[], []]);
  assert.ok(queue.messagesMax.at(-1) === 2, `asks for ${queue.messagesMax.at(-1)}`);
});

test("FIFO: what an update took over runs together though batches are smaller by then: none is dead-lettered unseen", async () => {
  const mapping = { batchSize: 4, reportBatchItemFailures: true, strictAwsFifo: true };
  const queue = new SmallQueue(mapping, { ...FIFO, receivesMax: 1 });
  queue.handler = (call) =>
    answered({ batchItemFailures: call.ids.includes("g2") ? [{ itemIdentifier: "g2" }] : [] });
  await queue.clock.advance(1_000);
  const stop = queue.engine.stopMapping(queue.mapping.uuid, 25_000, { isFollowed: true });
  await queue.clock.advance(0);
  await stop;
  queue.send(...ids("g", 4));
  await queue.clock.advance(150);
  queue.startMapping({ batchSize: 1 });
  await queue.clock.advance(60_000);
  assert.deepEqual([queue.dead, [...queue.seen]], [["g2"], ids("g", 4)]);
  assert.equal(queue.count("unseen_receives"), 0);
  queue.send(...ids("h", 3));
  await queue.clock.advance(10_000);
  assert.deepEqual(queue.calls.at(-1)?.ids, ["h3"], "what is received later goes alone");
});
