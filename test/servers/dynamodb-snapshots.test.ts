import { randomUUID } from "node:crypto";
import { after } from "node:test";
import type { SnapshotStore } from "../../src/ports/snapshot-store.ts";
import { openDynamodbSnapshotStore } from "../../src/stores/dynamodb-snapshots.ts";
import { describeSnapshotStoreContract } from "../contract/snapshot-store.ts";
import { startDynamodbLocal } from "./dynamodb-local.ts";
import { useEndpoint } from "./dynamodb-stream-fixture.ts";

const server = await startDynamodbLocal();
useEndpoint(server.endpoint);
after(() => server.close());

describeSnapshotStoreContract("dynamodb snapshot store", {
  async createStore() {
    const table = `millrace-${randomUUID()}`;
    const stores: SnapshotStore[] = [];
    return {
      async open() {
        const store = await openDynamodbSnapshotStore(table);
        stores.push(store);
        return store;
      },
      async [Symbol.asyncDispose]() {
        await Promise.all(stores.map((store) => store.close()));
      },
    };
  },
});
