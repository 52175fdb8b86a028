import assert from "node:assert/strict";
import { test } from "node:test";
import { answered, FAILED, SmallWorld, SUCCEEDED } from "./small-world.ts";

test("counts retries of a batch, its halves too, and not the first calls", async () => {
  const world = new SmallWorld({ batchSize: 2, bisectBatchOnFunctionError: true, retryAttemptsMax: 1 });
  world.handler = ({ positions }) => (positions.includes(1) ? FAILED : SUCCEEDED);
  world.appendMany("s1", 4);
  world.start();
  await world.clock.advance(60_000);
  // [1,2] first, then [1] twice and [2]; [3,4] first.
  assert.equal(world.calls.length, 5);
  assert.equal(world.count("retries"), 3);
});

test("a throttled call is repeated as a retry, though it costs none", async () => {
  const world = new SmallWorld({ retryAttemptsMax: 0 });
  world.handler = () =>
    world.calls.length === 1 ? { kind: "throttled", retryAfterMs: undefined } : SUCCEEDED;
  world.appendMany("s1", 1);
  world.start();
  await world.clock.advance(60_000);
  assert.equal(world.count("retries"), 1);
});

test("counts answers that list a part of their batch, and what comes again because of them", async () => {
  const world = new SmallWorld({ reportBatchItemFailures: true });
  world.handler = () =>
    world.calls.length === 1 ? answered({ batchItemFailures: [{ itemIdentifier: "2" }] }) : SUCCEEDED;
  world.appendMany("s1", 3);
  world.start();
  await world.clock.advance(60_000);
  assert.deepEqual([world.count("partial_failures"), world.count("retries")], [1, 1]);
});

test("observes how long the first record of a batch waited for its first call, and not for later ones", async () => {
  const world = new SmallWorld({ retryAttemptsMax: 1 });
  world.handler = () => (world.calls.length === 1 ? FAILED : SUCCEEDED);
  world.append("s1", { arrivalMs: -2500 }, { arrivalMs: -500 });
  world.start();
  await world.clock.advance(60_000);
  assert.equal(world.calls.length, 2);
  assert.deepEqual(world.observations.get("put_to_invoke_seconds"), [2.5]);
});

test("the age of the oldest open record grows while it is retried, and ends with it", async () => {
  const world = new SmallWorld({ parallelizationFactor: 2 });
  let isBroken = true;
  world.handler = ({ positions }) => (isBroken && positions.includes(1) ? FAILED : SUCCEEDED);
  world.append("s1", { key: "a", arrivalMs: -1000 }, { key: "b" });
  world.start();
  await world.clock.advance(5000);
  assert.equal(world.engine.status()[0]?.oldestAgeMs, 6000);
  assert.equal(world.engine.status()[0]?.shards[0]?.oldestAgeMs, 6000);
  await world.clock.advance(10_000);
  assert.equal(world.engine.status()[0]?.oldestAgeMs, 16_000);
  isBroken = false;
  await world.clock.advance(120_000);
  assert.equal(world.engine.status()[0]?.oldestAgeMs, 0);
});

test("counts leases that are taken, and one that runs out since the store does not answer", async () => {
  const world = new SmallWorld({}, { leaseDurationMs: 10_000, leaseRenewalMs: 1000 });
  world.appendMany("s1", 1);
  world.start();
  await world.clock.advance(2000);
  assert.deepEqual([world.count("leases_acquired"), world.count("leases_expired")], [1, 0]);
  world.store.renew = async () => {
    throw new Error("down");
  };
  await world.clock.advance(30_000);
  assert.equal(world.count("leases_expired"), 1);
});
