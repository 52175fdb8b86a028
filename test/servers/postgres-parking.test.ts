import { after } from "node:test";
import type { ParkingStore } from "../../src/ports/parking-store.ts";
import { openPostgresParkingStore } from "../../src/stores/postgres-parking.ts";
import { describeParkingStoreContract } from "../contract/parking-store.ts";
import { startPostgres } from "./postgres.ts";
import { POSTGRES_WRITE_FAULTS } from "./postgres-write-faults.ts";

const server = await startPostgres();
after(() => server.close());

describeParkingStoreContract("postgres parking store", {
  writeFaults: POSTGRES_WRITE_FAULTS.map(({ name, begin, end }) => ({
    name,
    async createStore() {
      const content = await createContent((url) => openPostgresParkingStore(url));
      return { ...content, begin: () => begin(content.url), end: () => end(content.url) };
    },
  })),
  createStore: () => createContent((url) => openPostgresParkingStore(url)),
});

async function createContent(openAt: (url: string) => Promise<ParkingStore>) {
  const url = await server.createDatabase();
  const stores: ParkingStore[] = [];
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
