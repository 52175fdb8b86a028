import assert from "node:assert/strict";
import { test } from "node:test";
import { StandstillBook } from "../../../src/control/standstill-book.ts";
import { SILENT_TELEMETRY, SmallWorld } from "../engine/stream/small-world.ts";

/** What is told of a mapping in two minutes: the part, and why it stands still. */
async function toldOf(world: SmallWorld): Promise<readonly string[]> {
  const told: string[] = [];
  const { engine, clock } = world;
  const log = (_level: string, _message: string, { shardId, reason }: Readonly<Record<string, unknown>>) =>
    void told.push(`${shardId}: ${reason}`);
  const telemetry = { ...SILENT_TELEMETRY, log };
  const book = new StandstillBook({ engine, status: () => engine.status(), clock, telemetry });
  world.start();
  await clock.advance(120_000);
  book.stop();
  return told;
}

test("a function that is throttled for minutes is told of the lane that waits for it, and nothing is said to be unknown", async () => {
  const world = new SmallWorld();
  world.tellsOffsetLag = true;
  world.appendMany("s1", 3);
  world.handler = () => ({ kind: "throttled", retryAfterMs: 100_000 });
  assert.deepEqual(await toldOf(world), ["s1 lane 0: functionThrottled"]);
});

test("a function that fails for minutes is told of each lane that it holds up, though reading goes on", async () => {
  const world = new SmallWorld({ parallelizationFactor: 2 });
  world.appendMany("s1", 20, (index) => `k${index}`);
  world.handler = () => ({ kind: "functionError", errorType: "Error", message: "no" });
  assert.deepEqual((await toldOf(world)).toSorted(), [
    "s1 lane 0: functionFails",
    "s1 lane 1: functionFails",
  ]);
});

test("records that the source has and does not give, as those of an open transaction, are told as held back", async () => {
  const world = new SmallWorld();
  world.tellsOffsetLag = true;
  const { clock } = world;
  const hold = () => {
    world.tellNext = { offsetLag: 5 };
    clock.schedule(10, hold);
  };
  hold();
  assert.deepEqual(await toldOf(world), ["s1: sourceHoldsBack"]);
});

test("a batch that fills up for longer than a standstill is by design, and nothing is told", async () => {
  const world = new SmallWorld({ batchSize: 100, batchingWindowMs: 110_000 });
  world.tellsOffsetLag = true;
  world.appendMany("s1", 3);
  assert.deepEqual(await toldOf(world), []);
});
