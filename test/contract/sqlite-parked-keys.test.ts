import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ParkedKeyStore } from "../../src/ports/parked-keys.ts";
import { openSqliteParkedKeys } from "../../src/stores/sqlite-parked-keys.ts";
import { CrampedPlace, DISK_FAULTS } from "./cramped/cramped-place.ts";
import { describeParkedKeysContract } from "./parked-keys.ts";

describeParkedKeysContract("parked keys in SQLite", {
  writeFaults: DISK_FAULTS.map((name) => ({
    name,
    async createStore() {
      const place = await CrampedPlace.create(name);
      return {
        open: () => place.openParkedKeys(),
        begin: () => place.begin(),
        end: () => place.end(),
        [Symbol.asyncDispose]: () => place[Symbol.asyncDispose](),
      };
    },
  })),
  async createStore() {
    const folder = mkdtempSync(join(tmpdir(), "millrace-"));
    const stores: ParkedKeyStore[] = [];
    return {
      async open() {
        const store = await openSqliteParkedKeys(join(folder, "progress.db"));
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
