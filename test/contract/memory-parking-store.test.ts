import { createMemoryParkingStore } from "../../src/stores/memory-parking.ts";
import { describeParkingStoreContract } from "./parking-store.ts";

describeParkingStoreContract("memory parking store", {
  writeFaults: [],
  async createStore() {
    const store = createMemoryParkingStore();
    return {
      open: async () => store,
      async [Symbol.asyncDispose]() {
        await store.close();
      },
    };
  },
});
