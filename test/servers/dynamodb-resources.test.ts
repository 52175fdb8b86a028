import { randomUUID } from "node:crypto";
import { after } from "node:test";
import type { ResourceStore } from "../../src/ports/resource-store.ts";
import { openDynamodbResourceStore } from "../../src/stores/dynamodb-resources.ts";
import { DYNAMODB_LIMITS } from "../../src/stores/dynamodb-table.ts";
import { describeResourceStoreContract } from "../contract/resource-store.ts";
import { startDynamodbLocal } from "./dynamodb-local.ts";
import { useEndpoint } from "./dynamodb-stream-fixture.ts";
import { startRefusingProxy } from "./refusing-proxy.ts";
import { describeResourceStoreFaults } from "./resource-faults.ts";
import { SHORT_MS } from "./store-faults.ts";

const server = await startDynamodbLocal();
useEndpoint(server.endpoint);
after(() => server.close());

describeResourceStoreContract("dynamodb resource store", {
  writeFaults: [
    {
      name: "table whose capacity is used up",
      async createStore() {
        const proxy = await startRefusingProxy(Number(new URL(server.endpoint).port));
        const table = `millrace-${randomUUID()}`;
        const stores: ResourceStore[] = [];
        return {
          async open() {
            // The SDK reads it when the client is made.
            useEndpoint(`http://127.0.0.1:${proxy.port}`);
            const store = await openDynamodbResourceStore(table);
            useEndpoint(server.endpoint);
            stores.push(store);
            return store;
          },
          begin: async () => proxy.refuseWrites(true),
          end: async () => proxy.refuseWrites(false),
          async [Symbol.asyncDispose]() {
            await Promise.all(stores.map((store) => store.close()));
            await proxy[Symbol.asyncDispose]();
          },
        };
      },
    },
  ],
  createStore: async () => createContent((table) => openDynamodbResourceStore(table)),
});

describeResourceStoreFaults("dynamodb resource store", {
  port: Number(new URL(server.endpoint).port),
  createContent: async () =>
    createContent(async (table, port: number) => {
      // The SDK reads it when the client is made.
      useEndpoint(`http://127.0.0.1:${port}`);
      const store = await openDynamodbResourceStore(table, { ...DYNAMODB_LIMITS, answerMs: SHORT_MS });
      useEndpoint(server.endpoint);
      return store;
    }),
});

function createContent<Place extends readonly unknown[]>(
  openAt: (table: string, ...place: Place) => Promise<ResourceStore>,
) {
  const table = `millrace-${randomUUID()}`;
  const stores: ResourceStore[] = [];
  return {
    async open(...place: Place) {
      const store = await openAt(table, ...place);
      stores.push(store);
      return store;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(stores.map((store) => store.close()));
    },
  };
}
