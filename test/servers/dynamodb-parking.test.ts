import { randomUUID } from "node:crypto";
import { after } from "node:test";
import type { ParkingStore } from "../../src/ports/parking-store.ts";
import { openDynamodbParkingStore } from "../../src/stores/dynamodb-parking.ts";
import { describeParkingStoreContract } from "../contract/parking-store.ts";
import { startDynamodbLocal } from "./dynamodb-local.ts";
import { useEndpoint } from "./dynamodb-stream-fixture.ts";
import { startRefusingProxy } from "./refusing-proxy.ts";

const server = await startDynamodbLocal();
useEndpoint(server.endpoint);
after(() => server.close());

describeParkingStoreContract("dynamodb parking store", {
  writeFaults: [
    {
      name: "table whose capacity is used up",
      async createStore() {
        const proxy = await startRefusingProxy(Number(new URL(server.endpoint).port));
        const content = createContent();
        return {
          async open() {
            // The SDK reads it when the client is made.
            useEndpoint(`http://127.0.0.1:${proxy.port}`);
            const store = await content.open();
            useEndpoint(server.endpoint);
            return store;
          },
          begin: async () => proxy.refuseWrites(true),
          end: async () => proxy.refuseWrites(false),
          async [Symbol.asyncDispose]() {
            await content[Symbol.asyncDispose]();
            await proxy[Symbol.asyncDispose]();
          },
        };
      },
    },
  ],
  createStore: async () => createContent(),
});

function createContent() {
  const table = `millrace-${randomUUID()}`;
  const stores: ParkingStore[] = [];
  return {
    async open() {
      const store = await openDynamodbParkingStore(table);
      stores.push(store);
      return store;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(stores.map((store) => store.close()));
    },
  };
}
