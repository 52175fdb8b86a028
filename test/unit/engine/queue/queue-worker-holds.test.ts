import assert from "node:assert/strict";
import { test } from "node:test";
import type { InvocationOutcome } from "../../../../src/model/outcome.ts";
import { FAILED, SUCCEEDED } from "../stream/small-world.ts";
import { ids, SmallQueue } from "./small-queue.ts";

/** Each was found by the simulation. */

const THROTTLED: InvocationOutcome = { kind: "throttled", retryAfterMs: undefined };

function after(queue: SmallQueue, delayMs: number, outcome: InvocationOutcome): Promise<InvocationOutcome> {
  return new Promise((resolve) => queue.clock.schedule(delayMs, () => resolve(outcome)));
}

test("a receive whose answer took longer than the hold starts nothing: the message is somebody else's", async () => {
  const queue = new SmallQueue({}, { visibilityMs: 4_000 });
  queue.receiveAnswerMs = 5_000;
  queue.send("m1");
  await queue.clock.advance(100);
  queue.receiveAnswerMs = 0;
  await queue.clock.advance(20_000);
  assert.equal(queue.calls.length, 1);
  assert.deepEqual(queue.calls[0]?.receiveCounts, [2]);
  assert.deepEqual(queue.left, []);
});

test("the hold of a batch that was throttled before is kept while the function works on it", async () => {
  const queue = new SmallQueue({}, { visibilityMs: 10_000, settings: { backoffBaseMs: 4_000 } });
  queue.send("m1");
  queue.handler = () => (queue.calls.length < 3 ? THROTTLED : after(queue, 15_000, SUCCEEDED));
  await queue.clock.advance(60_000);
  assert.equal(queue.calls.length, 3);
  assert.deepEqual(queue.left, []);
});

test("no batch starts when its hold ran out while it waited for the function, and extensions hang", async () => {
  const queue = new SmallQueue({ batchSize: 1, concurrencyMax: 2 }, { visibilityMs: 10_000, concurrency: 1 });
  queue.send("m1", "m2");
  queue.extending = () => "failed";
  queue.extendAnswerMs = 30_000;
  queue.handler = () => after(queue, queue.calls.length === 1 ? 12_000 : 0, SUCCEEDED);
  await queue.clock.advance(60_000);
  assert.equal(queue.calls.filter(({ ids: batch }) => batch.includes("m2")).length, 1);
  assert.deepEqual(queue.left, []);
});

test("a throttled batch that waits for the function's concurrency is not tried behind the hold that it had", async () => {
  const queue = new SmallQueue({ batchSize: 1, concurrencyMax: 2 }, { visibilityMs: 10_000, concurrency: 1 });
  queue.send("m1", "m2");
  queue.handler = ({ ids: [id] }) => (id === "m1" ? THROTTLED : after(queue, 12_000, SUCCEEDED));
  await queue.clock.advance(11_000);
  queue.handler = () => SUCCEEDED;
  await queue.clock.advance(60_000);
  const first = queue.calls.find((call) => call.ids.includes("m1"));
  const tries = queue.calls.filter(({ requestId }) => requestId === first?.requestId);
  assert.ok(
    tries.every(({ atMs }) => atMs <= 10_000),
    "the batch is given up with its hold",
  );
  assert.deepEqual(queue.left, []);
});

test("FIFO: a message does not overtake one of its group whose hold was lost while both waited", async () => {
  const queue = new SmallQueue({ batchSize: 1 }, { fifo: true, visibilityMs: 10_000 });
  queue.send("a1", "a2", "a3");
  queue.extending = (id) => (id === "a2" ? "lost" : "settled");
  queue.handler = () => after(queue, 12_000, SUCCEEDED);
  await queue.clock.advance(12_500);
  queue.extending = () => "settled";
  queue.handler = () => SUCCEEDED;
  await queue.clock.advance(60_000);
  assert.deepEqual(
    queue.calls.map((call) => call.ids[0]),
    ["a1", "a2", "a3"],
  );
});

test("FIFO: what waits behind a message that is done, but whose hold was lost, goes back behind it", async () => {
  const queue = new SmallQueue({ batchSize: 1 }, { fifo: true, visibilityMs: 10_000 });
  queue.send("a1", "a2");
  queue.extending = (id) => (id === "a1" ? "lost" : "settled");
  queue.handler = () => after(queue, 8_000, SUCCEEDED);
  await queue.clock.advance(9_000);
  assert.deepEqual(
    queue.calls.map((call) => call.ids[0]),
    ["a1"],
    "a1 may run elsewhere by now",
  );
  queue.extending = () => "settled";
  await queue.clock.advance(60_000);
  assert.deepEqual(queue.left, []);
});

test("messages that are lost are not released: somebody else holds them", async () => {
  const queue = new SmallQueue({ batchSize: 2 }, { visibilityMs: 10_000 });
  queue.send("m1", "m2");
  queue.extending = (id) => (id === "m1" ? "lost" : "settled");
  queue.handler = () => (queue.clock.monotonic() < 9_000 ? THROTTLED : SUCCEEDED);
  await queue.clock.advance(9_500);
  assert.deepEqual(queue.released, ["m2"]);
});

test("what is deleted is not prolonged while the rest of its batch is tried again", async () => {
  const queue = new SmallQueue({ batchSize: 2 }, { visibilityMs: 10_000 });
  queue.send("m1", "m2");
  let tries = 0;
  queue.acknowledging = () => (++tries > 1 && queue.clock.monotonic() < 20_000 ? "failed" : "settled");
  await queue.clock.advance(19_000);
  assert.deepEqual(queue.left, ["m2"]);
  assert.ok(queue.prolonged.includes("m2"));
  assert.equal(queue.prolonged.includes("m1"), false);
  assert.equal(queue.count("lost_holds"), 0);
});

test("no receive is made while running batches hold the whole budget", async () => {
  const queue = new SmallQueue({}, { settings: { mappingBudgetBytes: 500 } });
  queue.send(...ids("m", 200));
  queue.handler = () => new Promise(() => {});
  await queue.clock.advance(20_000);
  const received = ids("m", 200).filter((id) => queue.receiveCount(id) > 0).length;
  assert.ok(
    received <= 50,
    `${received} messages of 100 bytes in hand, with a budget for 5 and five receives`,
  );
});

test("filtered messages take room until they are deleted", async () => {
  const queue = new SmallQueue(
    { filterPatterns: ['{"body":[{"prefix":"good"}]}'] },
    { settings: { mappingBudgetBytes: 500 } },
  );
  queue.acknowledging = () => "failed";
  queue.send(...ids("bad", 500));
  await queue.clock.advance(20_000);
  const received = ids("bad", 500).filter((id) => queue.receiveCount(id) > 0).length;
  assert.ok(received <= 50, `${received} messages wait for their deletion`);
});

test("deletes of filtered messages take no batch's place", async () => {
  const queue = new SmallQueue({ filterPatterns: ['{"body":[{"prefix":"good"}]}'], concurrencyMax: 2 });
  queue.acknowledging = () => "failed";
  queue.send(...ids("bad", 9), "good1", ...ids("evil", 9), "good2");
  await queue.clock.advance(500);
  assert.deepEqual(queue.calls.flatMap((call) => call.ids).toSorted(), ["good1", "good2"]);
});

test("a batch that waits for the function's concurrency is given back at the end of a stop", async () => {
  const queue = new SmallQueue({ batchSize: 1, concurrencyMax: 2 }, { concurrency: 1 });
  queue.send("m1", "m2");
  queue.handler = (call) =>
    new Promise((resolve) => call.signal.addEventListener("abort", () => resolve(FAILED), { once: true }));
  await queue.clock.advance(1_000);
  const stop = queue.engine.stop(2_000);
  await queue.clock.advance(4_000);
  await stop;
  assert.deepEqual(queue.released, ["m2"]);
  assert.deepEqual(queue.left, ["m1", "m2"]);
});
