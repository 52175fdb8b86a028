import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { until } from "../integration/cli/millrace-process.ts";
import { FailingWorld } from "../integration/failures/failing-world.ts";
import { startDynamodbLocal } from "./dynamodb-local.ts";
import { useEndpoint } from "./dynamodb-stream-fixture.ts";

const RECORDS = 24;
const KILL_AT = 8;

test("what a DynamoDB table lists is redriven, over a kill, and told by the next process", {
  timeout: 300_000,
}, async (t) => {
  const server = await startDynamodbLocal();
  t.after(() => server.close());
  useEndpoint(server.endpoint);
  const options = { records: RECORDS, keys: 5, shards: 2, destination: "file:failed.jsonl" };
  const world = await FailingWorld.create(t, options);
  const how = { leases: "short", store: `dynamodb:millrace-${randomUUID()}` } as const;
  const first = world.run(how);
  await world.givenUp(first, RECORDS);
  world.isBroken = false;
  const reached = Promise.withResolvers<void>();
  world.onCall = () => {
    if (world.worked().length >= KILL_AT) reached.resolve();
  };
  const words = ["redrive", "--mapping", "orders-stream", "--name", "back"] as const;
  await world.json(await first.apiUrl(), ...words, "--detach");
  await reached.promise;
  first.kill("SIGKILL");
  await first.ended;

  const run = world.run(how);
  const api = await run.apiUrl();
  const status = async () => (await (await fetch(`${api}/millrace/v1/redrives/back`)).json()) as Status;
  const ended = () =>
    until(
      async () => (await status()).state === "done",
      () => run.stderr.slice(-3_000),
    );
  await ended();
  const { done = 0, uncertain = 0, held = 0, loaded } = (await status()).counts;
  assert.equal(loaded, RECORDS);
  assert.equal(done + uncertain + held, RECORDS, "counts add up");
  assert.equal(new Set(world.worked()).size, world.worked().length, "none twice");
  if (uncertain > 0) {
    await world.json(api, "redrive", "back", "--retry-uncertain");
    await ended();
  }
  assert.equal((await status()).counts["done"], RECORDS);
  const { failures } = await world.json(api, "list");
  assert.ok(
    failures.length === RECORDS && failures.every(({ state }: { state: string }) => state === "done"),
  );
});

interface Status {
  readonly state: string;
  readonly counts: Readonly<Record<string, number>>;
}
