import { after } from "node:test";
import type { ParkedKeyStore } from "../../src/ports/parked-keys.ts";
import { openPostgresParkedKeys } from "../../src/stores/postgres-parked-keys.ts";
import { describeParkedKeysContract } from "../contract/parked-keys.ts";
import { startPostgres } from "./postgres.ts";
import { POSTGRES_WRITE_FAULTS } from "./postgres-write-faults.ts";

const server = await startPostgres();
after(() => server.close());

describeParkedKeysContract("parked keys in PostgreSQL", {
  writeFaults: POSTGRES_WRITE_FAULTS.map(({ name, begin, end }) => ({
    name,
    async createStore() {
      const content = await createContent((url) => openPostgresParkedKeys(url));
      return { ...content, begin: () => begin(content.url), end: () => end(content.url) };
    },
  })),
  createStore: () => createContent((url) => openPostgresParkedKeys(url)),
});

async function createContent(openAt: (url: string) => Promise<ParkedKeyStore>) {
  const url = await server.createDatabase();
  const stores: ParkedKeyStore[] = [];
  return {
    url,
    async open() {
      const store = await openAt(url);
      stores.push(store);
      return store;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(stores.map((store) => store.close()));
    },
  };
}
