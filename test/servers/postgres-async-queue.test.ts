import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { AsyncQueue } from "../../src/ports/async-queue.ts";
import { openPostgresAsyncQueue } from "../../src/stores/postgres-async-queue.ts";
import { POSTGRES_LIMITS, type PostgresLimits } from "../../src/stores/postgres-database.ts";
import { describeAsyncQueueContract } from "../contract/async-queue.ts";
import { idsOf, itemOf, received } from "../contract/async-queue-harness.ts";
import { describeAsyncQueueFaults } from "./async-queue-faults.ts";
import { startPostgres, throughPort, withClient } from "./postgres.ts";
import { POSTGRES_WRITE_FAULTS } from "./postgres-write-faults.ts";
import { SHORT_MS } from "./store-faults.ts";

const server = await startPostgres();
after(() => server.close());

describeAsyncQueueContract("postgres queue", {
  writeFaults: POSTGRES_WRITE_FAULTS.map(({ name, begin, end }) => ({
    name,
    async createQueue() {
      const content = await createContent();
      return { ...content, begin: () => begin(content.url), end: () => end(content.url) };
    },
  })),
  createQueue: createContent,
});

describeAsyncQueueFaults("postgres queue", {
  port: Number(new URL(server.url).port || "5432"),
  createContent,
});

test("what no column takes fails by itself, and not what is put beside it", async () => {
  await using content = await createContent();
  const queue = await content.open();
  const ids = ["a", "b\u0000", "c"];
  const answers = await Promise.allSettled(ids.map((id) => queue.put([itemOf(id, "f:one")])));
  assert.deepEqual(
    answers.map(({ status }) => status),
    ["fulfilled", "rejected", "fulfilled"],
  );
  assert.deepEqual(idsOf(await received(queue)).toSorted(), ["a", "c"]);
});

async function createContent() {
  const url = await server.createDatabase();
  await withClient(url, (client) => client.query(standingClock(url)));
  const queues: AsyncQueue[] = [];
  const openAt = async (place: string, limits?: PostgresLimits) => {
    const queue = await openPostgresAsyncQueue(place, limits && { limits });
    queues.push(queue);
    return queue;
  };
  return {
    url,
    open: () => openAt(url),
    openAt: (port: number) =>
      openAt(throughPort(url, port), { ...POSTGRES_LIMITS, connections: 1, answerMs: SHORT_MS }),
    pass: (ms: number) =>
      withClient(url, async (client) => {
        await client.query("UPDATE test_clock.clock SET ms = ms + $1", [ms]);
      }),
    async [Symbol.asyncDispose]() {
      await Promise.all(queues.map((queue) => queue.close()));
    },
  };
}

/** The queue's clock is the server's, found by its name: one of this name that stands still is found before it. */
function standingClock(url: string): string {
  return (
    "CREATE SCHEMA test_clock; CREATE TABLE test_clock.clock AS SELECT 1700000000000::bigint AS ms; " +
    "CREATE FUNCTION test_clock.statement_timestamp() RETURNS timestamptz STABLE LANGUAGE sql AS " +
    "$$ SELECT to_timestamp(ms / 1000.0) FROM test_clock.clock $$; " +
    `ALTER DATABASE ${new URL(url).pathname.slice(1)} SET search_path = test_clock, pg_catalog, public`
  );
}
