import { createMemorySnapshotStore } from "../../src/stores/memory-snapshots.ts";
import { describeSnapshotStoreContract } from "./snapshot-store.ts";

describeSnapshotStoreContract("memory snapshot store", {
  async createStore() {
    const store = createMemorySnapshotStore();
    return {
      open: async () => store,
      async [Symbol.asyncDispose]() {
        await store.close();
      },
    };
  },
});
