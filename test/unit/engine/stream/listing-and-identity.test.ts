import assert from "node:assert/strict";
import { test } from "node:test";
import { reasonsOf } from "../../../../src/engine/engine.ts";
import { DEFAULT_SETTINGS } from "../../../../src/engine/settings.ts";
import { initialCheckpoint } from "../../../../src/model/checkpoint.ts";
import { MillraceError } from "../../../../src/model/errors.ts";
import type { InvocationOutcome } from "../../../../src/model/outcome.ts";
import type { Shard } from "../../../../src/model/record.ts";
import { SmallWorld, SUCCEEDED } from "./small-world.ts";

const CLOSED_PARENT: Shard = { shardId: "parent", parentShardIds: [], closed: true };
const CHILD: Shard = { shardId: "child", parentShardIds: ["parent"], closed: false };

/** A parent that is read to its end, and a child behind it that is read too. */
async function readFamily(): Promise<SmallWorld> {
  const world = new SmallWorld({}, { discoveryIntervalMs: 500 }, [CLOSED_PARENT, CHILD]);
  world.appendMany("parent", 3);
  world.appendMany("child", 2);
  world.start();
  await world.clock.advance(2_000);
  assert.deepEqual(world.positions(), [
    [1, 2, 3],
    [1, 2],
  ]);
  return world;
}

test("a long line of ended shards, all of which are listed, is passed without a listing for each", async () => {
  const line = Array.from({ length: 50 }, (_, index): Shard => {
    const parentShardIds = index === 0 ? [] : [`s${index - 1}`];
    return { shardId: `s${index}`, parentShardIds, closed: index < 49 };
  });
  const world = new SmallWorld({}, {}, line);
  for (const { shardId } of line) world.appendMany(shardId, 1);
  let listings = 0;
  world.listing = async () => {
    listings++;
    return line;
  };
  world.start();
  await world.clock.advance(9_000);
  assert.equal(world.calls.length, 50);
  assert.equal(listings, 1);
});

test("a child that no listing has shown is looked for as soon as its parent has ended", async () => {
  const world = new SmallWorld({}, {}, [{ ...CLOSED_PARENT, closed: false }]);
  world.appendMany("parent", 3);
  world.start();
  await world.clock.advance(2_000);
  world.close("parent", "child");
  world.appendMany("child", 2);
  await world.clock.advance(2_000);
  assert.deepEqual(world.positions(), [
    [1, 2, 3],
    [1, 2],
  ]);
});

for (const listings of [1, 40]) {
  test(`an ended parent that ${listings} listings leave out is not read again`, async () => {
    const world = await readFamily();
    let omitted = 0;
    world.listing = async () => (omitted++ < listings ? [CHILD] : [CLOSED_PARENT, CHILD]);
    await world.clock.advance(60_000);
    assert.ok(omitted > listings);
    assert.equal(world.calls.length, 2);
    assert.equal((await world.checkpointOf("parent"))?.ended, true);
  });
}

test("an ended shard is forgotten once the source itself has denied it twice, some seconds apart", async () => {
  const world = await readFamily();
  let asked = 0;
  world.listing = async () => [CHILD];
  world.knowsShard = async () => {
    asked++;
    return false;
  };
  // Sources are handed over as they are at the start: a process that comes later asks the new one.
  await world.engine.stop(1_000);
  world.start(world.newProcess("process-2", { discoveryIntervalMs: 500 }));
  await world.clock.advance(4_000);
  assert.equal(asked, 1);
  assert.notEqual(await world.checkpointOf("parent"), undefined);
  await world.clock.advance(4_000);
  assert.equal(asked, 2);
  assert.equal(await world.checkpointOf("parent"), undefined);
  await world.clock.advance(4_000);
  assert.equal(world.calls.length, 2);
});

test("a source that errs once about an ended shard makes nobody forget it", async () => {
  const world = await readFamily();
  let asked = 0;
  world.listing = async () => [CHILD];
  world.knowsShard = async () => ++asked % 2 === 0;
  await world.engine.stop(1_000);
  world.start(world.newProcess("process-2", { discoveryIntervalMs: 500 }));
  await world.clock.advance(60_000);
  assert.ok(asked > 4);
  assert.equal((await world.checkpointOf("parent"))?.ended, true);
});

test("ancestors that the first listing of a mapping at LATEST leaves out are not read when they turn up", async () => {
  const root: Shard = { shardId: "root", parentShardIds: [], closed: true };
  const parent: Shard = { shardId: "parent", parentShardIds: ["root"], closed: true };
  const world = new SmallWorld({ startingPosition: { kind: "LATEST" } }, { discoveryIntervalMs: 500 }, [
    root,
    parent,
    CHILD,
  ]);
  world.appendMany("root", 3);
  world.appendMany("parent", 3);
  let listings = 0;
  world.listing = async () => (listings++ < 5 ? [CHILD] : [root, parent, CHILD]);
  world.start();
  await world.clock.advance(30_000);
  world.appendMany("child", 2);
  await world.clock.advance(30_000);
  assert.deepEqual(world.positions(), [[1, 2]]);
  for (const shardId of ["root", "parent"]) assert.equal((await world.checkpointOf(shardId))?.ended, true);
});

test("a parent that no listing has shown until its child was found is read before it, also at LATEST", async () => {
  const other: Shard = { shardId: "other", parentShardIds: [], closed: false };
  const world = new SmallWorld({ startingPosition: { kind: "LATEST" } }, { discoveryIntervalMs: 500 }, [
    other,
    CLOSED_PARENT,
    CHILD,
  ]);
  let listings = 0;
  world.listing = async () => {
    listings++;
    if (listings < 3) return [other];
    return listings < 10 ? [other, CHILD] : [other, CLOSED_PARENT, CHILD];
  };
  world.start();
  await world.clock.advance(1_000);
  world.appendMany("parent", 3);
  world.appendMany("child", 2);
  await world.clock.advance(30_000);
  assert.deepEqual(world.positions(), [
    [1, 2, 3],
    [1, 2],
  ]);
});

test("a parent that the first listing leaves out is read before its child", async () => {
  const world = new SmallWorld({}, { discoveryIntervalMs: 500 }, [CLOSED_PARENT, CHILD]);
  world.appendMany("parent", 3);
  world.appendMany("child", 2);
  let listings = 0;
  world.listing = async () => (listings++ < 20 ? [CHILD] : [CLOSED_PARENT, CHILD]);
  world.start();
  await world.clock.advance(30_000);
  assert.deepEqual(world.positions(), [
    [1, 2, 3],
    [1, 2],
  ]);
});

test("a child whose parent the source has given up is read once that was said twice", async () => {
  const world = new SmallWorld({}, { discoveryIntervalMs: 500 }, [CHILD]);
  world.appendMany("child", 2);
  world.start();
  await world.clock.advance(4_000);
  assert.deepEqual(world.positions(), []);
  await world.clock.advance(4_000);
  assert.deepEqual(world.positions(), [[1, 2]]);
});

for (const [name, knows] of [
  ["says that it is there", async () => true],
  ["does not answer", () => Promise.reject(new MillraceError("ERR_MILLRACE_SOURCE_UNAVAILABLE", "down"))],
] as const) {
  test(`a shard whose reads find nothing for a while goes on where it was when the source ${name}`, async () => {
    const world = new SmallWorld();
    world.knowsShard = knows;
    world.appendMany("s1", 2);
    world.start();
    await world.clock.advance(1_000);
    world.readFailure = new MillraceError("ERR_MILLRACE_SOURCE_NOT_FOUND", "passing");
    world.listing = async () => [{ shardId: "other", parentShardIds: [], closed: true }];
    await world.clock.advance(30_000);
    world.readFailure = undefined;
    world.appendMany("s1", 1);
    await world.clock.advance(120_000);
    assert.deepEqual(world.positions(), [[1, 2], [3]]);
    assert.equal(world.count("trimmed_gaps"), 0);
  });
}

test("a shard that the source has given up twice ends as a gap, and its child is read", async () => {
  const parent = { ...CLOSED_PARENT, closed: false };
  const world = new SmallWorld({}, {}, [parent, CHILD]);
  world.knowsShard = async (shardId) => shardId !== "parent";
  world.appendMany("child", 1);
  world.readFailure = new MillraceError("ERR_MILLRACE_SOURCE_NOT_FOUND", "no shard parent");
  world.start();
  await world.clock.advance(3_000);
  assert.equal(world.count("trimmed_gaps"), 0);
  await world.clock.advance(20_000);
  assert.equal(world.count("trimmed_gaps"), 1);
  assert.equal((await world.checkpointOf("parent"))?.ended, true);
});

test("an ended shard that is another log by now is read from its beginning, and that is told once", async () => {
  const world = new SmallWorld({}, { discoveryIntervalMs: 500 }, [
    { shardId: "s1", parentShardIds: [], closed: false, logId: "new" },
  ]);
  world.appendMany("s1", 2);
  const ended = { ...initialCheckpoint({ kind: "after", position: "9" }, true), logId: "old" };
  const shard = { shardId: "s1", parentShardIds: [], closed: true };
  await world.store.initialise(world.mapping.uuid, [{ shard, checkpoint: ended }]);
  world.start();
  await world.clock.advance(3_000);
  assert.deepEqual(world.positions(), [[1, 2]]);
  assert.equal(world.count("changed_logs"), 1);
});

test("shards of a stream made anew wait for the parents that they have now, not for those they had", async () => {
  const now: Shard[] = [
    { shardId: "parent", parentShardIds: [], closed: false, logId: "new" },
    { shardId: "child", parentShardIds: [], closed: false, logId: "new" },
  ];
  const world = new SmallWorld({}, { discoveryIntervalMs: 500 }, now);
  world.appendMany("parent", 1);
  world.appendMany("child", 2);
  const ended = { ...initialCheckpoint({ kind: "after", position: "9" }, true), logId: "old" };
  const open = initialCheckpoint({ kind: "oldest" });
  await world.store.initialise(world.mapping.uuid, [
    { shard: CLOSED_PARENT, checkpoint: ended },
    { shard: CHILD, checkpoint: open },
  ]);
  world.start();
  await world.clock.advance(3_000);
  assert.deepEqual(world.positions().toSorted(), [[1], [1, 2]]);
});

test("an ended shard that is another log by now is read though its last owner died with the lease", async () => {
  const shard: Shard = { shardId: "s1", parentShardIds: [], closed: false, logId: "new" };
  const world = new SmallWorld({}, { discoveryIntervalMs: 500 }, [shard]);
  world.appendMany("s1", 2);
  const ended = { ...initialCheckpoint({ kind: "after", position: "9" }, true), logId: "old" };
  const { uuid } = world.mapping;
  await world.store.initialise(uuid, [{ shard, checkpoint: ended }]);
  await world.store.acquire(uuid, "s1", "process-0", { epoch: 0, counter: 0 });
  world.start();
  await world.clock.advance(60_000);
  assert.deepEqual(world.positions(), [[1, 2]]);
  assert.equal((await world.checkpointOf("s1"))?.logId, "new");
});

test("a shard that waits for a parent which is another log by now ends once the source has given it up", async () => {
  const parent: Shard = { shardId: "parent", parentShardIds: [], closed: false, logId: "new" };
  const world = new SmallWorld({}, { discoveryIntervalMs: 500 }, [parent]);
  const old = { ...initialCheckpoint({ kind: "oldest" }), logId: "old" };
  await world.store.initialise(world.mapping.uuid, [
    { shard: CLOSED_PARENT, checkpoint: { ...old, revision: 3 } },
    { shard: CHILD, checkpoint: old },
  ]);
  world.start();
  await world.clock.advance(60_000);
  assert.notEqual((await world.checkpointOf("child"))?.ended, false);
  assert.equal(world.engine.status()[0]?.caughtUp, true);
});

for (const owner of ["this process", "nobody"]) {
  test(`a shard of ${owner} that was made anew as a child is read behind the parent that it has now`, async () => {
    const now: Shard[] = [
      { shardId: "parent", parentShardIds: [], closed: true, logId: "new" },
      { shardId: "child", parentShardIds: ["parent"], closed: false, logId: "new" },
    ];
    const before = now.map((shard) => ({ ...shard, parentShardIds: [], closed: false, logId: "old" }));
    const world = new SmallWorld({}, { discoveryIntervalMs: 500 }, owner === "nobody" ? now : before);
    const read = { ...initialCheckpoint({ kind: "after", position: "0" }), logId: "old", revision: 7 };
    await world.store.initialise(
      world.mapping.uuid,
      before.map((shard) => ({ shard, checkpoint: read })),
    );
    if (owner === "nobody") world.appendMany("parent", 2);
    else {
      world.start();
      await world.clock.advance(2_000);
      world.shards = now;
      world.appendMany("parent", 2);
      world.readFailure = new MillraceError("ERR_MILLRACE_SOURCE_NOT_FOUND", "away for a moment");
      await world.clock.advance(500);
      world.readFailure = undefined;
    }
    world.appendMany("child", 1);
    const first = Promise.withResolvers<InvocationOutcome>();
    world.handler = () => first.promise;
    if (owner === "nobody") world.start();
    await world.clock.advance(30_000);
    assert.deepEqual(world.positions(), [[1, 2]]);
    first.resolve(SUCCEEDED);
    await world.clock.advance(30_000);
    assert.deepEqual(world.positions(), [[1, 2], [1]]);
  });
}

test("a shard begins at its tip with the log that was listed: made anew before its first read, it is read from its beginning", async () => {
  const world = new SmallWorld({ startingPosition: { kind: "LATEST" } }, { discoveryIntervalMs: 500 }, [
    { shardId: "s1", parentShardIds: [], closed: false, logId: "old" },
  ]);
  world.appendMany("s1", 5);
  world.readFailure = new MillraceError("ERR_MILLRACE_SOURCE_UNAVAILABLE", "down");
  world.start();
  await world.clock.advance(1_000);
  const checkpoint = await world.checkpointOf("s1");
  assert.deepEqual([checkpoint?.resume, checkpoint?.logId], [{ kind: "after", position: "5" }, "old"]);
  world.shards = [{ shardId: "s1", parentShardIds: [], closed: false, logId: "new" }];
  world.records.clear();
  world.appendMany("s1", 3);
  await world.engine.stop(1_000);
  world.readFailure = undefined;
  world.start(world.newProcess("process-2", { discoveryIntervalMs: 500 }));
  await world.clock.advance(30_000);
  assert.deepEqual(world.positions(), [[1, 2, 3]]);
});

test("a child waits for a parent that is another log by now, and that a new process's listing leaves out", async () => {
  const parent: Shard = { ...CLOSED_PARENT, logId: "new" };
  const child: Shard = { ...CHILD, logId: "new" };
  const world = new SmallWorld({}, { discoveryIntervalMs: 500 }, [parent, child]);
  world.appendMany("parent", 1);
  world.appendMany("child", 2);
  const ended = { ...initialCheckpoint({ kind: "after", position: "9" }, true), logId: "old" };
  await world.store.initialise(world.mapping.uuid, [
    { shard: CLOSED_PARENT, checkpoint: ended },
    { shard: CHILD, checkpoint: initialCheckpoint({ kind: "oldest" }) },
  ]);
  let listings = 0;
  world.listing = async () => (listings++ < 4 ? [child] : [parent, child]);
  world.start();
  await world.clock.advance(10_000);
  assert.deepEqual(world.positions(), [[1], [1, 2]]);
});

test("a shard that is registered anew waits for its parents, though the source had none of its name before", async () => {
  const parent: Shard = { ...CLOSED_PARENT, closed: false, logId: "new" };
  const world = new SmallWorld({}, { discoveryIntervalMs: 500 }, [parent]);
  const { uuid } = world.mapping;
  const ofLog = (logId: string) => ({ ...initialCheckpoint({ kind: "oldest" }), logId });
  await world.store.initialise(uuid, [
    { shard: parent, checkpoint: ofLog("new") },
    { shard: CHILD, checkpoint: ofLog("old") },
  ]);
  world.start();
  await world.clock.advance(15_000);
  // By a process that has seen it listed, which this one has not yet.
  await world.store.remove(uuid, "child");
  await world.store.add(uuid, [{ shard: CHILD, checkpoint: ofLog("new") }]);
  const child: Shard = { ...CHILD, logId: "new" };
  world.shards = [parent, child];
  world.listing = async () => [parent];
  world.appendMany("child", 2);
  await world.clock.advance(15_000);
  assert.deepEqual(world.positions(), []);
  world.shards = [{ ...parent, closed: true }, child];
  world.listing = async () => world.shards;
  await world.clock.advance(15_000);
  assert.deepEqual(world.positions(), [[1, 2]]);
});

test("a shard whose name was forgotten has other epochs when it is found again: a lease of before is none of it", async () => {
  const first: Shard = { shardId: "s1", parentShardIds: [], closed: false };
  const again: Shard = { shardId: "s2", parentShardIds: [], closed: false };
  const world = new SmallWorld({}, { discoveryIntervalMs: 500 }, [first, again]);
  const { uuid } = world.mapping;
  world.start();
  await world.clock.advance(2_000);
  const before = (await world.store.list(uuid)).find(({ shardId }) => shardId === "s2");
  assert.ok(before?.owner !== undefined);
  const held = { shardId: "s2", owner: before.owner, epoch: before.epoch };
  await world.store.remove(uuid, "s2");
  await world.clock.advance(5_000);
  const after = (await world.store.list(uuid)).find(({ shardId }) => shardId === "s2");
  assert.ok(after !== undefined && after.epoch > before.epoch, `${after?.epoch} behind ${before.epoch}`);
  assert.notEqual(after.epoch, before.epoch + 1, "nobody can have seen or held it");
  assert.deepEqual(await world.store.renew(uuid, held), { kind: "fenced" });
});

test("leases of others are watched while the source lists nothing: one left behind is taken as soon as it does", async () => {
  const world = new SmallWorld();
  world.appendMany("s1", 1);
  const shard = { shardId: "s1", parentShardIds: [], closed: false };
  const { uuid } = world.mapping;
  await world.store.initialise(uuid, [{ shard, checkpoint: initialCheckpoint({ kind: "oldest" }) }]);
  // Its process is gone, and nobody gives its lease back.
  await world.store.acquire(uuid, "s1", "process-0", { epoch: 0, counter: 0 });
  const { leaseDurationMs } = DEFAULT_SETTINGS;
  world.listing = async () => {
    throw new MillraceError("ERR_MILLRACE_SOURCE_UNAVAILABLE", "It is away.");
  };
  world.start();
  await world.clock.advance(2 * leaseDurationMs);
  assert.equal(world.calls.length, 0);
  world.listing = async () => world.shards;
  await world.clock.advance(leaseDurationMs / 2);
  assert.deepEqual(world.positions(), [[1]]);
});

/** What `process-1` says of shards that nobody works on, one look after the other. */
function saidOfOthers(world: SmallWorld): string[] {
  const explanation = world.engine.explain(world.mapping.uuid);
  assert.ok(explanation !== undefined);
  const parts = reasonsOf(explanation, world.clock.now());
  return parts.flatMap(({ part, reasons }) => reasons.map(({ code }) => `${part} ${code}`));
}

/** A store that has a shard with another process's lease, and that is away when `process-1` starts. */
async function startWithoutStore(): Promise<{ readonly world: SmallWorld; readonly comeBack: () => void }> {
  const world = new SmallWorld();
  world.appendMany("s1", 1);
  const shard = { shardId: "s1", parentShardIds: [], closed: false };
  const { store, mapping } = world;
  await store.initialise(mapping.uuid, [{ shard, checkpoint: initialCheckpoint({ kind: "oldest" }) }]);
  await store.acquire(mapping.uuid, "s1", "process-0", { epoch: 0, counter: 0 });
  const list = store.list.bind(store);
  store.list = async () => {
    throw new MillraceError("ERR_MILLRACE_STORE_UNAVAILABLE", "It is away.");
  };
  world.start();
  await world.clock.advance(40_000);
  assert.deepEqual(saidOfOthers(world), ["all shards storeUnavailable"]);
  const comeBack = () => {
    store.list = list;
  };
  return { world, comeBack };
}

test("what a dead process left behind is explained from the first look on, also after a start without the store", async () => {
  const { world, comeBack } = await startWithoutStore();
  comeBack();
  const { leaseDurationMs, leaseRenewalMs } = DEFAULT_SETTINGS;
  for (let ms = 0; ms < leaseDurationMs; ms += leaseRenewalMs / 4) {
    const said = saidOfOthers(world);
    const isSaid = said.includes("all shards storeUnavailable") || said.includes("s1 waitsForLease");
    assert.ok(isSaid, `nothing is said ${ms} ms after the return: ${said.join("; ")}`);
    await world.clock.advance(leaseRenewalMs / 4);
  }
  await world.clock.advance(2 * leaseRenewalMs);
  assert.deepEqual(world.positions(), [[1]]);
});

test("whoever renews a lease after an outage lives, and nobody is said to wait for it", async () => {
  const { world, comeBack } = await startWithoutStore();
  const { leaseRenewalMs } = DEFAULT_SETTINGS;
  comeBack();
  const renew = () => world.store.renew(world.mapping.uuid, { shardId: "s1", owner: "process-0", epoch: 1 });
  await world.clock.advance(leaseRenewalMs);
  for (let times = 0; times < 20; times++) {
    assert.equal((await renew()).kind, "renewed");
    await world.clock.advance(leaseRenewalMs);
    assert.deepEqual(saidOfOthers(world), []);
  }
  assert.equal(world.calls.length, 0);
});
