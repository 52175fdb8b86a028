import assert from "node:assert/strict";
import { test } from "node:test";
import type { Message } from "@aws-sdk/client-sqs";
import { parseQueueArn } from "../../../../connectors/sqs/queue-arn.ts";
import { openSqsSource } from "../../../../connectors/sqs/source.ts";
import type { ReceiveRequest } from "../../../../connectors/sqs/sqs-api.ts";
import { hasErrorCode, MillraceError } from "../../../../src/model/errors.ts";
import { rejectsWith } from "../../../contract/rejects-with.ts";
import { ARN, FakeQueue, FIFO_ARN, NO_ABORT, numberedMessages } from "./fake-queue.ts";

async function openWith(count = 0) {
  const queue = new FakeQueue();
  queue.messages = numberedMessages(count);
  const source = await openSqsSource(ARN, false, queue);
  const messages = await source.receive({ messagesMax: count, waitMs: 0, holdMs: 30_000 }, NO_ABORT);
  queue.receives.length = 0;
  return { queue, source, messages };
}

test("the queue's own visibility time-out and type are described", async () => {
  const queue = new FakeQueue();
  queue.attributes = { VisibilityTimeout: "43200", FifoQueue: "true" };
  const { description } = await openSqsSource(FIFO_ARN, false, queue);
  assert.deepEqual(description, {
    kind: "sqs",
    eventSourceArn: FIFO_ARN.arn,
    isFifo: true,
    visibilityMs: 43_200_000,
    receiveMessagesMax: 10,
    deadLetter: undefined,
  });
});

test("a queue that names no visibility time-out is not opened, and its client is closed", async () => {
  const queue = new FakeQueue();
  queue.attributes = {};
  await rejectsWith("ERR_MILLRACE_SOURCE_UNAVAILABLE", () => openSqsSource(ARN, false, queue));
  assert.equal(queue.isClosed, true);
});

test("a receive asks within SQS's bounds, in whole seconds that are no shorter than wanted", async () => {
  const { queue, source } = await openWith();
  await source.receive({ messagesMax: 10_000, waitMs: 60_000, holdMs: 90_000_000 }, NO_ABORT);
  await source.receive({ messagesMax: 3, waitMs: 1, holdMs: 30_001 }, NO_ABORT);
  await source.receive({ messagesMax: 1, waitMs: 0, holdMs: 0 }, NO_ABORT);
  assert.deepEqual(queue.receives, [
    { messagesMax: 10, waitSeconds: 20, visibilitySeconds: 43_200 },
    { messagesMax: 3, waitSeconds: 1, visibilitySeconds: 31 },
    { messagesMax: 1, waitSeconds: 0, visibilitySeconds: 0 },
  ]);
});

test("settlements go out in calls of ten messages, and are answered in the order given", async () => {
  const { queue, source, messages } = await openWith(25);
  queue.faults.set("receipt-12", { code: "ReceiptHandleIsInvalid", message: "" });
  queue.faults.set("receipt-24", { code: "InternalError", message: "" });
  const settlements = await source.acknowledge(messages);
  assert.deepEqual(
    queue.batches.map(({ receiptHandles }) => receiptHandles.length),
    [10, 10, 5],
  );
  assert.deepEqual(
    settlements.flatMap((settlement, index) => (settlement === "settled" ? [] : [[index, settlement]])),
    [
      [12, "lost"],
      [24, "failed"],
    ],
  );
  assert.equal(settlements.length, 25);
});

test("holds are prolonged and released in whole seconds, up to SQS's twelve hours", async () => {
  const { queue, source, messages } = await openWith(1);
  await source.extend(messages, 30_500);
  await source.extend(messages, 100_000_000);
  await source.release(messages, 0);
  assert.deepEqual(
    queue.batches.map(({ seconds }) => seconds),
    [31, 43_200, 0],
  );
});

const EXPIRED =
  "Value receipt-0 for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.";
const NOT_HELD =
  "Value receipt-0 for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.";
const TOO_LONG =
  "Value 43200 for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the message is beyond the limit [43200 seconds].";
const FAULTS: readonly (readonly [code: string, message: string, settlement: string])[] = [
  ["ReceiptHandleIsInvalid", "", "lost"],
  ["AWS.SimpleQueueService.MessageNotInflight", "", "lost"],
  ["MessageNotInflight", "", "lost"],
  ["InvalidParameterValue", EXPIRED, "lost"],
  ["InvalidParameterValueException", NOT_HELD, "lost"],
  ["InvalidParameterValue", TOO_LONG, "failed"],
  ["RequestThrottled", "", "failed"],
  ["InternalError", "", "failed"],
  ["Unanswered", "", "failed"],
];
for (const [code, message, settlement] of FAULTS) {
  test(`a message that is refused with ${code} ${message} is ${settlement}`, async () => {
    const { queue, source, messages } = await openWith(2);
    queue.faults.set("receipt-0", { code, message });
    assert.deepEqual(await source.extend(messages, 1_000), [settlement, "settled"]);
  });
}

test("a batch call that fails leaves its own messages failed, and no others", async () => {
  const { queue, source, messages } = await openWith(12);
  queue.broken.set("receipt-3", new MillraceError("ERR_MILLRACE_SOURCE_UNAVAILABLE", "down"));
  const settlements = await source.acknowledge(messages);
  assert.deepEqual(settlements, [...Array(10).fill("failed"), "settled", "settled"]);
});

test("a settlement of which every call fails rejects with the reason", async () => {
  const { queue, source, messages } = await openWith(12);
  for (const handle of ["receipt-0", "receipt-10"]) {
    queue.broken.set(handle, new MillraceError("ERR_MILLRACE_SOURCE_THROTTLED", "slow down"));
  }
  await rejectsWith("ERR_MILLRACE_SOURCE_THROTTLED", () => source.release(messages, 0));
});

test("only the ARN of a queue is taken", () => {
  assert.deepEqual(parseQueueArn("arn:aws-cn:sqs:cn-north-1:123456789012:a_b-c.fifo"), {
    arn: "arn:aws-cn:sqs:cn-north-1:123456789012:a_b-c.fifo",
    region: "cn-north-1",
    account: "123456789012",
    name: "a_b-c.fifo",
    isFifo: true,
  });
  const wrong = [
    "arn:aws:sqs:us-east-2:123456789012:",
    "arn:aws:sqs:us-east-2::queue",
    "arn:aws:sqs::123456789012:queue",
    "arn:aws:sqs:us-east-2:123456789012:a.b",
    `arn:aws:sqs:us-east-2:123456789012:${"x".repeat(81)}`,
    `arn:aws:sqs:us-east-2:123456789012:${"x".repeat(76)}.fifo`,
    "arn:aws:sns:us-east-2:123456789012:queue",
    "https://sqs.us-east-2.amazonaws.com/123456789012/queue",
  ];
  for (const arn of wrong) {
    assert.throws(
      () => parseQueueArn(arn),
      (error) => hasErrorCode(error, "ERR_MILLRACE_CONFIG"),
      arn,
    );
  }
});

test("a receive that is under way is answered though no more is wanted: what SQS handed out is not thrown away", async () => {
  const answer = Promise.withResolvers<void>();
  class SlowQueue extends FakeQueue {
    override async receive(request: ReceiveRequest, signal?: AbortSignal): Promise<readonly Message[]> {
      await Promise.race([
        answer.promise,
        new Promise((_, reject) => signal?.addEventListener("abort", () => reject(new Error("cut off")))),
      ]);
      return await super.receive(request);
    }
  }
  const queue = new SlowQueue();
  queue.messages = numberedMessages(3);
  const source = await openSqsSource(ARN, false, queue);
  const caller = new AbortController();
  const pending = source.receive({ messagesMax: 10, waitMs: 20_000, holdMs: 30_000 }, caller.signal);
  caller.abort();
  answer.resolve();
  assert.equal((await pending).length, 3);
  assert.deepEqual(await source.receive({ messagesMax: 10, waitMs: 0, holdMs: 30_000 }, caller.signal), []);
  assert.equal(queue.receives.length, 1, "nothing is asked behind an abort");
});
