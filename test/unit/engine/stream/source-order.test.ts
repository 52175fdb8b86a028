import assert from "node:assert/strict";
import { test } from "node:test";
import type { InvocationOutcome } from "../../../../src/model/outcome.ts";
import { SmallWorld, SUCCEEDED } from "./small-world.ts";

/** Records that a source gives at these places, in this order. */
function given(world: SmallWorld, ...places: readonly number[]): void {
  const before = world.records.get("s1") ?? [];
  const made = new SmallWorld();
  made.appendMany("s1", Math.max(...places));
  const all = made.records.get("s1") ?? [];
  world.records.set("s1", [...before, ...places.flatMap((place) => all[place - 1] ?? [])]);
}

function warnings(world: SmallWorld): number {
  return world.logs.filter(({ message }) => message.startsWith("the source gave records again")).length;
}

test("a page that a source gives twice is processed twice, told, and costs neither shard nor checkpoint", async () => {
  const world = new SmallWorld();
  given(world, 1, 2, 3);
  world.start();
  await world.clock.advance(1_000);
  given(world, 1, 2, 3);
  await world.clock.advance(1_000);
  given(world, 4, 5);
  await world.clock.advance(1_000);
  assert.deepEqual(world.positions(), [
    [1, 2, 3],
    [1, 2, 3],
    [4, 5],
  ]);
  assert.equal(warnings(world), 1);
  assert.deepEqual((await world.checkpointOf("s1"))?.resume, { kind: "after", position: "5" });
});

test("a source that gives one page for ever is told a few times a minute, and its checkpoint stays", async () => {
  const world = new SmallWorld();
  given(world, 1, 2, 3);
  world.start();
  for (let page = 0; page < 20; page++) {
    await world.clock.advance(500);
    given(world, 1, 2, 3);
  }
  await world.clock.advance(500);
  assert.equal(world.calls.length, 21);
  assert.equal(warnings(world), 3);
  assert.deepEqual((await world.checkpointOf("s1"))?.resume, { kind: "after", position: "3" });
});

test("what comes behind a later record is not lost when the process dies before it is done", async () => {
  const world = new SmallWorld({ batchSize: 1 });
  given(world, 1, 2);
  world.start();
  await world.clock.advance(1_000);
  given(world, 5, 3, 4);
  let end = (_outcome: InvocationOutcome): void => {};
  world.handler = ({ positions }) =>
    positions.includes(3) ? new Promise((resolve) => (end = resolve)) : SUCCEEDED;
  await world.clock.advance(1_000);
  assert.deepEqual(world.positions(), [[1], [2], [5], [3]]);
  // A crash now reads on behind 2, in whatever order the source gives the rest then.
  assert.deepEqual((await world.checkpointOf("s1"))?.resume, { kind: "after", position: "2" });
  end(SUCCEEDED);
  await world.clock.advance(1_000);
  assert.deepEqual(world.positions().at(-1), [4]);
  assert.deepEqual((await world.checkpointOf("s1"))?.resume, { kind: "after", position: "5" });
});

test("a shard whose last page comes twice ends all the same", async () => {
  const world = new SmallWorld();
  given(world, 1, 2);
  world.start();
  await world.clock.advance(1_000);
  given(world, 2, 1);
  world.close("s1");
  await world.clock.advance(2_000);
  assert.equal((await world.checkpointOf("s1"))?.ended, true);
});
