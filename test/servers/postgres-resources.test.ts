import { after } from "node:test";
import type { ResourceStore } from "../../src/ports/resource-store.ts";
import { POSTGRES_LIMITS } from "../../src/stores/postgres-database.ts";
import { openPostgresResourceStore } from "../../src/stores/postgres-resources.ts";
import { describeResourceStoreContract } from "../contract/resource-store.ts";
import { startPostgres, throughPort } from "./postgres.ts";
import { POSTGRES_WRITE_FAULTS } from "./postgres-write-faults.ts";
import { describeResourceStoreFaults } from "./resource-faults.ts";
import { SHORT_MS } from "./store-faults.ts";

const server = await startPostgres();
after(() => server.close());

describeResourceStoreContract("postgres resource store", {
  writeFaults: POSTGRES_WRITE_FAULTS.map(({ name, begin, end }) => ({
    name,
    async createStore() {
      const content = await createContent((url) => openPostgresResourceStore(url));
      return { ...content, begin: () => begin(content.url), end: () => end(content.url) };
    },
  })),
  createStore: () => createContent((url) => openPostgresResourceStore(url)),
});

const limits = { ...POSTGRES_LIMITS, connections: 2, answerMs: SHORT_MS };

describeResourceStoreFaults("postgres resource store", {
  port: Number(new URL(server.url).port || "5432"),
  createContent: () =>
    createContent((url, port: number) => openPostgresResourceStore(throughPort(url, port), { limits })),
});

async function createContent<Place extends readonly unknown[]>(
  openAt: (url: string, ...place: Place) => Promise<ResourceStore>,
) {
  const url = await server.createDatabase();
  const stores: ResourceStore[] = [];
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
