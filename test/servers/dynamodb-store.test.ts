import { randomUUID } from "node:crypto";
import { after } from "node:test";
import type { ProgressStore } from "../../src/ports/progress-store.ts";
import { openDynamodbStore } from "../../src/stores/dynamodb.ts";
import { DYNAMODB_LIMITS } from "../../src/stores/dynamodb-table.ts";
import { testLeaseRace } from "../contract/lease-race.ts";
import { describeProgressStoreContract } from "../contract/progress-store.ts";
import { startDynamodbLocal } from "./dynamodb-local.ts";
import { useEndpoint } from "./dynamodb-stream-fixture.ts";
import { startRefusingProxy } from "./refusing-proxy.ts";
import { describeStoreFaults, SHORT_MS } from "./store-faults.ts";

const server = await startDynamodbLocal();
useEndpoint(server.endpoint);
after(() => server.close());

describeProgressStoreContract("dynamodb store", {
  writeFaults: [
    {
      name: "table whose capacity is used up",
      async createStore() {
        const proxy = await startRefusingProxy(Number(new URL(server.endpoint).port));
        const table = freshTable();
        const stores: ProgressStore[] = [];
        return {
          async open() {
            // The SDK reads it when the client is made.
            useEndpoint(`http://127.0.0.1:${proxy.port}`);
            const store = await openDynamodbStore(table);
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
  async createStore() {
    const table = freshTable();
    const stores: ProgressStore[] = [];
    return {
      async open() {
        const store = await openDynamodbStore(table);
        stores.push(store);
        return store;
      },
      async [Symbol.asyncDispose]() {
        await Promise.all(stores.map((store) => store.close()));
      },
    };
  },
});

describeStoreFaults("dynamodb store", {
  port: Number(new URL(server.endpoint).port),
  async createContent() {
    const table = freshTable();
    const stores: ProgressStore[] = [];
    return {
      async open(port) {
        // The SDK reads it when the client is made.
        useEndpoint(`http://127.0.0.1:${port}`);
        const store = await openDynamodbStore(table, { ...DYNAMODB_LIMITS, answerMs: SHORT_MS });
        useEndpoint(server.endpoint);
        stores.push(store);
        return store;
      },
      async [Symbol.asyncDispose]() {
        await Promise.all(stores.map((store) => store.close()));
      },
    };
  },
});

testLeaseRace("dynamodb store", async () => {
  const table = freshTable();
  const store = await openDynamodbStore(table);
  return { url: `dynamodb:${table}`, open: async () => store, [Symbol.asyncDispose]: () => store.close() };
});

function freshTable(): string {
  return `millrace-${randomUUID()}`;
}
