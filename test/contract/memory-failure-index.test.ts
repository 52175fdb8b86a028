import { createMemoryFailureIndex } from "../../src/stores/memory-failures.ts";
import { describeFailureIndexContract } from "./failure-index.ts";

describeFailureIndexContract("memory", {
  async createIndex(rowsMax) {
    const index = createMemoryFailureIndex(rowsMax);
    return { open: async () => index, [Symbol.asyncDispose]: () => index.close() };
  },
});
