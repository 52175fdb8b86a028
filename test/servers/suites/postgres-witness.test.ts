import { test } from "node:test";
import { proveKilledWitness } from "../../integration/failures/killed-witness.ts";
import { startPostgres } from "../postgres.ts";

test("after the process that saw a TypeError was killed, another of the same PostgreSQL still tells it", {
  timeout: 300_000,
}, async (t) => {
  const server = await startPostgres();
  t.after(() => server.close());
  await proveKilledWitness(t, await server.createDatabase());
});
