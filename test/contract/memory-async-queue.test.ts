import { createMemoryAsyncQueue } from "../../src/stores/memory-async-queue.ts";
import { describeAsyncQueueContract } from "./async-queue.ts";

describeAsyncQueueContract("memory queue", {
  writeFaults: [],
  async createQueue() {
    let nowMs = 1_700_000_000_000;
    const queue = createMemoryAsyncQueue(() => nowMs);
    return {
      open: async () => queue,
      async pass(ms) {
        nowMs += ms;
      },
      async [Symbol.asyncDispose]() {
        await queue.close();
      },
    };
  },
});
