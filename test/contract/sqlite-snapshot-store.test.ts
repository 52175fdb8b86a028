import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SnapshotStore } from "../../src/ports/snapshot-store.ts";
import { openSqliteSnapshotStore } from "../../src/stores/sqlite-snapshots.ts";
import { describeSnapshotStoreContract } from "./snapshot-store.ts";

describeSnapshotStoreContract("sqlite snapshot store", {
  async createStore() {
    const folder = mkdtempSync(join(tmpdir(), "millrace-"));
    const stores: SnapshotStore[] = [];
    return {
      async open() {
        const store = await openSqliteSnapshotStore(join(folder, "progress.db"));
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
