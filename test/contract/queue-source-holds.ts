import assert from "node:assert/strict";
import { test } from "node:test";
import {
  LONG_HOLD_MS,
  PAST_SHORT_HOLD_MS,
  type QueueHarness,
  receiveAll,
  receiveOne,
  receivesNothing,
  SHORT_HOLD_MS,
  STANDARD,
  sampleMessages,
} from "./queue-source-harness.ts";

/** Holds and settlements. */
export function describeHoldsContract(harness: QueueHarness): void {
  test("a message that is held is given to no other receive", async () => {
    await using queue = await harness.createQueue(STANDARD);
    const [first, second] = [await queue.openSource(), await queue.openSource()];
    await queue.send(sampleMessages(1));
    await receiveOne(first);
    await receivesNothing(first);
    await receivesNothing(second);
  });

  test("a message whose hold ends comes again, with its id and a higher receive count", async () => {
    await using queue = await harness.createQueue(STANDARD);
    const source = await queue.openSource();
    await queue.send(sampleMessages(1));
    const message = await receiveOne(source, SHORT_HOLD_MS);
    await queue.pause(PAST_SHORT_HOLD_MS);
    const again = await receiveOne(source);
    assert.equal(again.messageId, message.messageId);
    assert.deepEqual([message.receiveCount, again.receiveCount], [1, 2]);
  });

  test("a message that is released comes again at once", async () => {
    await using queue = await harness.createQueue(STANDARD);
    const [first, second] = [await queue.openSource(), await queue.openSource()];
    await queue.send(sampleMessages(1));
    const message = await receiveOne(first);
    assert.deepEqual(await first.release([message], 0), ["settled"]);
    const again = await receiveOne(second);
    assert.equal(again.messageId, message.messageId);
    assert.equal(again.receiveCount, 2);
  });

  test("a message that is released with a delay comes again behind it, not before", async () => {
    await using queue = await harness.createQueue(STANDARD);
    const source = await queue.openSource();
    await queue.send(sampleMessages(1));
    const message = await receiveOne(source);
    assert.deepEqual(await source.release([message], SHORT_HOLD_MS), ["settled"]);
    await receivesNothing(source);
    await queue.pause(PAST_SHORT_HOLD_MS);
    assert.equal((await receiveOne(source)).messageId, message.messageId);
  });

  test("a hold that is extended lasts beyond its first end", async () => {
    await using queue = await harness.createQueue(STANDARD);
    const source = await queue.openSource();
    await queue.send(sampleMessages(2));
    const messages = await receiveAll(source, 2, SHORT_HOLD_MS);
    const settlements = await source.extend(messages, LONG_HOLD_MS);
    assert.deepEqual(settlements, ["settled", "settled"]);
    await queue.pause(PAST_SHORT_HOLD_MS);
    await receivesNothing(source);
  });

  test("a message that is acknowledged never comes again", async () => {
    await using queue = await harness.createQueue(STANDARD);
    const source = await queue.openSource();
    await queue.send(sampleMessages(1));
    const message = await receiveOne(source, SHORT_HOLD_MS);
    assert.deepEqual(await source.acknowledge([message]), ["settled"]);
    await queue.pause(PAST_SHORT_HOLD_MS);
    await receivesNothing(source);
  });

  test("many messages are settled in one call, and no message beside them", async () => {
    await using queue = await harness.createQueue(STANDARD);
    const source = await queue.openSource();
    await queue.send(sampleMessages(25));
    const messages = await receiveAll(source, 25);
    assert.equal(messages.length, 25);
    const [kept, ...others] = messages;
    assert.ok(kept !== undefined);
    const settlements = await source.acknowledge(others);
    assert.deepEqual(settlements, Array(24).fill("settled"));
    assert.deepEqual(await source.release([kept], 0), ["settled"]);
    assert.equal((await receiveOne(source)).messageId, kept.messageId);
  });

  test("settling nothing answers nothing", async () => {
    await using queue = await harness.createQueue(STANDARD);
    const source = await queue.openSource();
    assert.deepEqual(await source.acknowledge([]), []);
    assert.deepEqual(await source.release([], 0), []);
    assert.deepEqual(await source.extend([], LONG_HOLD_MS), []);
  });

  test("a hold of a message that is gone is lost, and the others of the call are settled", async () => {
    await using queue = await harness.createQueue(STANDARD);
    const source = await queue.openSource();
    await queue.send(sampleMessages(3));
    const messages = await receiveAll(source, 3);
    await source.acknowledge(messages.slice(1, 2));
    assert.deepEqual(await source.extend(messages, LONG_HOLD_MS), ["settled", "lost", "settled"]);
    assert.deepEqual(await source.release(messages, 0), ["settled", "lost", "settled"]);
    assert.equal((await receiveAll(source, 3)).length, 2);
  });

  const lostAcknowledgements = { skip: !harness.can.tellLostAcknowledgements };
  test(
    "an acknowledgement behind the hold's end is lost and changes nothing",
    lostAcknowledgements,
    async () => {
      await using queue = await harness.createQueue(STANDARD);
      const [slow, other] = [await queue.openSource(), await queue.openSource()];
      await queue.send(sampleMessages(1));
      const late = await receiveOne(slow, SHORT_HOLD_MS);
      await queue.pause(PAST_SHORT_HOLD_MS);
      assert.deepEqual(await slow.acknowledge([late]), ["lost"]);
      const held = await receiveOne(other);
      assert.deepEqual(await slow.acknowledge([late]), ["lost"]);
      assert.deepEqual(await slow.release([late], 0), ["lost"]);
      assert.deepEqual(await slow.extend([late], 0), ["lost"]);
      await receivesNothing(slow);
      assert.deepEqual(await other.acknowledge([held]), ["settled"]);
      assert.deepEqual(await other.acknowledge([held]), ["lost"]);
    },
  );
}
