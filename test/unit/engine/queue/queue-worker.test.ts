import assert from "node:assert/strict";
import { test } from "node:test";
import type { InvocationOutcome } from "../../../../src/model/outcome.ts";
import { answered, FAILED, SUCCEEDED } from "../stream/small-world.ts";
import { ids, SmallQueue } from "./small-queue.ts";

test("messages are invoked in batches and deleted when the function succeeded", async () => {
  const queue = new SmallQueue();
  queue.send(...ids("m", 25));
  await queue.clock.advance(1_000);
  assert.deepEqual(queue.calls.flatMap((call) => call.ids).toSorted(), ids("m", 25).toSorted());
  assert.ok(queue.calls.every((call) => call.ids.length <= 10));
  assert.deepEqual(queue.left, []);
  assert.equal(queue.count("deleted_events"), 25);
});

test("a failed batch is not invoked again; its messages come back when their visibility ends", async () => {
  const queue = new SmallQueue();
  queue.send("m1");
  queue.handler = () => (queue.calls.length === 1 ? FAILED : SUCCEEDED);
  await queue.clock.advance(29_000);
  assert.equal(queue.calls.length, 1);
  await queue.clock.advance(5_000);
  assert.equal(queue.calls.length, 2);
  assert.deepEqual(queue.left, []);
});

test("a mapping is not caught up while a failed message is hidden, however long it waits in vain", async () => {
  const queue = new SmallQueue({}, { visibilityMs: 60_000 });
  queue.send("m1");
  queue.handler = () => (queue.calls.length === 1 ? FAILED : SUCCEEDED);
  const isCaughtUp = () => queue.engine.status().every(({ caughtUp }) => caughtUp);
  await queue.clock.advance(55_000);
  assert.equal(queue.calls.length, 1);
  assert.equal(isCaughtUp(), false);
  await queue.clock.advance(60_000);
  assert.deepEqual(queue.left, []);
  assert.equal(isCaughtUp(), true);
});

test("a batch of many receives waits for its size or its window", async () => {
  const queue = new SmallQueue({ batchSize: 100, batchingWindowMs: 5_000 });
  queue.send(...ids("m", 30));
  await queue.clock.advance(4_000);
  assert.equal(queue.calls.length, 0);
  await queue.clock.advance(1_100);
  assert.deepEqual(
    queue.calls.map((call) => call.ids.length),
    [30],
  );
  queue.send(...ids("n", 100));
  await queue.clock.advance(1_000);
  assert.deepEqual(
    queue.calls.map((call) => call.ids.length),
    [30, 100],
  );
});

test("what a full batch leaves behind waits its own window, not another since that batch", async () => {
  const queue = new SmallQueue({ batchSize: 2, batchingWindowMs: 5_000, concurrencyMax: 2 });
  const ends: (() => void)[] = [];
  queue.handler = () => new Promise((resolve) => ends.push(() => resolve(SUCCEEDED)));
  queue.send("m1", "m2", "m3", "m4");
  await queue.clock.advance(2_000);
  assert.equal(queue.calls.length, 2, "no place is free");
  queue.send("m5", "m6", "m7");
  await queue.clock.advance(4_000);
  for (const end of ends) end();
  await queue.clock.advance(900);
  assert.deepEqual(queue.calls[2]?.ids, ["m5", "m6"]);
  assert.equal(queue.calls.length, 3);
  await queue.clock.advance(600);
  assert.deepEqual(queue.calls[3]?.ids, ["m7"]);
});

test("throttled: the same batch again while its visibility lasts, then it is let go", async () => {
  const queue = new SmallQueue();
  queue.send("m1");
  queue.handler = () => ({ kind: "throttled", retryAfterMs: undefined });
  await queue.clock.advance(29_000);
  const requestIds = new Set(queue.calls.map((call) => call.requestId));
  assert.ok(queue.calls.length > 3, `${queue.calls.length} tries`);
  assert.equal(requestIds.size, 1);
  assert.equal(queue.receiveCount("m1"), 1);
  queue.handler = () => SUCCEEDED;
  await queue.clock.advance(10_000);
  assert.equal(requestIds.has(queue.calls.at(-1)?.requestId ?? ""), false, "it came again as a new batch");
  assert.deepEqual(queue.left, []);
});

test("a partial response deletes the others at once and leaves the listed ones to their visibility", async () => {
  const queue = new SmallQueue({ reportBatchItemFailures: true });
  queue.send("m1", "m2", "m3");
  queue.handler = ({ ids: batch }) =>
    answered({
      batchItemFailures:
        queue.calls.length === 1 ? batch.slice(1, 2).map((id) => ({ itemIdentifier: id })) : [],
    });
  await queue.clock.advance(1_000);
  assert.deepEqual(queue.left, ["m2"]);
  await queue.clock.advance(31_000);
  assert.deepEqual(
    queue.calls.map((call) => call.ids),
    [["m1", "m2", "m3"], ["m2"]],
  );
});

for (const body of [
  "{not json",
  '{"batchItemFailures":[{"itemIdentifier":""}]}',
  '{"batchItemFailures":[{"itemIdentifier":null}]}',
  '{"batchItemFailures":[{"foo":"notvalid"}]}',
  '{"batchItemFailures":[{"itemIdentifier":"somebody else"}]}',
]) {
  test(`with ReportBatchItemFailures the response ${body} fails the whole batch`, async () => {
    const queue = new SmallQueue({ reportBatchItemFailures: true });
    queue.send("m1", "m2");
    queue.handler = () => ({ kind: "succeeded", payload: Buffer.from(body) });
    await queue.clock.advance(1_000);
    assert.deepEqual(queue.left, ["m1", "m2"]);
  });
}

test("a function slower than half the visibility causes no redelivery, nor do messages that wait for it", async () => {
  const queue = new SmallQueue({ batchSize: 1, concurrencyMax: 2 });
  queue.send(...ids("m", 6));
  queue.handler = () => new Promise((resolve) => queue.clock.schedule(19_000, () => resolve(SUCCEEDED)));
  await queue.clock.advance(90_000);
  assert.deepEqual(queue.left, []);
  assert.deepEqual(queue.calls.flatMap((call) => call.ids).toSorted(), ids("m", 6));
  assert.equal(queue.count("lost_holds"), 0);
});

test("no more batches run at once than MaximumConcurrency, and no receive is made without room", async () => {
  const queue = new SmallQueue({ batchSize: 1, concurrencyMax: 3 });
  queue.send(...ids("m", 200));
  queue.handler = () => new Promise(() => {});
  await queue.clock.advance(20_000);
  assert.equal(queue.calls.length, 3);
  const received = ids("m", 200).filter((id) => queue.receiveCount(id) > 0).length;
  assert.ok(received <= 3 + 3 * 10, `${received} messages in hand`);
});

test("batches at once begin at five, grow by at most 300 a minute while there is more, and halve on errors", async () => {
  const queue = new SmallQueue({ batchSize: 1 });
  queue.send(...ids("m", 2_000));
  let running = 0;
  let most = 0;
  const slow = (outcome: InvocationOutcome) => () => {
    most = Math.max(most, ++running);
    return new Promise<InvocationOutcome>((resolve) =>
      queue.clock.schedule(1_000, () => {
        running--;
        resolve(outcome);
      }),
    );
  };
  queue.handler = slow(SUCCEEDED);
  await queue.clock.advance(900);
  assert.equal(most, 5);
  await queue.clock.advance(10_000);
  assert.ok(most > 20 && most <= 60, `${most} after 11 s`);
  queue.handler = slow(FAILED);
  await queue.clock.advance(8_000);
  assert.ok(running <= 5, `${running} run while the function fails`);
});

test("a message that no pattern matches is deleted without an invocation", async () => {
  const queue = new SmallQueue({ filterPatterns: ['{"body":[{"prefix":"good"}]}'] });
  queue.send("good1", "bad1", "good2");
  await queue.clock.advance(1_000);
  assert.deepEqual(
    queue.calls.flatMap((call) => call.ids),
    ["good1", "good2"],
  );
  assert.deepEqual(queue.left, []);
  assert.equal(queue.count("filtered_out_events"), 1);
});

test("a delete that fails is tried again while the hold lasts", async () => {
  const queue = new SmallQueue();
  queue.send("m1");
  let tries = 0;
  queue.acknowledging = () => (++tries < 3 ? "failed" : "settled");
  await queue.clock.advance(2_000);
  assert.deepEqual(queue.left, []);
  assert.equal(queue.calls.length, 1);
});

test("FIFO: groups keep their order, one batch of a group at a time, and a failing group blocks no other", async () => {
  const queue = new SmallQueue({ batchSize: 2 }, { fifo: true });
  queue.send("a1", "a2", "a3", "b1", "b2", "c1");
  queue.handler = ({ ids: batch }) => (batch.includes("a1") && queue.calls.length < 5 ? FAILED : SUCCEEDED);
  await queue.clock.advance(10_000);
  const before = queue.calls.flatMap((call) => call.ids);
  assert.deepEqual(before.filter((id) => !id.startsWith("a")).toSorted(), ["b1", "b2", "c1"]);
  assert.ok(!queue.deleted.includes("a3"), "nothing of the group overtakes its failed message");
  await queue.clock.advance(120_000);
  assert.deepEqual(queue.left, []);
  const order = (group: string) => queue.deleted.filter((id) => id.startsWith(group));
  assert.deepEqual(order("a"), ["a1", "a2", "a3"]);
  assert.deepEqual(order("b"), ["b1", "b2"]);
});

test("FIFO: a listed failure is all that fails, unless later messages of its group are to be held back", async () => {
  const outcomes = [false, true].map(async (strictAwsFifo) => {
    const queue = new SmallQueue({ reportBatchItemFailures: true, strictAwsFifo }, { fifo: true });
    queue.send("a1", "a2", "b1");
    queue.handler = () => answered({ batchItemFailures: [{ itemIdentifier: "a1" }] });
    await queue.clock.advance(1_000);
    return queue.deleted;
  });
  assert.deepEqual(await Promise.all(outcomes), [["b1"], ["a2", "b1"]]);
});

test("what outlasts the drain is neither deleted nor released: it comes again when its visibility ends", async () => {
  const queue = new SmallQueue();
  queue.send("m1");
  queue.handler = () => new Promise(() => {});
  await queue.clock.advance(1_000);
  const stop = queue.engine.stop(1_000);
  await queue.clock.advance(10_000);
  await stop;
  assert.deepEqual(queue.left, ["m1"]);
});

test("regression: a hold begins when its receive answers: one that waited longer than the visibility loses nothing", async () => {
  const queue = new SmallQueue({}, { visibilityMs: 10_000 });
  queue.handler = () => new Promise((resolve) => queue.clock.schedule(9_000, () => resolve(SUCCEEDED)));
  await queue.clock.advance(15_000);
  queue.send("m1");
  await queue.clock.advance(40_000);
  assert.equal(queue.calls.length, 1);
  assert.equal(queue.count("lost_holds"), 0);
  assert.deepEqual(queue.left, []);
});
