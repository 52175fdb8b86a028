import assert from "node:assert/strict";
import { test } from "node:test";
import type { QueueMessage } from "../../src/ports/queue-source.ts";
import {
  bodiesOf,
  FIFO,
  groupMessages,
  PAST_SHORT_HOLD_MS,
  type QueueHarness,
  receiveAll,
  receiveOne,
  receivesNothing,
  SHORT_HOLD_MS,
} from "./queue-source-harness.ts";

/** The order of groups in FIFO queues (queues §2.5). */
export function describeGroupsContract(harness: QueueHarness): void {
  const groups = { skip: !harness.can.fifo };

  test(
    "messages of a group are given in the order in which they were sent, with their group",
    groups,
    async () => {
      await using queue = await harness.createQueue(FIFO);
      const source = await queue.openSource();
      assert.equal(source.description.isFifo, true);
      await queue.send(groupMessages("a", 5));
      const bodies: string[] = [];
      for (let round = 0; round < 5 && bodies.length < 5; round++) {
        const messages = await receiveAll(source, 10);
        assert.ok(messages.every(({ groupId }) => groupId === "a"));
        bodies.push(...bodiesOf(queue, source, messages));
        await source.acknowledge(messages);
      }
      assert.deepEqual(bodies, ["a-0", "a-1", "a-2", "a-3", "a-4"]);
    },
  );

  test("a held message holds back its group, and no other group", groups, async () => {
    await using queue = await harness.createQueue(FIFO);
    const source = await queue.openSource();
    await queue.send([...groupMessages("a", 2), ...groupMessages("b", 1)]);
    const first = await receiveOne(source);
    assert.deepEqual(bodiesOf(queue, source, [first]), ["a-0"]);
    const other = await receiveOne(source);
    assert.deepEqual(bodiesOf(queue, source, [other]), ["b-0"]);
    await receivesNothing(source);
    await source.acknowledge([first]);
    assert.deepEqual(bodiesOf(queue, source, [await receiveOne(source)]), ["a-1"]);
  });

  test("a message that is released comes again before the later ones of its group", groups, async () => {
    await using queue = await harness.createQueue(FIFO);
    const source = await queue.openSource();
    await queue.send(groupMessages("a", 3));
    const first = await receiveOne(source);
    await source.release([first], 0);
    const again = await receiveOne(source);
    assert.equal(again.messageId, first.messageId);
    assert.equal(again.receiveCount, 2);
    await receivesNothing(source);
  });

  test("messages whose holds end come again in order", groups, async () => {
    await using queue = await harness.createQueue(FIFO);
    const source = await queue.openSource();
    await queue.send(groupMessages("a", 4));
    const held = await receiveAll(source, 3, SHORT_HOLD_MS);
    assert.ok(held.length >= 1);
    await queue.pause(PAST_SHORT_HOLD_MS);
    const bodies: string[] = [];
    for (let round = 0; round < 4 && bodies.length < 4; round++) {
      const messages = await receiveAll(source, 10);
      bodies.push(...bodiesOf(queue, source, messages));
      await source.acknowledge(messages);
    }
    assert.deepEqual(bodies, ["a-0", "a-1", "a-2", "a-3"]);
  });

  test("many groups are given side by side, each in order", groups, async () => {
    await using queue = await harness.createQueue(FIFO);
    const source = await queue.openSource();
    const names = ["a", "b", "c", "d"];
    await queue.send(
      [0, 1, 2].flatMap((index) => names.flatMap((name) => groupMessages(name, 3).slice(index, index + 1))),
    );
    const byGroup = new Map<string, string[]>();
    for (let round = 0; round < 12; round++) {
      const messages = await receiveAll(source, 10);
      for (const message of messages) noteBody(byGroup, message, bodiesOf(queue, source, [message]));
      await source.acknowledge(messages);
    }
    for (const name of names) {
      assert.deepEqual(
        byGroup.get(name),
        groupMessages(name, 3).map(({ body }) => body),
      );
    }
  });
}

function noteBody(
  byGroup: Map<string, string[]>,
  { groupId = "" }: QueueMessage,
  bodies: readonly string[],
): void {
  byGroup.set(groupId, [...(byGroup.get(groupId) ?? []), ...bodies]);
}
