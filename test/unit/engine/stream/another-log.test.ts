import assert from "node:assert/strict";
import { test } from "node:test";
import { MillraceError } from "../../../../src/model/errors.ts";
import type { InvocationOutcome } from "../../../../src/model/outcome.ts";
import type { LogAnew } from "../../../../src/ports/stream-source.ts";
import { SmallWorld, SUCCEEDED } from "./small-world.ts";

const REMADE: LogAnew = {
  because: "remade",
  from: { kind: "after", position: "0" },
  told: "s1 was made anew",
};

function wentBackTo(position: number): LogAnew {
  return {
    because: "wentBack",
    from: { kind: "after", position: String(position) },
    told: "s1 lost its end",
  };
}

/** The stream has these records now, and the next read says so. */
function becomes(world: SmallWorld, count: number, anew: LogAnew, logId = "log-2"): void {
  world.records.set("s1", []);
  world.appendMany("s1", count);
  world.tellNext = { anew, logId };
}

/** Invocations end when the test says so. */
function held(world: SmallWorld): { release(): void } {
  const waiting: ((outcome: InvocationOutcome) => void)[] = [];
  world.handler = () => new Promise((resolve) => waiting.push(resolve));
  return {
    release() {
      world.handler = () => SUCCEEDED;
      for (const resolve of waiting.splice(0)) resolve(SUCCEEDED);
    },
  };
}

test("a shard made anew is read from its beginning, and the checkpoint follows it down", async () => {
  const world = new SmallWorld();
  world.appendMany("s1", 10);
  world.start();
  await world.clock.advance(1_000);
  assert.deepEqual((await world.checkpointOf("s1"))?.resume, { kind: "after", position: "10" });
  becomes(world, 3, REMADE);
  await world.clock.advance(1_000);
  assert.deepEqual(world.positions().at(-1), [1, 2, 3]);
  const checkpoint = await world.checkpointOf("s1");
  assert.deepEqual([checkpoint?.resume, checkpoint?.logId], [{ kind: "after", position: "3" }, "log-2"]);
  assert.equal(world.count("changed_logs"), 1);
  const [line] = world.logs.filter(({ fields }) => fields["told"] === REMADE.told);
  assert.deepEqual([line?.level, line?.fields["shardId"], line?.fields["reason"]], ["warn", "s1", "remade"]);
});

test("nothing of the new log is invoked while a batch of the old one runs", async () => {
  const world = new SmallWorld();
  const batch = held(world);
  world.appendMany("s1", 4);
  world.start();
  await world.clock.advance(100);
  becomes(world, 2, REMADE);
  await world.clock.advance(60_000);
  assert.deepEqual(world.positions(), [[1, 2, 3, 4]]);
  assert.equal(
    (await world.checkpointOf("s1"))?.logId,
    undefined,
    "the old log's positions got the new log's name",
  );
  batch.release();
  await world.clock.advance(1_000);
  assert.deepEqual(world.positions(), [
    [1, 2, 3, 4],
    [1, 2],
  ]);
});

test("records of the old log that wait for a batch's window go at once", async () => {
  const world = new SmallWorld({ batchingWindowMs: 300_000 });
  world.appendMany("s1", 2);
  world.start();
  await world.clock.advance(1_000);
  assert.deepEqual(world.positions(), []);
  becomes(world, 0, REMADE);
  await world.clock.advance(1_000);
  assert.deepEqual(world.positions(), [[1, 2]]);
});

test("a log that went back is read on where it parted, and nothing before that comes again", async () => {
  const world = new SmallWorld();
  world.appendMany("s1", 10);
  world.start();
  await world.clock.advance(1_000);
  becomes(world, 12, wentBackTo(6), undefined);
  await world.clock.advance(1_000);
  assert.deepEqual(world.positions().at(-1), [7, 8, 9, 10, 11, 12]);
  assert.deepEqual((await world.checkpointOf("s1"))?.resume, { kind: "after", position: "12" });
});

test("what was settled ahead in the old log hides no record of the new one", async () => {
  const world = new SmallWorld();
  const settledRanges = [{ from: "4", to: "8" }];
  const shard = { shardId: "s1", parentShardIds: [], closed: false };
  const checkpoint = { revision: 1, resume: { kind: "after", position: "2" }, ended: false } as const;
  await world.store.initialise(world.mapping.uuid, [
    { shard, checkpoint: { ...checkpoint, settledRanges, window: undefined, logId: "log-1" } },
  ]);
  becomes(world, 9, REMADE);
  world.start();
  await world.clock.advance(1_000);
  assert.deepEqual(world.opened, [
    { shardId: "s1", start: { kind: "after", position: "2" }, knownLogId: "log-1" },
  ]);
  assert.deepEqual(world.positions(), [[1, 2, 3, 4, 5, 6, 7, 8, 9]]);
});

test("a stop in the middle of the change leaves the old log's progress, and ends in time", async () => {
  const world = new SmallWorld();
  const batch = held(world);
  world.appendMany("s1", 4);
  world.start();
  await world.clock.advance(100);
  becomes(world, 2, REMADE);
  await world.clock.advance(1_000);
  const stopping = world.engine.stop(10_000);
  await world.clock.advance(100);
  batch.release();
  await world.clock.advance(1_000);
  await stopping;
  const checkpoint = await world.checkpointOf("s1");
  assert.deepEqual([checkpoint?.resume, checkpoint?.logId], [{ kind: "after", position: "4" }, undefined]);
});

test("a reader that is opened anew is told the log that was read last", async () => {
  const world = new SmallWorld();
  world.appendMany("s1", 3);
  world.tellNext = { logId: "log-1" };
  world.start();
  await world.clock.advance(1_000);
  world.readFailure = new MillraceError("ERR_MILLRACE_SOURCE_NOT_FOUND", "no such stream");
  world.listing = async () => {
    throw new MillraceError("ERR_MILLRACE_SOURCE_NOT_FOUND", "no such stream");
  };
  await world.clock.advance(500);
  world.readFailure = undefined;
  await world.clock.advance(60_000);
  const again = world.opened.at(-1);
  assert.ok(world.opened.length > 1);
  assert.deepEqual([again?.start, again?.knownLogId], [{ kind: "after", position: "3" }, "log-1"]);
});

test("a position without a record moves the mark once all before it is settled", async () => {
  const world = new SmallWorld();
  const batch = held(world);
  world.appendMany("s1", 3);
  world.tellNext = { lookedTo: "9" };
  world.start();
  await world.clock.advance(1_000);
  assert.notDeepEqual((await world.checkpointOf("s1"))?.resume, { kind: "after", position: "9" });
  batch.release();
  await world.clock.advance(1_000);
  assert.deepEqual((await world.checkpointOf("s1"))?.resume, { kind: "after", position: "9" });
});

test("a read without records moves the mark as far as it looked, and not back", async () => {
  const world = new SmallWorld();
  world.appendMany("s1", 3);
  world.start();
  await world.clock.advance(1_000);
  world.tellNext = { lookedTo: "5" };
  await world.clock.advance(1_000);
  assert.deepEqual((await world.checkpointOf("s1"))?.resume, { kind: "after", position: "5" });
  world.tellNext = { lookedTo: "5" };
  await world.clock.advance(1_000);
  world.tellNext = { lookedTo: "4" };
  await world.clock.advance(1_000);
  assert.deepEqual((await world.checkpointOf("s1"))?.resume, { kind: "after", position: "5" });
});

test("a log that becomes known is written into the checkpoint though nothing else has changed", async () => {
  const world = new SmallWorld();
  world.appendMany("s1", 3);
  world.start();
  await world.clock.advance(1_000);
  world.tellNext = { logId: "log-1" };
  await world.clock.advance(1_000);
  assert.equal((await world.checkpointOf("s1"))?.logId, "log-1");
});

test("where a shard begins though nothing was stored for it is told when it is taken, and in status", async () => {
  const world = new SmallWorld();
  world.append("s1", {});
  const told = "the group had committed nothing";
  const { acquire } = world.store;
  Object.assign(world.store, {
    acquire: async (...args: Parameters<typeof acquire>) => {
      const row = await acquire.apply(world.store, args);
      return row === undefined ? undefined : { ...row, begun: told };
    },
  });
  world.start();
  await world.clock.advance(1_000);
  const line = world.logs.find(({ message }) => message === "shard taken");
  assert.equal(line?.fields["told"], told);
  assert.equal(world.engine.status()[0]?.shards[0]?.begun, told);
});

for (const [lost, expected] of [
  [4, [3, 4, 5, 6, 7, 8, 9]],
  [5, [3, 5, 6, 7, 8, 9]],
  [7, [3, 6, 7, 8, 9]],
  [9, [3, 6, 9]],
] as const) {
  test(`settled ranges behind position ${lost - 1}, which the log has lost, hide nothing that stands there now`, async () => {
    const world = new SmallWorld();
    const settledRanges = [
      { from: "4", to: "4" },
      { from: "5", to: "5" },
      { from: "7", to: "8" },
    ];
    const shard = { shardId: "s1", parentShardIds: [], closed: false };
    const checkpoint = { revision: 1, resume: { kind: "after", position: "2" }, ended: false } as const;
    await world.store.initialise(world.mapping.uuid, [
      { shard, checkpoint: { ...checkpoint, settledRanges, window: undefined, logId: "log-1" } },
    ]);
    const asked: (string | undefined)[] = [];
    world.stillServes = async (_shardId, position, _signal, logId) => {
      asked.push(logId);
      return Number(position) < lost;
    };
    world.appendMany("s1", 9);
    world.tellNext = { logId: "log-2" };
    world.start();
    await world.clock.advance(1_000);
    assert.deepEqual(world.positions().flat(), expected);
    assert.deepEqual(new Set(asked), new Set(["log-1"]));
  });
}

test("a source that cannot say what of settled ranges it still has gives their records again", async () => {
  const world = new SmallWorld();
  const shard = { shardId: "s1", parentShardIds: [], closed: false };
  const checkpoint = { revision: 1, resume: { kind: "after", position: "2" }, ended: false } as const;
  const settledRanges = [{ from: "4", to: "5" }];
  await world.store.initialise(world.mapping.uuid, [
    { shard, checkpoint: { ...checkpoint, settledRanges, window: undefined, logId: "log-1" } },
  ]);
  world.stillServes = () => Promise.reject(new MillraceError("ERR_MILLRACE_SOURCE_UNAVAILABLE", "down"));
  world.appendMany("s1", 6);
  world.tellNext = { logId: "log-2" };
  world.start();
  await world.clock.advance(1_000);
  assert.deepEqual(world.positions().flat(), [3, 4, 5, 6]);
});

test("what is given up of the new log is no repeat of what was given up at the same positions of the old one", async () => {
  const world = new SmallWorld({ retryAttemptsMax: 0, onFailureDestination: "file:x" });
  world.handler = () => ({ kind: "functionError", errorType: "Error", message: "" });
  world.appendMany("s1", 2);
  world.start();
  await world.clock.advance(1_000);
  world.records.set("s1", []);
  world.append("s1", { arrivalMs: 500 }, { arrivalMs: 500 });
  world.tellNext = { anew: REMADE, logId: "log-2" };
  await world.clock.advance(1_000);
  const ids = world.delivered.map(({ id }) => id);
  assert.equal(ids.length, 2);
  assert.notEqual(ids[0], ids[1]);
});
