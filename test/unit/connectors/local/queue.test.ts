import assert from "node:assert/strict";
import { test } from "node:test";
import { MillraceError } from "../../../../src/model/errors.ts";
import {
  bodiesOf,
  HOLD_MS,
  NO_ABORT,
  openedQueueFile,
  receive,
  receiveBodies,
  recordsOf,
} from "./queue-fixture.ts";

const MINUTE_MS = 60_000;
const inGroup = (groupId: string, ...bodies: string[]) => bodies.map((body) => ({ body, groupId }));

test("a message received as often as allowed goes to the dead-letter queue at the next receive, and not before", async () => {
  await using place = openedQueueFile();
  const dead = place.file.createQueue({ name: "dead" });
  const queue = place.file.createQueue({
    name: "orders",
    redrive: { deadLetterQueue: "dead", maxReceiveCount: 2 },
  });
  queue.send([{ body: "poison" }, { body: "good" }]);
  const source = place.source("orders");
  const first = await receive(source);
  await source.acknowledge(first.slice(1));
  await source.release(first.slice(0, 1), 0);
  assert.deepEqual(await receiveBodies(source), ["poison"]);
  place.clock.ms += HOLD_MS;
  assert.deepEqual([queue.depth().visible, dead.depth().visible], [1, 0]);
  assert.deepEqual(await receiveBodies(source), []);
  assert.deepEqual([queue.depth().visible, dead.depth().visible], [0, 1]);
  const [waiting] = dead.peek(10);
  assert.deepEqual([waiting?.body, waiting?.deadLetterSource], ["poison", "orders"]);
});

test("a receive soon says that a queue holds nothing, and waits for messages that are only hidden", async () => {
  await using place = openedQueueFile();
  place.file.createQueue({ name: "empty" });
  place.file.createQueue({ name: "orders" }).send([{ body: "hidden" }]);
  const source = place.source("orders");
  await receive(source);
  const bounds = { messagesMax: 10, waitMs: 10 * MINUTE_MS, holdMs: HOLD_MS };
  let hasEnded = false;
  const waiting = source.receive(bounds, NO_ABORT).finally(() => {
    hasEnded = true;
  });
  assert.deepEqual(await place.source("empty").receive(bounds, NO_ABORT), []);
  assert.equal(hasEnded, false);
  place.clock.ms += HOLD_MS;
  assert.deepEqual(bodiesOf(source, await waiting), ["hidden"]);
});

test("a message in a dead-letter queue keeps its id, its times and its count, and names where it came from", async () => {
  await using place = openedQueueFile();
  place.file.createQueue({ name: "dead" });
  const redrive = { deadLetterQueue: "dead", maxReceiveCount: 1 };
  const [sent] = place.file.createQueue({ name: "orders", redrive }).send([{ body: "poison" }]);
  const source = place.source("orders");
  const startMs = place.clock.ms;
  await receive(source);
  place.clock.ms += HOLD_MS;
  await receive(source);
  const dead = place.source("dead");
  const [record] = recordsOf(dead, await receive(dead));
  assert.equal(record?.messageId, sent?.messageId);
  assert.deepEqual(Object.entries(record?.attributes ?? {}), [
    ["DeadLetterQueueSourceArn", "arn:aws:local:eu-west-1:123456789012:queue/orders"],
    ["ApproximateReceiveCount", "2"],
    ["SentTimestamp", String(startMs)],
    ["SenderId", "123456789012"],
    ["ApproximateFirstReceiveTimestamp", String(startMs)],
  ]);
});

test("a receive whose first messages all go to the dead-letter queue gives those behind them", async () => {
  await using place = openedQueueFile();
  const dead = place.file.createQueue({ name: "dead.fifo" });
  const redrive = { deadLetterQueue: "dead.fifo", maxReceiveCount: 1 };
  const queue = place.file.createQueue({ name: "orders.fifo", redrive });
  queue.send(inGroup("a", "a-0", "a-1", "a-2"));
  const source = place.source("orders.fifo");
  await receive(source, 2);
  queue.send(inGroup("b", "b-0"));
  place.clock.ms += HOLD_MS;
  // The group that has been ready longest comes first.
  assert.deepEqual(await receiveBodies(source), ["b-0", "a-2"]);
  assert.deepEqual(
    dead.peek(10).map(({ body }) => body),
    ["a-0", "a-1"],
  );
  assert.deepEqual(await receiveBodies(place.source("dead.fifo")), ["a-0", "a-1"]);
});

test("more dead letters than one transaction moves are all moved, and the receive goes on behind them", async () => {
  await using place = openedQueueFile();
  const dead = place.file.createQueue({ name: "dead" });
  const redrive = { deadLetterQueue: "dead", maxReceiveCount: 1 };
  const queue = place.file.createQueue({ name: "orders", redrive });
  queue.send(Array.from({ length: 2_500 }, (_, index) => ({ body: String(index) })));
  const source = place.source("orders");
  for (let index = 0; index < 250; index++) await receive(source);
  queue.send([{ body: "behind", delayMs: HOLD_MS + 1 }]);
  place.clock.ms += HOLD_MS + 1;
  assert.deepEqual(await receiveBodies(source), ["behind"]);
  assert.equal(dead.depth().visible, 2_500);
});

test("a group is given from again only when all that is held of it is settled", async () => {
  await using place = openedQueueFile();
  const queue = place.file.createQueue({ name: "orders.fifo" });
  queue.send([...inGroup("a", "a-0", "a-1", "a-2"), ...inGroup("b", "b-0")]);
  const source = place.source("orders.fifo");
  const held = await receive(source, 2);
  assert.deepEqual(bodiesOf(source, held), ["a-0", "a-1"]);
  await source.acknowledge(held.slice(0, 1));
  assert.deepEqual(await receiveBodies(source), ["b-0"]);
  await source.acknowledge(held.slice(1));
  assert.deepEqual(await receiveBodies(source), ["a-2"]);
});

test("a released message waits for the later ones of its group that are held", async () => {
  await using place = openedQueueFile();
  const queue = place.file.createQueue({ name: "orders.fifo" });
  queue.send(inGroup("a", "a-0", "a-1"));
  const source = place.source("orders.fifo");
  const held = await receive(source);
  await source.release(held.slice(0, 1), 0);
  assert.deepEqual(await receiveBodies(source), []);
  await source.release(held.slice(1), 0);
  assert.deepEqual(await receiveBodies(source), ["a-0", "a-1"]);
});

test("one receive gives several groups, and no message behind one that is hidden", async () => {
  await using place = openedQueueFile();
  const queue = place.file.createQueue({ name: "orders.fifo" });
  queue.send([...inGroup("a", "a-0", "a-1"), ...inGroup("b", "b-0", "b-1"), ...inGroup("c", "c-0")]);
  const source = place.source("orders.fifo");
  const all = await receive(source);
  assert.deepEqual(bodiesOf(source, all), ["a-0", "a-1", "b-0", "b-1", "c-0"]);
  await source.release(all.slice(1), 0);
  await source.release(all.slice(0, 1), MINUTE_MS);
  assert.deepEqual(await receiveBodies(source), ["b-0", "b-1", "c-0"]);
  place.clock.ms += MINUTE_MS;
  assert.deepEqual(await receiveBodies(source), ["b-0", "b-1", "c-0", "a-0", "a-1"]);
});

test("a deduplication id is sent once within five minutes, also when its message is gone", async () => {
  await using place = openedQueueFile();
  const queue = place.file.createQueue({ name: "orders.fifo" });
  const send = (body: string) => queue.send([{ body, groupId: "a", deduplicationId: "one" }])[0];
  const first = send("first");
  const source = place.source("orders.fifo");
  await source.acknowledge(await receive(source));
  place.clock.ms += 5 * MINUTE_MS - 1;
  assert.deepEqual(send("second"), first);
  assert.deepEqual(await receiveBodies(source), []);
  place.clock.ms += 1;
  assert.notDeepEqual(send("third"), first);
  const messages = await receive(source);
  assert.deepEqual(bodiesOf(source, messages), ["third"]);
  assert.equal(recordsOf(source, messages)[0]?.attributes["MessageDeduplicationId"], "one");
  queue.send([...inGroup("a", "same"), ...inGroup("a", "same")]);
  assert.equal(queue.depth().visible, 2);
});

test("delays hide messages at first: the queue's, or the message's own", async () => {
  await using place = openedQueueFile();
  const queue = place.file.createQueue({ name: "orders", delayMs: MINUTE_MS });
  queue.send([{ body: "late" }, { body: "at once", delayMs: 0 }, { body: "later", delayMs: 2 * MINUTE_MS }]);
  const source = place.source("orders");
  assert.deepEqual(queue.depth(), { visible: 1, held: 0, delayed: 2 });
  assert.deepEqual(await receiveBodies(source), ["at once"]);
  assert.deepEqual(queue.depth(), { visible: 0, held: 1, delayed: 2 });
  place.clock.ms += MINUTE_MS;
  await receiveBodies(source);
  place.clock.ms += MINUTE_MS - 1;
  assert.equal(queue.depth().delayed, 1);
  place.clock.ms += 1;
  assert.equal(queue.depth().delayed, 0);
});

test("retention drops old messages, held ones too, and no others", async () => {
  await using place = openedQueueFile();
  const queue = place.file.createQueue({ name: "orders.fifo", retentionMs: MINUTE_MS });
  queue.send(inGroup("a", "old"));
  const source = place.source("orders.fifo");
  const held = await receive(source, 10, 10 * MINUTE_MS);
  place.clock.ms += MINUTE_MS;
  assert.equal(queue.depth().held, 1);
  place.clock.ms += 1;
  assert.equal(queue.depth().held, 0);
  queue.send(inGroup("a", "new"));
  assert.deepEqual(await source.acknowledge(held), ["lost"]);
  assert.deepEqual(await receiveBodies(source), ["new"]);
});

test("holds end in time when the host's clock is set back", async () => {
  await using place = openedQueueFile();
  const queue = place.file.createQueue({ name: "orders.fifo" });
  queue.send(inGroup("a", "first"));
  const source = place.source("orders.fifo");
  const held = await receive(source);
  place.clock.ms -= 60 * MINUTE_MS;
  assert.deepEqual(await receiveBodies(source), []);
  place.clock.ms += HOLD_MS - 1;
  assert.deepEqual(await source.extend(held, 2 * HOLD_MS), ["settled"]);
  place.clock.ms += 2 * HOLD_MS - 1;
  assert.deepEqual(await receiveBodies(source), []);
  place.clock.ms += 1;
  assert.deepEqual(await receiveBodies(source), ["first"]);
  queue.send(inGroup("b", "second"));
  assert.deepEqual(await receiveBodies(source), ["second"]);
});

test("a receipt settles its own delivery and no later one", async () => {
  await using place = openedQueueFile();
  place.file.createQueue({ name: "orders" }).send([{ body: "x" }]);
  const source = place.source("orders");
  const first = await receive(source);
  await source.release(first, 0);
  const second = await receive(source);
  const handles = [first, second].map((messages) => recordsOf(source, messages)[0]?.receiptHandle);
  assert.notEqual(handles[0], handles[1]);
  for (const late of [source.acknowledge(first), source.release(first, 0), source.extend(first, 0)]) {
    assert.deepEqual(await late, ["lost"]);
  }
  assert.deepEqual(await source.acknowledge(second), ["settled"]);
});

test("purging takes all messages away, and the queue goes on", async () => {
  await using place = openedQueueFile();
  const queue = place.file.createQueue({ name: "orders.fifo" });
  queue.send([...inGroup("a", "a-0"), ...inGroup("b", "b-0")]);
  const source = place.source("orders.fifo");
  const held = await receive(source, 1);
  assert.equal(queue.purge(), 2);
  assert.deepEqual(await source.acknowledge(held), ["lost"]);
  queue.send(inGroup("a", "a-1"));
  assert.deepEqual(await receiveBodies(source), ["a-1"]);
});

test("values out of range are refused with what is allowed, and nothing is sent", async () => {
  await using place = openedQueueFile();
  const { file } = place;
  const queue = file.createQueue({ name: "orders" });
  const fifo = file.createQueue({ name: "orders.fifo" });
  const body = "x";
  const text = { dataType: "String", stringValue: "x" };
  const redrive = (deadLetterQueue: string, maxReceiveCount: number) => ({
    deadLetterQueue,
    maxReceiveCount,
  });
  const calls: readonly (() => unknown)[] = [
    () => file.createQueue({ name: "orders" }),
    () => file.createQueue({ name: "or.ders" }),
    () => file.createQueue({ name: "other", fifo: true }),
    () => file.createQueue({ name: "other.fifo", fifo: false }),
    () => file.createQueue({ name: "other", visibilityMs: 0.5 }),
    () => file.createQueue({ name: "other", delayMs: 900_001 }),
    () => file.createQueue({ name: "other", retentionMs: 0 }),
    () => file.createQueue({ name: "other", redrive: redrive("orders", 0) }),
    () => file.createQueue({ name: "other", redrive: redrive("orders.fifo", 1) }),
    () => file.createQueue({ name: "other", redrive: redrive("other", 1) }),
    () => queue.send([{ body: "kept?" }, { body: "" }]),
    () => queue.send([{ body: "x".repeat(1024 * 1024 + 1) }]),
    () => queue.send([{ body: "\ud800" }]),
    () => queue.send([{ body: "\u0000" }]),
    () => queue.send([{ body, groupId: "a" }]),
    () => queue.send([{ body, delayMs: -1 }]),
    () => queue.send([{ body, messageAttributes: { "a..b": text } }]),
    () => queue.send([{ body, messageAttributes: { a: { dataType: "Text", stringValue: "x" } } }]),
    () => queue.send([{ body, messageAttributes: { a: { dataType: "Binary", stringValue: "x" } } }]),
    () => fifo.send([{ body }]),
    () => fifo.send([{ body, groupId: "a b" }]),
    () => fifo.send([{ body, groupId: "a", delayMs: 1 }]),
    () => fifo.send([{ body, groupId: "a", deduplicationId: "" }]),
  ];
  for (const call of calls) assert.throws(call, failure("ERR_MILLRACE_CONFIG", ""), String(call));
  assert.throws(
    () => file.createQueue({ name: "other", redrive: redrive("dead", 1) }),
    failure("ERR_MILLRACE_SOURCE_NOT_FOUND", '"orders"'),
  );
  assert.throws(() => place.source("missing"), failure("ERR_MILLRACE_SOURCE_NOT_FOUND", '"orders"'));
  assert.deepEqual(file.queueNames(), ["orders", "orders.fifo"]);
  assert.deepEqual([file.hasQueue("orders"), file.hasQueue("other")], [true, false]);
  assert.equal(queue.depth().visible + fifo.depth().visible, 0);
});

function failure(code: string, part: string) {
  return (error: unknown) => {
    assert.ok(error instanceof MillraceError, String(error));
    assert.equal(error.code, code, error.message);
    assert.ok(error.message.includes(part), error.message);
    return true;
  };
}
