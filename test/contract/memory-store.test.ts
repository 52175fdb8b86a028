import { createMemoryStore } from "../../src/stores/memory.ts";
import { describeProgressStoreContract } from "./progress-store.ts";

describeProgressStoreContract("memory store", {
  writeFaults: [],
  async createStore() {
    const store = createMemoryStore();
    return {
      open: async () => store,
      async [Symbol.asyncDispose]() {
        await store.close();
      },
    };
  },
});
