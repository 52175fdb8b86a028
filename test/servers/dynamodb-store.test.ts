import { randomUUID } from "node:crypto";
import { after } from "node:test";
import type { ProgressStore } from "../../src/ports/progress-store.ts";
import { openDynamodbStore } from "../../src/stores/dynamodb.ts";
import { describeProgressStoreContract } from "../contract/progress-store.ts";
import { startDynamodbLocal } from "./dynamodb-local.ts";
import { useEndpoint } from "./dynamodb-stream-fixture.ts";

const server = await startDynamodbLocal();
useEndpoint(server.endpoint);
after(() => server.close());

describeProgressStoreContract("dynamodb store", {
  async createStore() {
    const table = `millrace-${randomUUID()}`;
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
