import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { ProgressStore } from "../../src/ports/progress-store.ts";
import { openPostgresStore } from "../../src/stores/postgres.ts";
import { POSTGRES_LIMITS, PostgresDatabase } from "../../src/stores/postgres-database.ts";
import { readPostgresSettings } from "../../src/stores/postgres-settings.ts";
import { testLeaseRace } from "../contract/lease-race.ts";
import { describeProgressStoreContract } from "../contract/progress-store.ts";
import { rejectsWith } from "../contract/rejects-with.ts";
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

test("a transaction that the server rolled back at its commit is refused, whatever its statements answered", async () => {
  const url = await server.createDatabase();
  const database = await PostgresDatabase.open(readPostgresSettings(url, {}), POSTGRES_LIMITS);
  const { message } = await rejectsWith("ERR_MILLRACE_STORE_UNAVAILABLE", () =>
    database.transaction(async (query) => {
      await query("UPDATE millrace.resource_version SET version = 7");
      await query("SELECT no_such_function()").catch(() => undefined);
      return "written";
    }),
  );
  assert.match(message, /ended with ROLLBACK/);
  const { rows } = await database.query<{ version: string }>("SELECT version FROM millrace.resource_version");
  assert.equal(Number(rows[0]?.version), 0);
  await database.close();
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
