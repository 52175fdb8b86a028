import { after } from "node:test";
import type { ProgressStore } from "../../src/ports/progress-store.ts";
import { openPostgresStore } from "../../src/stores/postgres.ts";
import { POSTGRES_LIMITS } from "../../src/stores/postgres-database.ts";
import { testLeaseRace } from "../contract/lease-race.ts";
import { describeProgressStoreContract } from "../contract/progress-store.ts";
import { startPostgres, throughPort } from "./postgres.ts";
import { POSTGRES_WRITE_FAULTS } from "./postgres-write-faults.ts";
import { describeStoreFaults, SHORT_MS } from "./store-faults.ts";

const server = await startPostgres();
after(() => server.close());

describeProgressStoreContract("postgres store", {
  writeFaults: POSTGRES_WRITE_FAULTS.map(({ name, begin, end }) => ({
    name,
    async createStore() {
      const url = await server.createDatabase();
      const stores: ProgressStore[] = [];
      return {
        async open() {
          const store = await openPostgresStore(url);
          stores.push(store);
          return store;
        },
        begin: () => begin(url),
        end: () => end(url),
        async [Symbol.asyncDispose]() {
          await Promise.all(stores.map((store) => store.close()));
        },
      };
    },
  })),
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

describeStoreFaults("postgres store", {
  port: Number(new URL(server.url).port || "5432"),
  async createContent() {
    const url = await server.createDatabase();
    const stores: ProgressStore[] = [];
    return {
      async open(port) {
        const store = await openPostgresStore(throughPort(url, port), {
          limits: { ...POSTGRES_LIMITS, answerMs: SHORT_MS },
        });
        stores.push(store);
        return store;
      },
      async [Symbol.asyncDispose]() {
        await Promise.all(stores.map((store) => store.close()));
      },
    };
  },
});

testLeaseRace("postgres store", async () => {
  const url = await server.createDatabase();
  const store = await openPostgresStore(url);
  return { url, open: async () => store, [Symbol.asyncDispose]: () => store.close() };
});
