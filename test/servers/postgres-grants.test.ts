import { after, test } from "node:test";
import { provesSharedConcurrency } from "../integration/shared-concurrency.ts";
import { startPostgres } from "./postgres.ts";

const server = await startPostgres();
after(() => server.close());

test(
  "two processes on one PostgreSQL share a function's reserved concurrency, and what a killed one had comes back",
  { timeout: 240_000 },
  async (t) => provesSharedConcurrency(t, await server.createDatabase()),
);
