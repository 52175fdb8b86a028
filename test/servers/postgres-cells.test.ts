import { after } from "node:test";
import type { CellStore } from "../../src/ports/cell-store.ts";
import { openPostgresCellStore } from "../../src/stores/postgres-cells.ts";
import { POSTGRES_LIMITS } from "../../src/stores/postgres-database.ts";
import { describeCellStoreContract } from "../contract/cell-store.ts";
import { describeCellStoreFaults } from "./cell-faults.ts";
import { startPostgres, throughPort } from "./postgres.ts";
import { POSTGRES_WRITE_FAULTS } from "./postgres-write-faults.ts";
import { SHORT_MS } from "./store-faults.ts";

const server = await startPostgres();
after(() => server.close());

describeCellStoreContract("postgres cell store", {
  writeFaults: POSTGRES_WRITE_FAULTS.map(({ name, begin, end }) => ({
    name,
    async createStore() {
      const content = await createContent((url) => openPostgresCellStore(url));
      return { ...content, begin: () => begin(content.url), end: () => end(content.url) };
    },
  })),
  createStore: () => createContent((url) => openPostgresCellStore(url)),
});

const limits = { ...POSTGRES_LIMITS, connections: 1, answerMs: SHORT_MS };

describeCellStoreFaults("postgres cell store", {
  port: Number(new URL(server.url).port || "5432"),
  createContent: () =>
    createContent((url, port: number) => openPostgresCellStore(throughPort(url, port), { limits })),
});

async function createContent<Place extends readonly unknown[]>(
  openAt: (url: string, ...place: Place) => Promise<CellStore>,
) {
  const url = await server.createDatabase();
  const stores: CellStore[] = [];
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
