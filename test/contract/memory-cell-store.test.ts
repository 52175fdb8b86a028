import { createMemoryCellStore } from "../../src/stores/memory-cells.ts";
import { describeCellStoreContract } from "./cell-store.ts";

describeCellStoreContract("memory cell store", {
  writeFaults: [],
  async createStore() {
    const store = createMemoryCellStore();
    return {
      open: async () => store,
      async [Symbol.asyncDispose]() {
        await store.close();
      },
    };
  },
});
