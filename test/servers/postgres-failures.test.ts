import { after } from "node:test";
import type { FailureIndex } from "../../src/ports/failure-index.ts";
import { openPostgresFailureIndex } from "../../src/stores/postgres-failures.ts";
import { describeFailureIndexContract } from "../contract/failure-index.ts";
import { startPostgres } from "./postgres.ts";
import { POSTGRES_WRITE_FAULTS } from "./postgres-write-faults.ts";

const server = await startPostgres();
after(() => server.close());

describeFailureIndexContract("postgres", {
  createIndex: (rowsMax) => createContent(rowsMax),
  writeFaults: POSTGRES_WRITE_FAULTS.map(({ name, begin, end }) => ({
    name,
    async createIndex() {
      const content = await createContent(100);
      return { ...content, begin: () => begin(content.url), end: () => end(content.url) };
    },
  })),
});

async function createContent(rowsMax: number) {
  const url = await server.createDatabase();
  const opened: FailureIndex[] = [];
  return {
    url,
    async open() {
      const index = await openPostgresFailureIndex(url, { rowsMax });
      opened.push(index);
      return index;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(opened.map((index) => index.close()));
    },
  };
}
