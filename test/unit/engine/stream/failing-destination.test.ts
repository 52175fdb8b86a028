import assert from "node:assert/strict";
import { test } from "node:test";
import { MillraceError } from "../../../../src/model/errors.ts";
import { FAILED, SmallWorld, SUCCEEDED } from "./small-world.ts";

const REFUSES = "PROBLEM: Failure destination does not accept records";
const REFUSED = "the failure destination did not accept a record; trying again";
const MAPPING = { retryAttemptsMax: 0, onFailureDestination: "file:x" };

/** Shards with a record each, of which the function does none; the destination takes nothing until it is `mended`. */
function worldOf(shards: readonly string[], mapping: ConstructorParameters<typeof SmallWorld>[0] = MAPPING) {
  const world = new SmallWorld(mapping, {}, shards);
  world.handler = () => FAILED;
  world.idleReadMs = 10_000;
  let tries = 0;
  let isMended = false;
  world.deliver = async () => {
    tries++;
    if (isMended) return;
    throw new MillraceError("ERR_MILLRACE_DESTINATION_UNAVAILABLE", "The queue is not there.");
  };
  for (const shard of shards) world.appendMany(shard, 1);
  world.start();
  const result = () => world.engine.status()[0]?.lastProcessingResult;
  const mend = () => {
    isMended = true;
  };
  return { world, result, tries: () => tries, mend };
}

test("a failure destination that does not accept records is the mapping's last result until it does", async () => {
  const { world, result, mend } = worldOf(["s1"]);
  await world.clock.advance(5_000);
  assert.equal(result(), REFUSES);
  mend();
  await world.clock.advance(61_000);
  assert.equal(world.delivered.length, 1);
  assert.equal(result(), "PROBLEM: Function call failed");
});

test("lanes that go on beside one that waits for its destination do not hide it", async () => {
  const { world, result } = worldOf(["s1", "s2"]);
  await world.clock.advance(2_000);
  world.handler = () => SUCCEEDED;
  world.shards.push({ shardId: "s3", parentShardIds: [], closed: false });
  world.appendMany("s3", 3);
  await world.clock.advance(70_000);
  assert.equal((await world.checkpointOf("s3"))?.resume.kind, "after");
  assert.equal(result(), REFUSES);
});

test("a mapping that is stopped with records that its destination refused says no more that it refuses", async () => {
  const { world, result } = worldOf(["s1"]);
  await world.clock.advance(2_000);
  const { engine, mapping } = world;
  const stopped = engine.stopMapping(mapping.uuid, 1_000);
  await world.clock.advance(10_000);
  await stopped;
  assert.notEqual(result(), REFUSES);
});

test("a destination's outage is one for all lanes of a mapping: a few lines, one back-off, and all are heard when it is back", async () => {
  const shards = Array.from({ length: 50 }, (_, index) => `s${index}`);
  const { world, tries, mend } = worldOf(shards);
  await world.clock.advance(180_000);
  const lines = world.logs.filter(({ message }) => message === REFUSED);
  assert.ok(lines.length > 0 && lines.length <= 12, `${lines.length} lines in three minutes`);
  const before = tries();
  mend();
  await world.clock.advance(61_000);
  assert.equal(world.delivered.length, 50);
  assert.equal(tries(), before + 50, "each is tried once more");
});

test("a store that takes no checkpoints is told of a few times a minute, however many shards have some", async () => {
  const shards = Array.from({ length: 20 }, (_, index) => `s${index}`);
  const world = new SmallWorld({}, {}, shards);
  const { store } = world;
  world.idleReadMs = 10_000;
  for (const shard of shards) world.appendMany(shard, 1);
  store.checkpoint = () =>
    Promise.reject(new MillraceError("ERR_MILLRACE_STORE_UNAVAILABLE", "No space is left."));
  world.start();
  await world.clock.advance(60_000);
  const told = world.logs.filter(({ message }) => message.startsWith("a checkpoint could not be stored"));
  assert.ok(told.length > 0 && told.length <= 6, `${told.length} lines in a minute`);
});
