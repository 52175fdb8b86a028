import { createMemoryCellStore } from "../../src/stores/memory-cells.ts";
import { SqsAsyncQueue } from "../../src/stores/sqs-async-queue.ts";
import { describeAsyncQueueContract } from "./async-queue.ts";
import { SqsEventTwin } from "./sqs-event-twin.ts";

describeAsyncQueueContract("SQS on a twin", {
  lacks: ["looks", "order"],
  // It is asked over a network: `test/unit/stores/sqs-async-queue.test.ts`.
  writeFaults: [],
  async createQueue() {
    let nowMs = 1_700_000_000_000;
    const now = () => nowMs;
    const twin = new SqsEventTwin(now);
    const cells = createMemoryCellStore();
    return {
      open: async () => new SqsAsyncQueue(twin, cells, now),
      async pass(ms) {
        nowMs += ms;
      },
      async [Symbol.asyncDispose]() {
        twin.close();
      },
    };
  },
});
