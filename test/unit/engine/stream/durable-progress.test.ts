import assert from "node:assert/strict";
import { test } from "node:test";
import { MillraceError } from "../../../../src/model/errors.ts";
import type { InvocationOutcome } from "../../../../src/model/outcome.ts";
import { FAILED, SmallWorld, SUCCEEDED } from "./small-world.ts";

/** The store renews leases and takes no checkpoint until it is mended. */
function refuseCheckpoints(world: SmallWorld) {
  const { checkpoint } = world.store;
  const refuses = async () => {
    throw new MillraceError("ERR_MILLRACE_STORE_UNAVAILABLE", "The disk is full.");
  };
  const store: { checkpoint: typeof checkpoint } = world.store;
  store.checkpoint = refuses;
  return () => {
    store.checkpoint = checkpoint;
  };
}

const LEASE = { leaseDurationMs: 10_000, leaseRenewalMs: 1_000 };

/** A record every second for so long. */
async function trickle(world: SmallWorld, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    world.append("s1", {});
    await world.clock.advance(1_000);
  }
}

test("nothing starts when what is settled has not been durable for longer than a lease, and all goes on with the store", async () => {
  const world = new SmallWorld({ batchSize: 1 }, LEASE);
  world.start();
  await world.clock.advance(1_000);
  const mend = refuseCheckpoints(world);
  await trickle(world, 60);
  assert.ok(world.calls.length >= 9 && world.calls.length <= 11, `${world.calls.length} invocations`);
  const explained = world.engine.explain(world.mapping.uuid);
  assert.equal(explained?.kind === "stream" && explained.shards[0]?.lanes[0]?.batch?.doing, "undurable");
  assert.match(world.engine.status()[0]?.lastProcessingResult ?? "", /^PROBLEM: .*The disk is full/);
  mend();
  await world.clock.advance(5_000);
  assert.equal(world.calls.length, 60);
  assert.equal(world.engine.status()[0]?.lastProcessingResult, "OK");
});

test("a store that takes checkpoints late but within a lease holds nothing up", async () => {
  const world = new SmallWorld({ batchSize: 1 }, LEASE);
  world.start();
  await world.clock.advance(1_000);
  for (let turn = 0; turn < 5; turn++) {
    const mend = refuseCheckpoints(world);
    await trickle(world, 6);
    mend();
    await trickle(world, 4);
  }
  assert.equal(world.calls.length, 50);
});

test("a long silence before a first record is no lag of the checkpoint", async () => {
  const world = new SmallWorld({ batchSize: 1 }, LEASE);
  world.start();
  await world.clock.advance(600_000);
  world.append("s1", {}, {});
  await world.clock.advance(200);
  assert.equal(world.calls.length, 2);
});

test("an invocation that waited for its turn does not start when the checkpoint has fallen behind meanwhile", async () => {
  const world = new SmallWorld({ batchSize: 1, parallelizationFactor: 2 }, LEASE);
  let release: (outcome: InvocationOutcome) => void = () => {};
  world.handler = ({ positions }) =>
    positions.includes(1) ? new Promise((resolve) => (release = resolve)) : SUCCEEDED;
  world.concurrency = 1;
  world.start();
  await world.clock.advance(1_000);
  refuseCheckpoints(world);
  world.append("s1", { key: "a" }, { key: "b" }, { key: "a" }, { key: "b" });
  await world.clock.advance(1_000);
  release(SUCCEEDED);
  await world.clock.advance(100);
  const before = world.calls.length;
  await world.clock.advance(11_000);
  world.append("s1", { key: "a" }, { key: "b" });
  await world.clock.advance(20_000);
  assert.equal(world.calls.length, before);
});

test("a stop tries to make progress durable until its drain is over, and succeeds when the store is back before", async () => {
  const world = new SmallWorld({ batchSize: 1 }, LEASE);
  world.start();
  await world.clock.advance(1_000);
  const mend = refuseCheckpoints(world);
  await trickle(world, 3);
  const stop = world.engine.stop(25_000);
  await world.clock.advance(20_000);
  mend();
  await world.clock.advance(10_000);
  assert.deepEqual(await stop, { comesAgain: 0 });
  assert.deepEqual((await world.checkpointOf("s1"))?.resume, { kind: "after", position: "3" });
});

test("a stop that could not make progress durable says what comes again, and how much of it", async () => {
  const world = new SmallWorld({ batchSize: 1 }, LEASE);
  world.start();
  await world.clock.advance(1_000);
  refuseCheckpoints(world);
  await trickle(world, 3);
  const stop = world.engine.stop(25_000);
  await world.clock.advance(40_000);
  assert.deepEqual(await stop, { comesAgain: 3 });
  const told = world.logs.filter(({ level }) => level === "error");
  assert.equal(told.length, 1);
  assert.match(told[0]?.message ?? "", /comes again/);
  assert.equal(told[0]?.fields["records"], 3);
});

test("a store that does not answer at all at a stop counts as one that has not taken it", async () => {
  const world = new SmallWorld({ batchSize: 1 }, LEASE);
  world.start();
  await world.clock.advance(1_000);
  const store: Pick<SmallWorld["store"], "checkpoint"> = world.store;
  Object.assign(store, { checkpoint: () => new Promise(() => {}) });
  world.append("s1", {});
  await world.clock.advance(1_000);
  const stop = world.engine.stop(1_000);
  await world.clock.advance(20_000);
  assert.deepEqual(await stop, { comesAgain: 1 });
});

test("invocations that are given up at the end of a drain are told", async () => {
  const world = new SmallWorld({ batchSize: 1 });
  world.handler = () => new Promise(() => {});
  world.append("s1", {});
  world.start();
  await world.clock.advance(1_000);
  const stop = world.engine.stop(1_000);
  await world.clock.advance(10_000);
  await stop;
  const told = world.logs.filter(({ level }) => level === "warn");
  assert.equal(told.length, 1);
  assert.match(told[0]?.message ?? "", /given up at the end of the drain/);
  assert.equal(told[0]?.fields["records"], 1);
});

test("a failing batch that waits for its retry is not told as given up", async () => {
  const world = new SmallWorld({ batchSize: 1 });
  world.handler = () => FAILED;
  world.append("s1", {});
  world.start();
  await world.clock.advance(1_000);
  const stop = world.engine.stop(10_000);
  await world.clock.advance(20_000);
  await stop;
  assert.ok(!world.logs.some(({ message }) => message.includes("given up at the end")));
});
