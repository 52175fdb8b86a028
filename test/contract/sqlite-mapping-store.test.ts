import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MappingStore } from "../../src/ports/mapping-store.ts";
import { createSqliteMappingStore } from "../../src/stores/sqlite-mappings.ts";
import { describeMappingStoreContract } from "./mapping-store.ts";

describeMappingStoreContract("sqlite mapping store", {
  async createStore() {
    const folder = mkdtempSync(join(tmpdir(), "millrace-"));
    const stores: MappingStore[] = [];
    return {
      async open() {
        const store = createSqliteMappingStore(join(folder, "progress.db"));
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
