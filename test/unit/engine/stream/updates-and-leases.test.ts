import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_SETTINGS } from "../../../../src/engine/settings.ts";
import { initialCheckpoint } from "../../../../src/model/checkpoint.ts";
import type { Shard } from "../../../../src/model/record.ts";
import { SmallWorld } from "./small-world.ts";

const { leaseDurationMs } = DEFAULT_SETTINGS;
const SHARD: Shard = { shardId: "s1", parentShardIds: [], closed: false };

/** A shard with a record, under the lease of a process that is gone. */
async function worldOfTheDead(): Promise<SmallWorld> {
  const world = new SmallWorld({}, {}, [SHARD]);
  world.appendMany("s1", 1);
  const { uuid } = world.mapping;
  await world.store.initialise(uuid, [{ shard: SHARD, checkpoint: initialCheckpoint({ kind: "oldest" }) }]);
  await world.store.acquire(uuid, "s1", "process-0", { epoch: 0, counter: 0 });
  world.start();
  return world;
}

async function stop(world: SmallWorld, isFollowed: boolean): Promise<void> {
  const stopped = world.engine.stopMapping(world.mapping.uuid, 1_000, { isFollowed });
  await world.clock.advance(10);
  await stopped;
}

test("updates of a mapping do not put off when it takes over the lease of an owner who is gone", async () => {
  const world = await worldOfTheDead();
  for (let update = 0; update < 3; update++) {
    await world.clock.advance(leaseDurationMs / 4);
    await stop(world, true);
    world.start();
  }
  assert.deepEqual(world.positions(), []);
  await world.clock.advance(leaseDurationMs / 4 + 1_000);
  assert.deepEqual(world.positions(), [[1]]);
});

test("a mapping that was disabled watches leases anew: nobody looked at them meanwhile", async () => {
  const world = await worldOfTheDead();
  await world.clock.advance(leaseDurationMs / 2);
  await stop(world, false);
  world.start();
  await world.clock.advance(leaseDurationMs - 100);
  assert.deepEqual(world.positions(), []);
  await world.clock.advance(2_000);
  assert.deepEqual(world.positions(), [[1]]);
});
