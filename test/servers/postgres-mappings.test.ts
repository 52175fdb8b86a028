import { after } from "node:test";
import type { MappingStore } from "../../src/ports/mapping-store.ts";
import { POSTGRES_LIMITS } from "../../src/stores/postgres-database.ts";
import { openPostgresMappingStore } from "../../src/stores/postgres-mappings.ts";
import { describeMappingStoreContract } from "../contract/mapping-store.ts";
import { describeMappingStoreFaults } from "./mapping-faults.ts";
import { startPostgres, throughPort } from "./postgres.ts";
import { POSTGRES_WRITE_FAULTS } from "./postgres-write-faults.ts";
import { SHORT_MS } from "./store-faults.ts";

const server = await startPostgres();
after(() => server.close());

describeMappingStoreContract("postgres mapping store", {
  writeFaults: POSTGRES_WRITE_FAULTS.map(({ name, begin, end }) => ({
    name,
    async createStore() {
      const content = await createContent((url) => openPostgresMappingStore(url));
      return { ...content, begin: () => begin(content.url), end: () => end(content.url) };
    },
  })),
  createStore: () => createContent((url) => openPostgresMappingStore(url)),
});

const limits = { ...POSTGRES_LIMITS, connections: 2, answerMs: SHORT_MS };

describeMappingStoreFaults("postgres mapping store", {
  port: Number(new URL(server.url).port || "5432"),
  createContent: () =>
    createContent((url, port: number) => openPostgresMappingStore(throughPort(url, port), { limits })),
});

async function createContent<Place extends readonly unknown[]>(
  openAt: (url: string, ...place: Place) => Promise<MappingStore>,
) {
  const url = await server.createDatabase();
  const stores: MappingStore[] = [];
  return {
    url,
    async open(...place: Place) {
      const store = await openAt(url, ...place);
      stores.push(store);
      return store;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(stores.map((store) => store.close()));
    },
  };
}
