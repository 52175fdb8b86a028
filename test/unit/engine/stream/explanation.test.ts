import assert from "node:assert/strict";
import { test } from "node:test";
import { reasonsOf } from "../../../../src/engine/reasons.ts";
import { laneOfKey } from "../../../../src/engine/stream/lane-of-key.ts";
import { MillraceError } from "../../../../src/model/errors.ts";
import { FAILED, ManualClock, SmallWorld, SUCCEEDED } from "./small-world.ts";

function shardOf(world: SmallWorld) {
  const explanation = world.engine.explain(world.mapping.uuid);
  assert(explanation?.kind === "stream");
  const [shard] = explanation.shards;
  assert(shard !== undefined);
  return { shard, fn: explanation.function };
}

test("names a blocked lane's batch, its attempts, why it failed and when it is tried again; other lanes are done", async () => {
  const world = new SmallWorld({ parallelizationFactor: 2, batchSize: 2 });
  const [one = "", other = ""] = [0, 1].map((lane) =>
    Array.from({ length: 20 }, (_, index) => `key-${index}`).find((key) => laneOfKey(key, 2) === lane),
  );
  world.append("s1", ...[one, one, one, other].map((key) => ({ key })));
  world.handler = ({ positions }) => (positions.includes(1) ? FAILED : SUCCEEDED);
  world.start();
  await world.clock.advance(250); // Attempts at 0, 100; the third at 300.

  const { shard, fn } = shardOf(world);
  assert.deepEqual(
    shard.lanes.map(({ batch, ...lane }) => lane),
    [{ lane: 0, waitingRecords: 1, idleSinceMs: ManualClock.startMs, fillingUntilMs: undefined }],
  );
  const { requestId, lastErrorId, ...batch } = shard.lanes[0]?.batch ?? { requestId: "" };
  assert.match(lastErrorId ?? "", /^[0-9a-f]{4}$/);
  assert.equal(requestId, world.calls.find(({ positions }) => positions.includes(1))?.requestId);
  assert.deepEqual(batch, {
    doing: "pausing",
    sinceMs: ManualClock.startMs + 100,
    records: 2,
    laterRecords: 0,
    firstRecord: "1",
    lastRecord: "2",
    attempts: 2,
    failures: 2,
    throttles: 0,
    lastProblem: "Error",
    failure: "functionFails",
    key: "key-5",
    nextAttemptMs: ManualClock.startMs + 300,
    groups: [],
  });
  assert.deepEqual(shard.settled, { kind: "oldest" });
  assert.deepEqual([shard.bufferedRecords, shard.reading, shard.caughtUp], [3, "reading", false]);
  assert.deepEqual([fn.running, fn.waiting, fn.limit], [0, 0, 100]);
});

test("tells throttles from failures, and says what of a bisected batch comes later", async () => {
  const world = new SmallWorld({ bisectBatchOnFunctionError: true });
  world.appendMany("s1", 4);
  world.handler = ({ positions }) =>
    positions.length > 1 ? FAILED : { kind: "throttled", retryAfterMs: undefined };
  world.start();
  await world.clock.advance(150);
  const batch = shardOf(world).shard.lanes[0]?.batch;
  assert.deepEqual(
    [batch?.records, batch?.laterRecords, batch?.failures, batch?.throttles, batch?.lastProblem],
    [1, 3, 0, 2, "throttled"],
  );
});

test("shows a batch that runs, one that waits for its turn, and what the filter passed over", async () => {
  const world = new SmallWorld({ filterPatterns: ['{"partitionKey":["k"]}'] });
  const { promise, resolve } = Promise.withResolvers<typeof SUCCEEDED>();
  world.append("s1", { key: "k" }, { key: "other" }, { key: "other" });
  world.handler = () => promise;
  world.start();
  await world.clock.advance(50);
  const { shard, fn } = shardOf(world);
  assert.equal(shard.lanes[0]?.batch?.doing, "invoking");
  assert.deepEqual([shard.passedOverRecords, fn.ownRunning], [2, 1]);
  resolve(SUCCEEDED);
  await world.clock.advance(500);
  const later = shardOf(world).shard;
  assert.deepEqual(
    [later.lanes, later.caughtUp, later.settled],
    [[], true, { kind: "after", position: "3" }],
  );
});

test("shows a batch that its failure destination does not take", async () => {
  const world = new SmallWorld({ retryAttemptsMax: 0, onFailureDestination: "file:x" });
  world.deliver = () => Promise.reject(new Error("full"));
  world.handler = () => FAILED;
  world.appendMany("s1", 1);
  world.start();
  await world.clock.advance(1_000);
  assert.equal(shardOf(world).shard.lanes[0]?.batch?.doing, "discarding");
});

test("shows a batch that is being filled, and until when", async () => {
  const world = new SmallWorld({ batchingWindowMs: 10_000 });
  world.appendMany("s1", 3);
  world.start();
  await world.clock.advance(1_000);
  assert.deepEqual(shardOf(world).shard.lanes, [
    {
      lane: 0,
      waitingRecords: 3,
      idleSinceMs: ManualClock.startMs,
      fillingUntilMs: ManualClock.startMs + 10_000,
      batch: undefined,
    },
  ]);
});

test("shows reading that fails, throttles too, and reading that has stopped for want of room", async () => {
  const world = new SmallWorld({}, { shardWindowRecords: 2, readRecords: 2 });
  world.readFailure = new MillraceError("ERR_MILLRACE_SOURCE_THROTTLED", "slow down");
  world.appendMany("s1", 5);
  world.handler = () => FAILED;
  world.start();
  await world.clock.advance(250);
  const { readFailures, reading } = shardOf(world).shard;
  assert.deepEqual(
    [reading, readFailures],
    ["failing", { count: 2, lastProblem: "ERR_MILLRACE_SOURCE_THROTTLED: slow down", fault: "throttled" }],
  );
  world.readFailure = undefined;
  await world.clock.advance(1_000);
  const later = shardOf(world).shard;
  assert.deepEqual([later.reading, later.readFailures], ["full", undefined]);
});

test("explains nothing of a mapping that does not run", () => {
  assert.equal(new SmallWorld().engine.explain("nobody"), undefined);
});

test("the last checkpoint of a closed shard is late by the end of its last batch, not by that of its last read", async () => {
  const world = new SmallWorld({}, {}, [{ shardId: "s1", parentShardIds: [], closed: true }]);
  world.appendMany("s1", 1);
  const answer = Promise.withResolvers<typeof SUCCEEDED>();
  world.handler = () => answer.promise;
  world.start();
  await world.clock.advance(20_000);
  world.store.checkpoint = () => new Promise(() => {});
  answer.resolve(SUCCEEDED);
  await world.clock.advance(5_000);
  assert.deepEqual(codes(), ["progressing"]);
  await world.clock.advance(6_000);
  assert.deepEqual(codes(), ["checkpointFails"]);

  function codes() {
    const explanation = world.engine.explain(world.mapping.uuid);
    assert(explanation !== undefined);
    const parts = reasonsOf(explanation, world.clock.now()).filter(({ part }) => part === "s1");
    return parts.flatMap(({ reasons }) => reasons.map(({ code }) => code));
  }
});
