import { after } from "node:test";
import type { ProgressStore } from "../../src/ports/progress-store.ts";
import { openPostgresStore } from "../../src/stores/postgres.ts";
import { describeProgressStoreContract } from "../contract/progress-store.ts";
import { startPostgres } from "./postgres.ts";

const server = await startPostgres();
after(() => server.close());

describeProgressStoreContract("postgres store", {
  async createStore() {
    const url = await server.createDatabase();
    const stores: ProgressStore[] = [];
    return {
      async open() {
        const store = await openPostgresStore(url);
        stores.push(store);
        return store;
      },
      async [Symbol.asyncDispose]() {
        await Promise.all(stores.map((store) => store.close()));
      },
    };
  },
});
