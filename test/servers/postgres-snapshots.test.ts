import { after } from "node:test";
import type { SnapshotStore } from "../../src/ports/snapshot-store.ts";
import { openPostgresSnapshotStore } from "../../src/stores/postgres-snapshots.ts";
import { describeSnapshotStoreContract } from "../contract/snapshot-store.ts";
import { startPostgres } from "./postgres.ts";

const server = await startPostgres();
after(() => server.close());

describeSnapshotStoreContract("postgres snapshot store", {
  async createStore() {
    const url = await server.createDatabase();
    const stores: SnapshotStore[] = [];
    return {
      async open() {
        const store = await openPostgresSnapshotStore(url);
        stores.push(store);
        return store;
      },
      async [Symbol.asyncDispose]() {
        await Promise.all(stores.map((store) => store.close()));
      },
    };
  },
});
