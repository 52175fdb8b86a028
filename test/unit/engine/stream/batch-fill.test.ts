import assert from "node:assert/strict";
import { test } from "node:test";
import { SmallWorld } from "./small-world.ts";

const WINDOW = { batchingWindowMs: 5_000 };

test("batches fill up to their window when little passes the filter", async () => {
  const pattern = '{"partitionKey":["wanted"]}';
  const world = new SmallWorld({ ...WINDOW, batchSize: 1_000, filterPatterns: [pattern] });
  world.start();
  for (let turn = 0; turn < 40; turn++) {
    world.appendMany("s1", 1_500, (index) => (index % 100 === 0 ? "wanted" : "other"));
    await world.clock.advance(100);
  }
  await world.clock.advance(7_000);
  assert.deepEqual(
    world.calls.map(({ positions }) => positions.length),
    [600],
  );
});

test("batches fill up to their size when many lanes share the shard", async () => {
  const world = new SmallWorld(
    { ...WINDOW, batchSize: 200, parallelizationFactor: 10 },
    { shardWindowRecords: 1_000 },
  );
  world.start();
  for (let turn = 0; turn < 19; turn++) {
    world.appendMany("s1", 100, (index) => `k${index}`);
    await world.clock.advance(100);
  }
  assert.ok(world.calls.length > 0 && world.calls.every(({ positions }) => positions.length === 200));
  await world.clock.advance(7_000);
  assert.equal(
    world.calls.reduce((sum, { positions }) => sum + positions.length, 0),
    1_900,
  );
});

test("a shard whose records alternate between wanted and dropped fills whole batches", async () => {
  const pattern = '{"partitionKey":["wanted"]}';
  const world = new SmallWorld(
    { ...WINDOW, batchSize: 1_000, filterPatterns: [pattern] },
    { shardWindowRecords: 1_000 },
  );
  world.start();
  world.appendMany("s1", 2_000, (index) => (index % 2 === 0 ? "wanted" : "other"));
  await world.clock.advance(7_000);
  assert.deepEqual(
    world.calls.map(({ positions }) => positions.length),
    [1_000],
  );
});

test("records that are held stay bounded in number and bytes, window or not", async () => {
  const world = new SmallWorld({ ...WINDOW, batchSize: 100 }, { shardWindowRecords: 300 });
  world.handler = () => new Promise(() => {});
  world.appendMany("s1", 5_000);
  world.start();
  await world.clock.advance(20_000);
  const [status] = world.engine.status();
  assert.equal(status?.shards[0]?.bufferedRecords, 300);
});
