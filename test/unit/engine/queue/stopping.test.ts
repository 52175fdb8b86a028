import assert from "node:assert/strict";
import { test } from "node:test";
import type { InvocationOutcome } from "../../../../src/model/outcome.ts";
import { FAILED, ManualClock, SUCCEEDED } from "../stream/small-world.ts";
import { ids, SmallQueue } from "./small-queue.ts";

const UUID = new SmallQueue().mapping.uuid;

async function stopped(queue: SmallQueue, drainMs: number, isFollowed = false): Promise<void> {
  const stop = queue.engine.stopMapping(UUID, drainMs, { isFollowed });
  await queue.clock.advance(drainMs + 6_000);
  await stop;
}

test("a stop runs what waits, without its window, deletes it, and leaves no timer behind", async () => {
  const queue = new SmallQueue({ batchSize: 1, concurrencyMax: 2 });
  queue.send(...ids("m", 10));
  const open: ((outcome: InvocationOutcome) => void)[] = [];
  queue.handler = () => new Promise((resolve) => open.push(resolve));
  await queue.clock.advance(1_000);
  const stop = queue.engine.stop(10_000);
  for (let round = 0; round < 8; round++) {
    for (const end of open.splice(0)) end(SUCCEEDED);
    await queue.clock.advance(100);
  }
  await queue.clock.advance(20_000);
  await stop;
  assert.ok(queue.calls.length > 2, `${queue.calls.length} calls`);
  assert.deepEqual(
    queue.left.filter((id) => queue.receiveCount(id) > 0),
    [],
  );
  assert.equal(queue.count("unseen_receives"), 0);
  assert.equal(queue.clock.pendingCalls, 0);
});

/** Its timers come late, as those of a process that was held up. */
class LateClock extends ManualClock {
  lateMs = 0;

  override schedule(delayMs: number, fire: () => void) {
    return super.schedule(delayMs + this.lateMs, fire);
  }
}

test("a throttled batch is not tried again when the drain is over, though no timer has said so yet", async () => {
  const clock = new LateClock();
  const queue = new SmallQueue({ batchSize: 1 }, { clock, visibilityMs: 60_000 });
  queue.isDeafToAborts = false;
  queue.send("m1");
  const answer = Promise.withResolvers<InvocationOutcome>();
  queue.handler = () => answer.promise;
  await clock.advance(1_000);
  clock.lateMs = 20_000;
  const stop = queue.engine.stop(5_000);
  answer.resolve({ kind: "throttled", retryAfterMs: undefined });
  await clock.advance(24_000);
  assert.equal(queue.calls.length, 1);
  assert.deepEqual(queue.released, ["m1"]);
  await clock.advance(60_000);
  await stop;
});

test("a message that waits for its batching window is run by a stop at once", async () => {
  const queue = new SmallQueue(
    { batchSize: 100, batchingWindowMs: 60_000 },
    { visibilityMs: 300_000, receivesMax: 1 },
  );
  queue.isDeafToAborts = false;
  queue.send("m1");
  await queue.clock.advance(1_000);
  await stopped(queue, 5_000);
  assert.deepEqual([queue.left, queue.dead, [...queue.seen]], [[], [], ["m1"]]);
});

for (const [how, isDeaf] of [
  ["waits on at the queue", true],
  ["can be taken back", false],
] as const) {
  test(`messages that come while a mapping stops are run, and none is hidden: a receive that ${how}`, async () => {
    const queue = new SmallQueue({}, { receivesMax: 1 });
    queue.isDeafToAborts = isDeaf;
    await queue.clock.advance(1_000);
    const stop = queue.engine.stopMapping(UUID, 25_000);
    await queue.clock.advance(500);
    queue.send("m1", "m2", "m3");
    await queue.clock.advance(30_000);
    await stop;
    queue.startMapping();
    await queue.clock.advance(60_000);
    assert.deepEqual([queue.dead, queue.left, queue.seen.size], [[], [], 3]);
  });
}

test("an update does not wait for receives that are under way: what they bring is run by the next worker", async () => {
  const queue = new SmallQueue({}, { receivesMax: 1 });
  await queue.clock.advance(1_000);
  const stop = queue.engine.stopMapping(UUID, 25_000, { isFollowed: true });
  await queue.clock.advance(0);
  await stop;
  queue.send("m1", "m2", "m3");
  await queue.clock.advance(150);
  queue.startMapping({ batchSize: 1 });
  await queue.clock.advance(2_000);
  assert.deepEqual([queue.dead, queue.left, queue.seen.size], [[], [], 3]);
  assert.ok(
    queue.calls.every((call) => call.ids.length === 1),
    "under the new configuration",
  );
  assert.equal(queue.count("unseen_receives"), 0);
});

test("the source of receives that were kept is of use until they are back", async () => {
  const queue = new SmallQueue();
  await queue.clock.advance(1_000);
  const stop = queue.engine.stopMapping(UUID, 25_000, { isFollowed: true });
  await queue.clock.advance(0);
  await stop;
  let isBack = false;
  void queue.engine.receivesBack(UUID).then(() => {
    isBack = true;
  });
  queue.startMapping();
  await queue.clock.advance(10_000);
  assert.equal(isBack, false);
  await queue.clock.advance(15_000);
  assert.equal(isBack, true);
});

for (const [how, visibilityMs] of [
  ["that lasts as long as the update, and longer", 4_000],
  ["that would end just when the next worker begins", 6_000],
] as const) {
  test(`what an update kept is held until the next worker begins, under a hold ${how}`, async () => {
    const queue = new SmallQueue({}, { visibilityMs, functionTimeoutMs: 2_000, receivesMax: 1 });
    // The receive under way was asked for nearly as long ago as it waits.
    await queue.clock.advance(1_900);
    const stop = queue.engine.stopMapping(UUID, 25_000, { isFollowed: true });
    queue.send("m1", "m2");
    await queue.clock.advance(0);
    await stop;
    // A drain, an opening that is slow: all of it longer than a hold.
    await queue.clock.advance(9_500);
    assert.deepEqual([queue.released, queue.dead], [[], []]);
    queue.startMapping();
    await queue.clock.advance(5_000);
    assert.deepEqual([queue.dead, queue.left, queue.seen.size], [[], [], 2]);
    assert.equal(queue.count("unseen_receives"), 0);
  });
}

test("a hold of what an update kept that cannot be prolonged is tried again while it lasts", async () => {
  const queue = new SmallQueue({}, { visibilityMs: 8_000, functionTimeoutMs: 2_000, receivesMax: 1 });
  await queue.clock.advance(1_000);
  const stop = queue.engine.stopMapping(UUID, 25_000, { isFollowed: true });
  queue.send("m1");
  await queue.clock.advance(0);
  await stop;
  let tries = 0;
  queue.extending = () => {
    tries++;
    return tries <= 2 ? "failed" : "settled";
  };
  await queue.clock.advance(12_000);
  queue.startMapping();
  await queue.clock.advance(5_000);
  assert.deepEqual([queue.dead, queue.left, queue.seen.size], [[], [], 1]);
  assert.ok(tries >= 3, `${tries} tries`);
});

test("FIFO: what an update kept behind a message whose hold was lost goes back, and does not overtake it", async () => {
  const queue = new SmallQueue(
    { batchSize: 10 },
    { fifo: true, visibilityMs: 8_000, functionTimeoutMs: 2_000 },
  );
  await queue.clock.advance(1_000);
  const stop = queue.engine.stopMapping(UUID, 25_000, { isFollowed: true });
  queue.send("a1", "a2", "a3", "b1");
  await queue.clock.advance(0);
  await stop;
  queue.extending = (id) => (id === "a2" ? "lost" : "settled");
  await queue.clock.advance(6_000);
  assert.deepEqual(queue.released, ["a3"]);
  queue.extending = () => "settled";
  queue.startMapping();
  await queue.clock.advance(30_000);
  const seen = queue.calls.flatMap((call) => call.ids);
  assert.deepEqual(
    seen.filter((id) => id.startsWith("a")),
    ["a1", "a2", "a3"],
  );
  assert.deepEqual(queue.left, []);
});

test("what an update kept is given back at a stop also while its hold is being prolonged", async () => {
  const queue = new SmallQueue({}, { visibilityMs: 8_000, functionTimeoutMs: 2_000 });
  await queue.clock.advance(1_000);
  const updated = queue.engine.stopMapping(UUID, 25_000, { isFollowed: true });
  queue.send("m1");
  await queue.clock.advance(0);
  await updated;
  let asked = 0;
  queue.extending = () => {
    asked++;
    return "settled";
  };
  queue.extendAnswerMs = 60_000;
  await queue.clock.advance(5_000);
  assert.equal(asked, 1);
  const stop = queue.engine.stop(0);
  await queue.clock.advance(100);
  assert.deepEqual(queue.released, ["m1"]);
  await queue.clock.advance(120_000);
  await stop;
});

test("what a worker took up while its hold is being prolonged is given back at a stop", async () => {
  const queue = new SmallQueue({}, { visibilityMs: 8_000, functionTimeoutMs: 2_000 });
  await queue.clock.advance(1_000);
  const updated = queue.engine.stopMapping(UUID, 25_000, { isFollowed: true });
  queue.send("m1");
  await queue.clock.advance(0);
  await updated;
  queue.extendAnswerMs = 60_000;
  await queue.clock.advance(5_000);
  assert.deepEqual(queue.prolonged, ["m1"]);
  queue.startMapping();
  const stop = queue.engine.stop(0);
  await queue.clock.advance(100);
  assert.deepEqual([queue.released, queue.count("unseen_receives")], [["m1"], 1]);
  await queue.clock.advance(120_000);
  await stop;
  assert.deepEqual(queue.calls, []);
});

test("what is being prolonged for the next worker takes its bytes of the budget meanwhile", async () => {
  const settings = { mappingBudgetBytes: 150 };
  const queue = new SmallQueue({}, { visibilityMs: 8_000, functionTimeoutMs: 2_000, settings });
  await queue.clock.advance(1_000);
  const updated = queue.engine.stopMapping(UUID, 25_000, { isFollowed: true });
  queue.send("m1", "m2");
  await queue.clock.advance(0);
  await updated;
  queue.extendAnswerMs = 3_500;
  await queue.clock.advance(5_000);
  assert.deepEqual(queue.prolonged, ["m1", "m2"]);
  const asked = queue.messagesMax.length;
  queue.handler = () => new Promise(() => {});
  queue.startMapping();
  await queue.clock.advance(1_000);
  assert.equal(queue.messagesMax.length, asked);
  await queue.clock.advance(3_000);
  assert.equal(queue.calls.length, 1);
  const stop = queue.engine.stop(0);
  await queue.clock.advance(30_000);
  await stop;
});

test("receives that nobody takes up are given back within a minute, counted and told", async () => {
  const queue = new SmallQueue({}, { visibilityMs: 30_000 });
  await queue.clock.advance(1_000);
  const stop = queue.engine.stopMapping(UUID, 25_000, { isFollowed: true });
  await queue.clock.advance(0);
  await stop;
  queue.send("m1");
  await queue.clock.advance(59_000);
  assert.deepEqual([queue.released, queue.left], [[], ["m1"]]);
  await queue.clock.advance(2_000);
  assert.deepEqual([queue.released, queue.count("unseen_receives")], [["m1"], 1]);
  assert.ok(queue.logs.some(({ message }) => message.startsWith("messages were given back")));
  await queue.engine.receivesBack(UUID);
  assert.equal(queue.clock.pendingCalls, 0);
});

test("receives of one queue are never given to a worker of another", async () => {
  const queue = new SmallQueue();
  await queue.clock.advance(1_000);
  await Promise.all([queue.engine.stopMapping(UUID, 25_000, { isFollowed: true }), queue.clock.advance(0)]);
  queue.send("m1");
  const other = new SmallQueue(
    { eventSourceArn: "arn:aws:sqs:eu-west-1:123456789012:other" },
    { clock: queue.clock },
  );
  await queue.clock.advance(500);
  assert.deepEqual([...other.seen], []);
});

test("only what cannot start within the drain goes back, and is counted as a receive that nobody saw", async () => {
  const queue = new SmallQueue({ batchSize: 1, concurrencyMax: 2 });
  queue.isDeafToAborts = false;
  queue.send(...ids("m", 10));
  queue.handler = () => new Promise(() => {});
  await queue.clock.advance(1_000);
  await stopped(queue, 3_000);
  const waited = queue.released.length;
  assert.ok(waited > 0);
  assert.equal(queue.count("unseen_receives"), waited);
  assert.equal(queue.calls.length, 2);
  assert.equal(queue.gauges.get("buffered_bytes"), 0);
});

test("a drain that is over before its batches are is told, with how much of them comes again", async () => {
  const queue = new SmallQueue({ batchSize: 2 });
  queue.send(...ids("m", 3));
  queue.handler = () => new Promise(() => {});
  await queue.clock.advance(1_000);
  await stopped(queue, 3_000);
  const told = queue.logs.filter(({ message }) => message.startsWith("a drain was over"));
  assert.deepEqual(
    told.map(({ fields }) => [fields["batches"], fields["messages"]]),
    [[2, 3]],
  );
});

test("a drain in which all batches end tells of none", async () => {
  const queue = new SmallQueue({ batchSize: 2 });
  queue.send(...ids("m", 3));
  await queue.clock.advance(1_000);
  await stopped(queue, 3_000);
  assert.ok(!queue.logs.some(({ message }) => message.startsWith("a drain was over")));
  assert.deepEqual(queue.left, []);
});

test("a batch that is throttled is tried on within the drain", async () => {
  const queue = new SmallQueue({}, { receivesMax: 1 });
  queue.send("m1");
  queue.handler = () => (queue.calls.length < 6 ? { kind: "throttled", retryAfterMs: undefined } : SUCCEEDED);
  await queue.clock.advance(150);
  await stopped(queue, 20_000);
  assert.deepEqual([queue.left, queue.dead], [[], []]);
});

test("a process that must not start anything any longer gives back what waits before its drain is over", async () => {
  const queue = new SmallQueue({ batchSize: 1, concurrencyMax: 2 });
  queue.send(...ids("m", 10));
  queue.handler = () => new Promise((resolve) => queue.clock.schedule(5_000, () => resolve(SUCCEEDED)));
  await queue.clock.advance(1_000);
  const stop = queue.engine.stopMapping(UUID, 20_000, { startsMs: 2_000 });
  await queue.clock.advance(30_000);
  await stop;
  assert.equal(queue.calls.length, 2, "what ran when it was told");
  assert.equal(queue.deleted.length, 2, "and that to its end");
});

test("receives wait no longer than a second once a stop is near", async () => {
  const queue = new SmallQueue();
  await queue.clock.advance(1_000);
  queue.engine.expectStop(UUID);
  const before = queue.waitsMs.length;
  await queue.clock.advance(20_000);
  assert.ok(queue.waitsMs.length > before);
  assert.ok(queue.waitsMs.slice(before).every((waitMs) => waitMs === 1_000));
});

test("a message that fails while its mapping stops comes again when its hold ends, as always", async () => {
  const queue = new SmallQueue();
  queue.isDeafToAborts = false;
  queue.send("m1");
  queue.handler = () => (queue.calls.length === 1 ? FAILED : SUCCEEDED);
  const stop = queue.engine.stopMapping(UUID, 5_000);
  await queue.clock.advance(10_000);
  await stop;
  queue.startMapping();
  await queue.clock.advance(60_000);
  assert.deepEqual([queue.left, queue.count("unseen_receives")], [[], 0]);
});

test("a process that stops while a mapping's longer drain runs starts nothing behind its own", async () => {
  const queue = new SmallQueue({ batchSize: 1, concurrencyMax: 2 });
  queue.send(...ids("m", 20));
  const open: ((outcome: InvocationOutcome) => void)[] = [];
  queue.handler = () => new Promise((resolve) => open.push(resolve));
  await queue.clock.advance(1_000);
  const updated = queue.engine.stopMapping(UUID, 60_000, { isFollowed: true });
  await queue.clock.advance(100);
  const stop = queue.engine.stop(500).then(() => queue.clock.monotonic());
  const askedMs = queue.clock.monotonic();
  await queue.clock.advance(600);
  const before = queue.calls.length;
  for (let round = 0; round < 20; round++) {
    for (const end of open.splice(0)) end(SUCCEEDED);
    await queue.clock.advance(500);
  }
  assert.equal(queue.calls.length, before);
  await updated;
  assert.ok((await stop) - askedMs < 6_000, "it has stopped within its drain and its last words");
  assert.equal(queue.clock.pendingCalls, 0);
});

test("what the next worker took up of an update's receives is given back by nobody at a stop of the process", async () => {
  const queue = new SmallQueue({}, { receivesMax: 1 });
  await queue.clock.advance(1_000);
  const updated = queue.engine.stopMapping(UUID, 10_000, { isFollowed: true });
  await queue.clock.advance(10);
  await updated;
  queue.startMapping();
  queue.send("m1");
  queue.handler = () => new Promise(() => {});
  await queue.clock.advance(100);
  assert.equal(queue.calls.length, 1);
  const stop = queue.engine.stop(0);
  await queue.clock.advance(6_000);
  await stop;
  assert.equal(queue.count("unseen_receives"), 0);
});
