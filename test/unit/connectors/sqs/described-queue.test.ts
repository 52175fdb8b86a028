import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { openSqsSource } from "../../../../connectors/sqs/source.ts";
import { MillraceError } from "../../../../src/model/errors.ts";
import { rejectsWith } from "../../../contract/rejects-with.ts";
import { ARN, FakeQueue, NO_ABORT } from "./fake-queue.ts";

const AT_ONCE = { messagesMax: 10, waitMs: 0, holdMs: 30_000 };

/** A queue whose owner changes it, under a clock that the test moves. */
class ChangingQueue extends FakeQueue {
  nowMs = 0;
  asked = 0;
  isThere = true;
  /** Of the question for attributes alone. */
  refusal: MillraceError | undefined;

  override async queueAttributes() {
    this.asked++;
    this.#refuse();
    if (this.refusal !== undefined) throw this.refusal;
    return await super.queueAttributes();
  }

  override async receive(request: Parameters<FakeQueue["receive"]>[0]) {
    this.#refuse();
    return await super.receive(request);
  }

  #refuse(): void {
    if (!this.isThere) throw new MillraceError("ERR_MILLRACE_SOURCE_NOT_FOUND", "There is no such queue.");
  }
}

async function opened() {
  const queue = new ChangingQueue();
  const source = await openSqsSource(ARN, false, queue, { nowMs: () => queue.nowMs });
  const receive = async () => {
    await source.receive(AT_ONCE, NO_ABORT);
    await nextTurn();
  };
  return { queue, source, receive };
}

test("the queue's attributes are asked for again once a minute, beside a receive that does not wait for them", async () => {
  const { queue, source, receive } = await opened();
  queue.attributes = { VisibilityTimeout: "90" };
  queue.nowMs = 59_999;
  await receive();
  assert.deepEqual([queue.asked, source.description.visibilityMs], [1, 30_000]);
  queue.nowMs = 60_000;
  await receive();
  await receive();
  assert.deepEqual([queue.asked, source.description.visibilityMs], [2, 90_000]);
  queue.nowMs = 120_000;
  await receive();
  assert.equal(queue.asked, 3);
});

for (const [what, refusal] of [
  ["is throttled", new MillraceError("ERR_MILLRACE_SOURCE_THROTTLED", "slow down")],
  ["may not be asked any more", new MillraceError("ERR_MILLRACE_SOURCE_UNAVAILABLE", "denied")],
] as const) {
  test(`what a queue said last holds while the question ${what}, which is asked again a minute later`, async () => {
    const { queue, source, receive } = await opened();
    queue.attributes = { VisibilityTimeout: "90" };
    queue.refusal = refusal;
    queue.nowMs = 60_000;
    await receive();
    await receive();
    assert.deepEqual([queue.asked, source.description.visibilityMs], [2, 30_000]);
    queue.refusal = undefined;
    queue.nowMs = 120_000;
    await receive();
    assert.equal(source.description.visibilityMs, 90_000);
  });
}

test("a queue that was not found says what it is before the first message of the next one is received", async () => {
  const { queue, source } = await opened();
  queue.isThere = false;
  await rejectsWith("ERR_MILLRACE_SOURCE_NOT_FOUND", () => source.receive(AT_ONCE, NO_ABORT));
  await rejectsWith("ERR_MILLRACE_SOURCE_NOT_FOUND", () => source.receive(AT_ONCE, NO_ABORT));
  queue.isThere = true;
  queue.attributes = { VisibilityTimeout: "7" };
  await source.receive(AT_ONCE, NO_ABORT);
  assert.equal(source.description.visibilityMs, 7_000);
});

test("a settlement that finds no queue has it asked again what it is", async () => {
  const { queue, source } = await opened();
  queue.messages = [{ MessageId: "id-0", ReceiptHandle: "receipt-0", Body: "body" }];
  const messages = await source.receive(AT_ONCE, NO_ABORT);
  queue.broken.set(
    "receipt-0",
    new MillraceError("ERR_MILLRACE_SOURCE_NOT_FOUND", "There is no such queue."),
  );
  await rejectsWith("ERR_MILLRACE_SOURCE_NOT_FOUND", () => source.acknowledge(messages));
  queue.attributes = { VisibilityTimeout: "8" };
  await source.receive(AT_ONCE, NO_ABORT);
  assert.equal(source.description.visibilityMs, 8_000);
});
