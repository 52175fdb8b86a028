import { randomUUID } from "node:crypto";
import { after } from "node:test";
import type { FailureIndex } from "../../src/ports/failure-index.ts";
import { openDynamodbFailureIndex } from "../../src/stores/dynamodb-failures.ts";
import { describeFailureIndexContract } from "../contract/failure-index.ts";
import { startDynamodbLocal } from "./dynamodb-local.ts";
import { useEndpoint } from "./dynamodb-stream-fixture.ts";
import { startRefusingProxy } from "./refusing-proxy.ts";

const server = await startDynamodbLocal();
useEndpoint(server.endpoint);
after(() => server.close());

describeFailureIndexContract("dynamodb", {
  createIndex: async (rowsMax) => createContent(rowsMax),
  writeFaults: [
    {
      name: "table whose capacity is used up",
      async createIndex() {
        const proxy = await startRefusingProxy(Number(new URL(server.endpoint).port));
        const content = createContent(100);
        return {
          async open() {
            // The SDK reads it when the client is made.
            useEndpoint(`http://127.0.0.1:${proxy.port}`);
            const index = await content.open();
            useEndpoint(server.endpoint);
            return index;
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
});

function createContent(rowsMax: number) {
  const table = `millrace-${randomUUID()}`;
  const opened: FailureIndex[] = [];
  return {
    async open() {
      const index = await openDynamodbFailureIndex(table, { rowsMax });
      opened.push(index);
      return index;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(opened.map((index) => index.close()));
    },
  };
}
