import assert from "node:assert/strict";
import { test } from "node:test";
import { MillraceError } from "../../../../src/model/errors.ts";
import type { Settlement } from "../../../../src/ports/queue-source.ts";
import { SmallQueue } from "./small-queue.ts";

function denied(): never {
  throw new MillraceError("ERR_MILLRACE_SOURCE_UNAVAILABLE", "sqs is denied");
}

const resultOf = (queue: SmallQueue) => queue.engine.status()[0]?.lastProcessingResult ?? "";

test("a queue that cannot be received is a problem that the mapping tells until it can be", async () => {
  const queue = new SmallQueue();
  queue.send("m1");
  await queue.clock.advance(20_000);
  assert.equal(resultOf(queue), "OK");
  queue.receiving = denied;
  await queue.clock.advance(60_000);
  assert.match(resultOf(queue), /^PROBLEM: .*sqs is denied/);
  queue.receiving = () => {};
  await queue.clock.advance(90_000);
  assert.equal(resultOf(queue), "OK");
});

test("one receive that fails is no problem, nor is a throttle", async () => {
  const queue = new SmallQueue();
  let asked = 0;
  queue.receiving = () => {
    if (++asked === 3) denied();
    if (asked > 6) throw new MillraceError("ERR_MILLRACE_SOURCE_THROTTLED", "slower");
  };
  await queue.clock.advance(120_000);
  assert.ok(asked > 10, `${asked} receives`);
  assert.equal(resultOf(queue), "No records processed");
});

test("receives that hang for ten seconds beyond their wait and then fail are a problem at once", async () => {
  const queue = new SmallQueue();
  queue.receiving = async () => {
    await new Promise<void>((resolve) => queue.clock.schedule(26_000, resolve));
    denied();
  };
  await queue.clock.advance(45_000);
  assert.match(resultOf(queue), /^PROBLEM: /);
});

for (const [how, acknowledging] of [
  ["fail", denied],
  ["are refused one by one", (): Settlement => "failed"],
] as const) {
  test(`deletes that ${how} are told and are a problem, though the function did well`, async () => {
    const queue = new SmallQueue();
    queue.acknowledging = acknowledging;
    queue.send("m1");
    await queue.clock.advance(120_000);
    assert.deepEqual([queue.calls.length, queue.left], [1, ["m1"]]);
    assert.match(resultOf(queue), /^PROBLEM: /);
    assert.ok(queue.logs.some(({ message }) => message.startsWith("messages could not be deleted")));
    queue.acknowledging = () => "settled";
    await queue.clock.advance(120_000);
    assert.equal(resultOf(queue), "OK");
  });
}

test("a maximum that holds over processes stands still without its store, and the mapping tells it", async () => {
  const queue = new SmallQueue({ concurrencyMax: 2 });
  queue.send("m1");
  await queue.clock.advance(20_000);
  assert.equal(resultOf(queue), "OK");
  const { list } = queue.store;
  queue.store.list = async () => {
    throw new MillraceError("ERR_MILLRACE_STORE_UNAVAILABLE", "the store is away");
  };
  await queue.clock.advance(30_000);
  assert.match(resultOf(queue), /^PROBLEM: .*the store is away/);
  queue.store.list = list;
  await queue.clock.advance(30_000);
  assert.equal(resultOf(queue), "OK");
});

test("a receive that never comes back is told thirty seconds behind its wait, though nothing has failed", async () => {
  const queue = new SmallQueue();
  await queue.clock.advance(16_000);
  queue.receiving = () => new Promise(() => {});
  await queue.clock.advance(44_000);
  assert.equal(resultOf(queue), "No records processed");
  await queue.clock.advance(20_000);
  assert.match(resultOf(queue), /^PROBLEM: the queue has not answered for 3\d s/);
});
