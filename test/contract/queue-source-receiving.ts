import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import {
  AT_ONCE,
  bodiesOf,
  LONG_HOLD_MS,
  NO_ABORT,
  type QueueHarness,
  receiveAll,
  receiveOne,
  receivesNothing,
  STANDARD,
  sampleMessages,
  texts,
} from "./queue-source-harness.ts";
import { rejectsWith } from "./rejects-with.ts";

const LONG_WAIT_MS = 20_000;

/** What receives give, how they wait, and how they end. */
export function describeReceivingContract(harness: QueueHarness): void {
  test("the description says what the queue is", async () => {
    await using queue = await harness.createQueue({ isFifo: false, visibilityMs: 7_000 });
    const { description } = await queue.openSource();
    assert.equal(description.isFifo, harness.can.alwaysFifo ?? false);
    assert.equal(description.visibilityMs, 7_000);
    assert.match(description.eventSourceArn, /^arn:aws/);
    assert.ok(description.receiveMessagesMax >= 1);
  });

  test("an empty queue gives nothing, and gives what comes later", async () => {
    await using queue = await harness.createQueue(STANDARD);
    const source = await queue.openSource();
    await receivesNothing(source);
    await queue.send(sampleMessages(1));
    assert.deepEqual(
      bodiesOf(queue, source, await source.receive(AT_ONCE, NO_ABORT)),
      texts(sampleMessages(1)),
    );
  });

  test("every message is given once, each receive within its bounds", async () => {
    await using queue = await harness.createQueue(STANDARD);
    const source = await queue.openSource();
    await queue.send(sampleMessages(25));
    const few = await source.receive({ messagesMax: 3, waitMs: 0, holdMs: LONG_HOLD_MS }, NO_ABORT);
    assert.ok(few.length >= 1 && few.length <= 3, `${few.length} messages`);
    const most = source.description.receiveMessagesMax;
    const many = await source.receive({ messagesMax: 1_000, waitMs: 0, holdMs: LONG_HOLD_MS }, NO_ABORT);
    assert.ok(many.length >= 1 && many.length <= most, `${many.length} messages`);
    const rest = await receiveAll(source, 25 - few.length - many.length);
    const all = [...few, ...many, ...rest];
    assert.deepEqual(bodiesOf(queue, source, all).toSorted(), texts(sampleMessages(25)).toSorted());
    assert.equal(new Set(all.map(({ messageId }) => messageId)).size, 25);
    assert.ok(all.every(({ receiveCount, groupId }) => receiveCount === 1 && groupId === undefined));
  });

  test("a receive that waits gives what is sent meanwhile", async () => {
    await using queue = await harness.createQueue(STANDARD);
    const source = await queue.openSource();
    const pending = source.receive({ messagesMax: 10, waitMs: LONG_WAIT_MS, holdMs: LONG_HOLD_MS }, NO_ABORT);
    await queue.send(sampleMessages(1));
    assert.equal((await pending).length, 1);
  });

  test("a receive that is asked for behind an abort gives nothing and hides nothing, and the next one works", async () => {
    await using queue = await harness.createQueue(STANDARD);
    const source = await queue.openSource();
    await queue.send(sampleMessages(1));
    assert.deepEqual(await source.receive(AT_ONCE, AbortSignal.abort()), []);
    const message = await receiveOne(source);
    assert.equal(message.receiveCount, 1);
  });

  test("what comes to a receive behind an abort is given by it, or by the next one: it is never hidden", async () => {
    await using queue = await harness.createQueue(STANDARD);
    const source = await queue.openSource();
    const caller = new AbortController();
    const pending = source.receive({ messagesMax: 10, waitMs: 3_000, holdMs: LONG_HOLD_MS }, caller.signal);
    setImmediate(() => caller.abort());
    await once(caller.signal, "abort");
    await queue.send(sampleMessages(1));
    const given = await pending;
    const [message] = given.length > 0 ? given : await source.receive(AT_ONCE, NO_ABORT);
    assert.equal(message?.receiveCount, 1);
  });

  test("an abort leaves a receive that finds nothing to end with its wait, at the latest, and with nothing", async () => {
    await using queue = await harness.createQueue(STANDARD);
    const source = await queue.openSource();
    const caller = new AbortController();
    const pending = source.receive({ messagesMax: 10, waitMs: 1_000, holdMs: LONG_HOLD_MS }, caller.signal);
    setImmediate(() => caller.abort());
    assert.deepEqual(await pending, []);
  });

  test("what one source gave another source of the same queue settles", async () => {
    await using queue = await harness.createQueue(STANDARD);
    const [first, second] = [await queue.openSource(), await queue.openSource()];
    await queue.send(sampleMessages(2));
    const [one, two] = await receiveAll(first, 2);
    assert.ok(one !== undefined && two !== undefined);
    assert.deepEqual(await second.acknowledge([one]), ["settled"]);
    assert.deepEqual(await second.release([two], 0), ["settled"]);
    await first.close();
    const again = await receiveOne(second);
    assert.equal(again.messageId, two.messageId);
  });

  test("a queue that is unknown is not found", {
    skip: harness.can.missing === false && "it is made when somebody reads it",
  }, async () => {
    await rejectsWith("ERR_MILLRACE_SOURCE_NOT_FOUND", async () => {
      const source = await harness.openMissingQueue();
      await source.receive(AT_ONCE, NO_ABORT).finally(() => source.close());
    });
  });

  test("closing a source twice does no harm", async () => {
    await using queue = await harness.createQueue(STANDARD);
    const source = await queue.openSource();
    await source.close();
    await source.close();
  });
}
