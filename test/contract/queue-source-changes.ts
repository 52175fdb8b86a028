import assert from "node:assert/strict";
import { test } from "node:test";
import type { QueueMessage, QueueSource } from "../../src/ports/queue-source.ts";
import {
  AT_ONCE,
  bodiesOf,
  FIFO,
  groupMessages,
  NO_ABORT,
  type QueueFixture,
  type QueueHarness,
  receiveAll,
  STANDARD,
  sampleMessages,
  texts,
} from "./queue-source-harness.ts";
import { rejectsWith } from "./rejects-with.ts";

const LOOKS_MAX = 100;
/** Between two looks. The port gives a source a minute. */
const LOOK_MS = 1_000;

/** A queue that changes while it is read: its settings, the queue itself, and messages that nobody can read. */
export function describeChangesContract(harness: QueueHarness): void {
  const changing = { skip: harness.can.change ? false : "its queues cannot be changed here" };
  const canRemake = harness.can.remake ?? harness.can.change;
  const remaking = { skip: canRemake ? false : "its queues cannot be made anew here" };
  const damaging = { skip: harness.can.damage ? false : "nothing damages its messages" };

  for (const [change, visibilityMs] of [
    ["raised", 45_000],
    ["lowered", 5_000],
  ] as const) {
    test(
      `a visibility time-out that is ${change} while the queue is read is told within a minute`,
      changing,
      async () => {
        await using queue = await harness.createQueue(STANDARD);
        const source = await queue.openSource();
        assert.equal(source.description.visibilityMs, STANDARD.visibilityMs);
        await queue.reshape?.(visibilityMs);
        await looksUntil(queue, source, () => source.description.visibilityMs === visibilityMs);
      },
    );
  }

  test(
    "a queue that is removed is not found, and one made anew under its name is read by the same source",
    remaking,
    async () => {
      await using queue = await harness.createQueue(STANDARD);
      const source = await queue.openSource();
      await queue.send(sampleMessages(2, "former"));
      const held = await receiveAll(source, 2);
      await queue.remove?.();
      await rejectsWith("ERR_MILLRACE_SOURCE_NOT_FOUND", () => source.receive(AT_ONCE, NO_ABORT));
      await queue.remake?.(20_000);
      await queue.send(sampleMessages(3, "new"));
      const given: QueueMessage[] = [];
      await looksUntil(queue, source, (messages) => {
        given.push(...messages);
        return given.length >= 3;
      });
      assert.deepEqual(bodiesOf(queue, source, given).toSorted(), texts(sampleMessages(3, "new")));
      if (harness.can.change) assert.equal(source.description.visibilityMs, 20_000);
      // Messages of the former queue are nobody's; the new queue's are settled as ever.
      const former = await source.acknowledge(held);
      if (harness.can.tellLostAcknowledgements) assert.deepEqual(former, ["lost", "lost"]);
      assert.deepEqual(await source.acknowledge(given), ["settled", "settled", "settled"]);
    },
  );

  test("a FIFO queue that is made anew keeps the order of its groups", {
    skip: harness.can.fifo ? remaking.skip : "it has no FIFO queues",
  }, async () => {
    await using queue = await harness.createQueue(FIFO);
    const source = await queue.openSource();
    await queue.send(groupMessages("a", 2));
    await receiveAll(source, 1);
    await queue.remove?.();
    await rejectsWith("ERR_MILLRACE_SOURCE_NOT_FOUND", () => source.receive(AT_ONCE, NO_ABORT));
    await queue.remake?.(FIFO.visibilityMs);
    await queue.send(groupMessages("b", 3));
    const given: QueueMessage[] = [];
    await looksUntil(queue, source, (messages) => {
      given.push(...messages);
      return given.length >= 3;
    });
    assert.deepEqual(bodiesOf(queue, source, given), ["b-0", "b-1", "b-2"]);
    assert.equal(source.description.isFifo, true);
  });

  test(
    "a message that cannot be converted is given with its damage, and its neighbours as they are",
    damaging,
    async () => {
      await using queue = await harness.createQueue(STANDARD);
      const source = await queue.openSource();
      const [before, after] = [sampleMessages(2, "before"), sampleMessages(2, "after")];
      await queue.send(before);
      await queue.sendDamaged?.();
      await queue.send(after);
      const given = await receiveAll(source, 5);
      const damaged = given.filter(({ damage }) => damage !== undefined);
      const sound = given.filter(({ damage }) => damage === undefined);
      assert.equal(damaged.length, 1);
      assert.equal(damaged[0]?.receiveCount, 1);
      assert.deepEqual(bodiesOf(queue, source, sound).toSorted(), texts([...after, ...before]));
      assert.deepEqual(await source.acknowledge(sound), ["settled", "settled", "settled", "settled"]);
      // Given back it comes again, as any other; taken off the queue it is gone.
      assert.deepEqual(await source.release(damaged, 0), ["settled"]);
      const again = await receiveAll(source, 1);
      assert.deepEqual(
        again.map(({ damage, receiveCount }) => [damage !== undefined, receiveCount]),
        [[true, 2]],
      );
      assert.deepEqual(await source.acknowledge(again), ["settled"]);
    },
  );
}

/** Receives until what is wanted is so: what a source believes of its queue may be a minute old. */
async function looksUntil(
  queue: QueueFixture,
  source: QueueSource,
  isTrue: (messages: readonly QueueMessage[]) => boolean,
): Promise<void> {
  for (let looks = 0; looks < LOOKS_MAX; looks++) {
    // A source may tell once that its queue is another one.
    const messages = await source.receive(AT_ONCE, NO_ABORT).catch((): readonly QueueMessage[] => []);
    if (isTrue(messages)) return;
    await queue.pause(LOOK_MS);
  }
  assert.fail(`not within ${LOOKS_MAX} looks`);
}
