import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ProgressStore } from "../../src/ports/progress-store.ts";
import { openSqliteStore } from "../../src/stores/sqlite.ts";
import { CrampedPlace, DISK_FAULTS } from "./cramped/cramped-place.ts";
import { testLeaseRace } from "./lease-race.ts";
import { describeProgressStoreContract } from "./progress-store.ts";

describeProgressStoreContract("sqlite store", {
  writeFaults: DISK_FAULTS.map((name) => ({
    name,
    async createStore() {
      const place = await CrampedPlace.create(name);
      return {
        open: () => place.openProgress(),
        begin: () => place.begin(),
        end: () => place.end(),
        [Symbol.asyncDispose]: () => place[Symbol.asyncDispose](),
      };
    },
  })),
  async createStore() {
    const folder = mkdtempSync(join(tmpdir(), "millrace-"));
    const stores: ProgressStore[] = [];
    return {
      async open() {
        const store = await openSqliteStore(join(folder, "progress.db"));
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

testLeaseRace("sqlite store", async () => {
  const folder = mkdtempSync(join(tmpdir(), "millrace-"));
  const path = join(folder, "progress.db");
  const store = await openSqliteStore(path);
  return {
    url: `sqlite:${path}`,
    open: async () => store,
    async [Symbol.asyncDispose]() {
      await store.close();
      rmSync(folder, { recursive: true });
    },
  };
});
