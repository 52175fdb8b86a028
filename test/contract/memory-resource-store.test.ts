import { createMemoryResourceStore } from "../../src/stores/memory-resources.ts";
import { describeResourceStoreContract } from "./resource-store.ts";

describeResourceStoreContract("memory resource store", {
  writeFaults: [],
  async createStore() {
    const store = createMemoryResourceStore();
    return {
      open: async () => store,
      async [Symbol.asyncDispose]() {
        await store.close();
      },
    };
  },
});
