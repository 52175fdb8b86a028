import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MappingStore } from "../../src/ports/mapping-store.ts";
import { openSqliteMappingStore } from "../../src/stores/sqlite-mappings.ts";
import { CrampedPlace, DISK_FAULTS } from "./cramped/cramped-place.ts";
import { describeMappingStoreContract } from "./mapping-store.ts";

describeMappingStoreContract("sqlite mapping store", {
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
    const stores: MappingStore[] = [];
    return {
      async open() {
        const store = await openSqliteMappingStore(join(folder, "progress.db"));
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
