import { createMemoryMappingStore } from "../../src/stores/memory-mappings.ts";
import { describeMappingStoreContract } from "./mapping-store.ts";

describeMappingStoreContract("memory mapping store", {
  writeFaults: [],
  async createStore() {
    const store = createMemoryMappingStore();
    return {
      open: async () => store,
      async [Symbol.asyncDispose]() {
        await store.close();
      },
    };
  },
});
