import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ParkingStore } from "../../src/ports/parking-store.ts";
import { openSqliteParkingStore } from "../../src/stores/sqlite-parking.ts";
import { CrampedPlace, DISK_FAULTS } from "./cramped/cramped-place.ts";
import { describeParkingStoreContract } from "./parking-store.ts";

describeParkingStoreContract("sqlite parking store", {
  writeFaults: DISK_FAULTS.map((name) => ({
    name,
    async createStore() {
      const place = await CrampedPlace.create(name);
      return {
        open: () => place.openParking(),
        begin: () => place.begin(),
        end: () => place.end(),
        [Symbol.asyncDispose]: () => place[Symbol.asyncDispose](),
      };
    },
  })),
  async createStore() {
    const folder = mkdtempSync(join(tmpdir(), "millrace-"));
    const stores: ParkingStore[] = [];
    return {
      async open() {
        const store = await openSqliteParkingStore(join(folder, "progress.db"));
        stores.push(store);
        return store;
      },
      async [Symbol.asyncDispose]() {
        await Promise.all(stores.map((store) => store.close()));
        rmSync(folder, { recursive: true });
      },
    };
  },
});
