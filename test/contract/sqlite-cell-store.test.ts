import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CellStore } from "../../src/ports/cell-store.ts";
import { openSqliteCellStore } from "../../src/stores/sqlite-cells.ts";
import { describeCellStoreContract } from "./cell-store.ts";
import { CrampedPlace, DISK_FAULTS } from "./cramped/cramped-place.ts";

describeCellStoreContract("sqlite cell store", {
  writeFaults: DISK_FAULTS.map((name) => ({
    name,
    async createStore() {
      const place = await CrampedPlace.create(name);
      return {
        open: () => place.openCells(),
        begin: () => place.begin(),
        end: () => place.end(),
        [Symbol.asyncDispose]: () => place[Symbol.asyncDispose](),
      };
    },
  })),
  async createStore() {
    const folder = mkdtempSync(join(tmpdir(), "millrace-"));
    const stores: CellStore[] = [];
    return {
      async open() {
        const store = await openSqliteCellStore(join(folder, "progress.db"));
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
