import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ResourceStore } from "../../src/ports/resource-store.ts";
import { openSqliteResourceStore } from "../../src/stores/sqlite-resources.ts";
import { CrampedPlace, DISK_FAULTS } from "./cramped/cramped-place.ts";
import { describeResourceStoreContract } from "./resource-store.ts";

describeResourceStoreContract("sqlite resource store", {
  writeFaults: DISK_FAULTS.map((name) => ({
    name,
    async createStore() {
      const place = await CrampedPlace.create(name);
      return {
        open: () => place.openMappings(),
        begin: () => place.begin(),
        end: () => place.end(),
        [Symbol.asyncDispose]: () => place[Symbol.asyncDispose](),
      };
    },
  })),
  async createStore() {
    const folder = mkdtempSync(join(tmpdir(), "millrace-"));
    const stores: ResourceStore[] = [];
    return {
      async open() {
        const store = await openSqliteResourceStore(join(folder, "progress.db"));
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
