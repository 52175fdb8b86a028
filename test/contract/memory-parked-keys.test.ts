import { createMemoryParkedKeys } from "../../src/stores/memory-parked-keys.ts";
import { describeParkedKeysContract } from "./parked-keys.ts";

describeParkedKeysContract("parked keys in memory", {
  writeFaults: [],
  async createStore() {
    const store = createMemoryParkedKeys();
    return {
      open: async () => store,
      async [Symbol.asyncDispose]() {
        await store.close();
      },
    };
  },
});
