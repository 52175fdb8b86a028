import assert from "node:assert/strict";
import { test } from "node:test";
import type { OffsetLookup, PartingLookup } from "../../../../connectors/kafka/group-beginnings.ts";
import { GroupProgress } from "../../../../connectors/kafka/group-progress.ts";
import { GROUP_TIMES } from "../../../../connectors/kafka/group-times.ts";
import type { Checkpoint } from "../../../../src/model/checkpoint.ts";
import { initialCheckpoint } from "../../../../src/model/checkpoint.ts";
import type { HeldLease } from "../../../../src/ports/progress-store.ts";
import { ManualClock } from "../../engine/stream/small-world.ts";
import { TestCoordinator, type Weather } from "./test-coordinator.ts";

const TOPIC = "orders";
const UUID = "9f0f5a4e-0000-4000-8000-000000000001";
const OLDEST = 100;

/** A few processes of one group. */
class GroupWorld {
  readonly clock = new ManualClock();
  readonly coordinator: TestCoordinator;

  readonly partingOf: PartingLookup;

  constructor(partitions: number, partingOf: PartingLookup = async (_partition, _logId, offset) => offset) {
    this.partingOf = partingOf;
    this.coordinator = new TestCoordinator(this.clock, TOPIC, partitions);
  }

  process(weather: Weather = () => "fine"): Process {
    return new Process(this, weather);
  }

  /** Lets time pass until a promise is settled. */
  async settled<T>(pending: Promise<T>): Promise<T> {
    let isOver = false;
    const over = () => {
      isOver = true;
    };
    pending.then(over, over);
    for (let step = 0; step < 1_000 && !isOver; step++) await this.clock.advance(100);
    assert.ok(isOver, "nothing came back");
    return await pending;
  }
}

/** A process as the engine is one: takes all that it is given, gives back what it is asked for. */
class Process {
  readonly store: GroupProgress;
  readonly leases = new Map<string, HeldLease>();
  changes = 0;
  readonly #world: GroupWorld;
  readonly #owner: string;
  static #owners = 0;

  constructor(world: GroupWorld, weather: Weather) {
    this.#world = world;
    this.#owner = `process-${Process.#owners++}`;
    const offsetOf: OffsetLookup = async (_partition, start) =>
      start.kind === "oldest" ? OLDEST : OLDEST + start.epochMs;
    this.store = new GroupProgress({
      api: world.coordinator.api(weather),
      groupId: "g",
      topic: TOPIC,
      offsetOf,
      partingOf: world.partingOf,
      clock: world.clock,
      random: { next: () => 0.5, uuid: () => "" },
    });
    this.store.onChange(UUID, () => this.changes++);
  }

  async start(resume = initialCheckpoint({ kind: "oldest" })): Promise<void> {
    const { coordinator } = this.#world;
    const shards = Array.from({ length: coordinator.partitions }, (_, partition) => ({
      shard: { shardId: `${TOPIC}-${partition}`, parentShardIds: [], closed: false },
      checkpoint: resume,
    }));
    const rows = await this.#world.settled(this.store.list(UUID));
    if (rows.length === 0) await this.#world.settled(this.store.initialise(UUID, shards));
    await this.tick();
  }

  /** What the engine does at every look; answers what was to be handed over. */
  async tick(): Promise<string[]> {
    const revoked: string[] = [];
    for (const lease of [...this.leases.values()]) {
      const renewal = await this.#world.settled(this.store.renew(UUID, lease));
      if (renewal.kind === "fenced") this.leases.delete(lease.shardId);
      else if (renewal.handoverTo !== undefined) revoked.push(lease.shardId);
    }
    for (const row of await this.#world.settled(this.store.list(UUID))) {
      if (this.leases.has(row.shardId)) continue;
      const taken = await this.#world.settled(this.store.acquire(UUID, row.shardId, this.#owner, row));
      if (taken === undefined) continue;
      this.leases.set(row.shardId, { shardId: row.shardId, owner: this.#owner, epoch: taken.epoch });
    }
    return revoked;
  }

  get shards(): string[] {
    return [...this.leases.keys()].sort();
  }

  lease(shardId: string): HeldLease {
    const lease = this.leases.get(shardId);
    assert.ok(lease !== undefined, `${shardId} is not held`);
    return lease;
  }

  checkpoint(shardId: string, revision: number, position: number, more: Partial<Checkpoint> = {}) {
    const resume = { kind: "after", position: String(position) } as const;
    const checkpoint = { ...initialCheckpoint(resume), revision, ...more };
    return this.#world.settled(this.store.checkpoint(UUID, this.lease(shardId), checkpoint));
  }

  async release(shardId: string): Promise<void> {
    await this.store.release(UUID, this.lease(shardId));
    this.leases.delete(shardId);
  }

  async checkpointOf(shardId: string): Promise<Checkpoint | undefined> {
    const rows = await this.#world.settled(this.store.list(UUID));
    return rows.find((row) => row.shardId === shardId)?.checkpoint;
  }
}

async function twoProcesses(partitions = 4) {
  const world = new GroupWorld(partitions);
  const [one, two] = [world.process(), world.process()];
  await one.start();
  const starting = two.start();
  await world.settled(starting);
  const revoked = await one.tick();
  return { world, one, two, revoked };
}

test("a first process commits where to start, for all partitions at once, and takes them all", async () => {
  const world = new GroupWorld(3);
  const one = world.process();
  await one.start(initialCheckpoint({ kind: "timestamp", epochMs: 7 }));
  assert.deepEqual(one.shards, ["orders-0", "orders-1", "orders-2"]);
  assert.deepEqual(
    [...world.coordinator.offsets.values()].map(({ offset }) => offset),
    [OLDEST + 7, OLDEST + 7, OLDEST + 7],
  );
  assert.deepEqual((await one.checkpointOf("orders-1"))?.resume, { kind: "after", position: "106" });
});

test("a start after a position commits the next one, and the first record of all has none before it", async () => {
  const world = new GroupWorld(1);
  const one = world.process();
  await one.start(initialCheckpoint({ kind: "after", position: "-1" }));
  assert.equal(world.coordinator.offsets.get(0)?.offset, 0);
  assert.deepEqual((await one.checkpointOf("orders-0"))?.resume, { kind: "after", position: "-1" });
});

test("committed offsets win over the starting position, whoever committed them", async () => {
  const world = new GroupWorld(2);
  world.coordinator.offsets.set(1, {
    partition: 1,
    offset: 500,
    leaderEpoch: -1,
    metadata: "someone else's",
  });
  const one = world.process();
  await one.start(initialCheckpoint({ kind: "timestamp", epochMs: 7 }));
  assert.deepEqual((await one.checkpointOf("orders-1"))?.resume, { kind: "after", position: "499" });
  assert.deepEqual((await one.checkpointOf("orders-0"))?.resume, {
    kind: "after",
    position: String(OLDEST - 1),
  });
});

test("of two processes that start at once one applies the starting position", async () => {
  const world = new GroupWorld(4);
  const [one, two] = [world.process(), world.process()];
  await world.settled(
    Promise.all([one.start(), two.start(initialCheckpoint({ kind: "timestamp", epochMs: 9 }))]),
  );
  const offsets = new Set([...world.coordinator.offsets.values()].map(({ offset }) => offset));
  assert.equal(offsets.size, 1);
  assert.equal(world.coordinator.offsets.size, 4);
});

test("a checkpoint comes back to the next process with its ranges and revision", async () => {
  const world = new GroupWorld(1);
  const one = world.process();
  await one.start();
  const settledRanges = [
    { from: "203", to: "207" },
    { from: "300", to: "300" },
  ];
  assert.equal(await one.checkpoint("orders-0", 5, 200, { settledRanges }), "stored");
  await world.settled(one.store.close());
  const two = world.process();
  await two.start();
  const checkpoint = await two.checkpointOf("orders-0");
  assert.deepEqual(checkpoint, {
    ...initialCheckpoint({ kind: "after", position: "200" }),
    revision: 5,
    settledRanges,
  });
});

test("a checkpoint never goes back within an epoch", async () => {
  const world = new GroupWorld(1);
  const one = world.process();
  await one.start();
  assert.equal(await one.checkpoint("orders-0", 5, 200), "stored");
  assert.equal(await one.checkpoint("orders-0", 5, 190), "stale");
  assert.equal(await one.checkpoint("orders-0", 4, 190), "stale");
  assert.equal(world.coordinator.offsets.get(0)?.offset, 201);
});

test("a second process gets its share only after the first has given it back, and nothing else stops", async () => {
  const { world, one, two, revoked } = await twoProcesses();
  assert.deepEqual(revoked, ["orders-2", "orders-3"]);
  assert.deepEqual(two.shards, []);
  assert.equal(await one.checkpoint("orders-2", 1, 150), "stored");
  assert.equal(await one.checkpoint("orders-0", 1, 150), "stored");
  const epoch = one.lease("orders-0").epoch;
  await one.release("orders-2");
  await world.clock.advance(5_000);
  await two.tick();
  assert.deepEqual(two.shards, [], "given away before all was given back");
  await one.release("orders-3");
  await world.clock.advance(5_000);
  await one.tick();
  await two.tick();
  assert.deepEqual(
    [one.shards, two.shards],
    [
      ["orders-0", "orders-1"],
      ["orders-2", "orders-3"],
    ],
  );
  assert.equal(one.lease("orders-0").epoch, epoch, "what stays is not begun anew");
  assert.deepEqual((await two.checkpointOf("orders-2"))?.resume, { kind: "after", position: "150" });
});

test("listeners hear of partitions that are given, revoked and lost", async () => {
  const world = new GroupWorld(2);
  const [one, two] = [world.process(), world.process()];
  await one.start();
  const given = one.changes;
  assert.ok(given > 0);
  await two.start();
  await world.clock.advance(3_000);
  assert.ok(one.changes > given, "not told of the revocation");
  const revoked = one.changes;
  world.coordinator.expel(world.coordinator.memberIds[0] ?? "");
  await world.clock.advance(3_000);
  assert.ok(one.changes > revoked, "not told of the loss");
});

test("what is not given back within the rebalance time-out is lost, and the others get it", async () => {
  const { world, one, two } = await twoProcesses();
  const lease = one.lease("orders-3");
  await world.clock.advance(GROUP_TIMES.rebalanceTimeoutMs + 5_000);
  await two.tick();
  assert.deepEqual(two.shards, ["orders-2", "orders-3"]);
  assert.deepEqual(await world.settled(one.store.renew(UUID, lease)), { kind: "fenced" });
  assert.equal(await one.checkpoint("orders-3", 9, 999), "fenced");
  assert.equal(world.coordinator.offsets.get(3)?.offset, OLDEST);
});

test("a process that was thrown out is fenced in all that it does, and comes back as a new member", async () => {
  const world = new GroupWorld(2);
  const [one, two] = [world.process(), world.process()];
  await one.start();
  const lease = one.lease("orders-1");
  const committed = world.coordinator.offsets.get(1);
  world.coordinator.expel(world.coordinator.memberIds[0] ?? "");
  await two.start();
  assert.equal(await one.checkpoint("orders-1", 9, 999), "fenced");
  assert.deepEqual(await world.settled(one.store.renew(UUID, lease)), { kind: "fenced" });
  assert.equal(await one.store.release(UUID, lease), "fenced");
  assert.deepEqual(world.coordinator.offsets.get(1), committed);
  one.leases.clear();
  await world.clock.advance(5_000);
  for (const shardId of await two.tick()) await two.release(shardId);
  await world.clock.advance(5_000);
  await one.tick();
  await two.tick();
  assert.deepEqual([one.shards.length, two.shards.length], [1, 1]);
});

test("takes no partition on the word of a session that has ended meanwhile", async () => {
  const world = new GroupWorld(1);
  let isFrozen = false;
  const one = world.process((call) => (isFrozen && call === "heartbeat" ? "unreachable" : "fine"));
  await one.start();
  const [row] = await world.settled(one.store.list(UUID));
  assert.ok(row !== undefined);
  await one.release("orders-0");
  isFrozen = true;
  await assert.rejects(world.settled(one.store.acquire(UUID, "orders-0", "x", row)), {
    code: "ERR_MILLRACE_STORE_UNAVAILABLE",
  });
});

test("a renewal tells of life only when a heartbeat that was sent after the question was answered", async () => {
  const world = new GroupWorld(1);
  let isDown = false;
  const one = world.process(() => (isDown ? "unreachable" : "fine"));
  await one.start();
  assert.equal((await world.settled(one.store.renew(UUID, one.lease("orders-0")))).kind, "renewed");
  isDown = true;
  await assert.rejects(world.settled(one.store.renew(UUID, one.lease("orders-0"))), {
    code: "ERR_MILLRACE_STORE_UNAVAILABLE",
  });
  const beats = world.coordinator.calls.filter((call) => call === "heartbeat").length;
  isDown = false;
  const renewals = await world.settled(
    Promise.all(Array.from({ length: 50 }, () => one.store.renew(UUID, one.lease("orders-0")))),
  );
  assert.ok(renewals.every(({ kind }) => kind === "renewed"));
  const more = world.coordinator.calls.filter((call) => call === "heartbeat").length - beats;
  assert.ok(more <= 4, `${more} heartbeats for fifty questions`);
});

test("a commit whose answer was lost is reported as unknown, and may be made again", async () => {
  const world = new GroupWorld(1);
  let isLost = false;
  const one = world.process((call) => (isLost && call === "commit" ? "lost" : "fine"));
  await one.start();
  isLost = true;
  await assert.rejects(one.checkpoint("orders-0", 1, 150), { code: "ERR_MILLRACE_STORE_UNAVAILABLE" });
  isLost = false;
  assert.equal(await one.checkpoint("orders-0", 2, 160), "stored");
  assert.equal(world.coordinator.offsets.get(0)?.offset, 161);
});

test("commits of many partitions go together", async () => {
  const world = new GroupWorld(50);
  const one = world.process();
  await one.start();
  const before = world.coordinator.calls.filter((call) => call === "commit").length;
  await Promise.all(one.shards.map((shardId) => one.checkpoint(shardId, 1, 150)));
  const requests = world.coordinator.calls.filter((call) => call === "commit").length - before;
  assert.ok(requests <= 2, `${requests} requests`);
});

test("a group whose coordinator forgot its members is joined again, from the committed offsets", async () => {
  const world = new GroupWorld(2);
  const one = world.process();
  await one.start();
  await one.checkpoint("orders-0", 1, 150);
  world.coordinator.forgetMembers();
  await world.clock.advance(5_000);
  await one.tick();
  await one.tick();
  assert.deepEqual(one.shards, ["orders-0", "orders-1"]);
  assert.deepEqual((await one.checkpointOf("orders-0"))?.resume, { kind: "after", position: "150" });
});

test("a lost answer to a join or an assignment leaves no partition without a reader", async () => {
  for (const lost of ["join", "sync"] as const) {
    const world = new GroupWorld(2);
    let losses = 0;
    const one = world.process((call) => (call === lost && losses++ === 1 ? "lost" : "fine"));
    await one.start();
    await world.clock.advance(10_000);
    await one.tick();
    assert.deepEqual(one.shards, ["orders-0", "orders-1"], lost);
  }
});

test("a topic that has grown is shared out, its new partitions from their oldest record", async () => {
  const world = new GroupWorld(2);
  const one = world.process();
  await one.start();
  await one.checkpoint("orders-0", 1, 150);
  world.coordinator.partitions = 4;
  await world.clock.advance(GROUP_TIMES.growthIntervalMs + 5_000);
  await one.tick();
  assert.deepEqual(one.shards, ["orders-0", "orders-1", "orders-2", "orders-3"]);
  const checkpoint = await one.checkpointOf("orders-3");
  assert.deepEqual(checkpoint?.resume, { kind: "after", position: String(OLDEST - 1) });
});

test("a process that closes leaves at once, and the others go on", async () => {
  const { world, one, two } = await twoProcesses(2);
  await world.settled(one.store.close());
  await world.clock.advance(3_000);
  await two.tick();
  assert.deepEqual(two.shards, ["orders-0", "orders-1"]);
  await one.store.close();
});

test("metadata that the broker finds too large is left out from then on", async () => {
  const world = new GroupWorld(1);
  const one = world.process();
  await one.start();
  const metadata: (string | null)[] = [];
  world.coordinator.rejectsMetadata = true;
  const settledRanges = [{ from: "160", to: "170" }];
  assert.equal(await one.checkpoint("orders-0", 1, 150, { settledRanges }), "stored");
  metadata.push(world.coordinator.offsets.get(0)?.metadata ?? null);
  assert.deepEqual(metadata, [null]);
});

test("a topic made anew with fewer partitions is shared out anew, and the missing ones come back with it", async () => {
  const world = new GroupWorld(4);
  const one = world.process();
  await one.start();
  for (const shardId of one.shards) await one.checkpoint(shardId, 1, 150);
  world.coordinator.remakeTopic(2);
  await world.clock.advance(GROUP_TIMES.growthIntervalMs + 5_000);
  for (const shardId of await one.tick()) await one.release(shardId);
  await world.clock.advance(5_000);
  await one.tick();
  assert.deepEqual(one.shards, ["orders-0", "orders-1"]);
  world.coordinator.remakeTopic(3);
  await world.clock.advance(GROUP_TIMES.growthIntervalMs + 5_000);
  await one.tick();
  assert.deepEqual(one.shards, ["orders-0", "orders-1", "orders-2"]);
  const resumes = await Promise.all(
    one.shards.map(async (shardId) => (await one.checkpointOf(shardId))?.resume),
  );
  const after = (offset: number) => ({ kind: "after", position: String(offset) });
  assert.deepEqual(resumes, [after(150), after(150), after(OLDEST - 1)]);
  assert.ok((await one.checkpointOf("orders-2"))?.ended === false);
});

test("a partition that is not there holds up no other partition's commits", async () => {
  const world = new GroupWorld(3);
  const one = world.process();
  await one.start();
  world.coordinator.partitions = 2;
  const [first, second, gone] = await Promise.allSettled(
    one.shards.map((shardId) => one.checkpoint(shardId, 1, 150)),
  );
  assert.deepEqual([first?.status, second?.status, gone?.status], ["fulfilled", "fulfilled", "rejected"]);
  assert.deepEqual(
    [0, 1, 2].map((partition) => world.coordinator.offsets.get(partition)?.offset),
    [151, 151, OLDEST],
  );
  world.coordinator.partitions = 3;
  assert.equal(await one.checkpoint("orders-2", 2, 150), "stored");
});

test("a checkpoint's log comes back with it, and with it the leader's epoch of its last record", async () => {
  const logId = "FPruNZFgSManF9HXtVJmMQ~2.0,5.64";
  const world = new GroupWorld(1);
  const one = world.process();
  await one.start();
  await one.checkpoint("orders-0", 3, 250, { logId });
  assert.equal(world.coordinator.offsets.get(0)?.leaderEpoch, 5);
  await one.checkpoint("orders-0", 4, 200, { logId });
  assert.equal(world.coordinator.offsets.get(0)?.leaderEpoch, 2);
  await world.settled(one.store.close());
  const two = world.process();
  await two.start();
  assert.equal((await two.checkpointOf("orders-0"))?.logId, logId);
});

test("another client's commit tells its leader epoch alone", async () => {
  const world = new GroupWorld(1);
  world.coordinator.offsets.set(0, { partition: 0, offset: 37, leaderEpoch: 4, metadata: "" });
  const one = world.process();
  await one.start();
  assert.equal((await one.checkpointOf("orders-0"))?.logId, "~4.10");
});

test("what was settled ahead in a log that has lost its end is cut there, and asked of no other", async () => {
  const asked: unknown[] = [];
  const world = new GroupWorld(1, async (partition, logId, offset) => {
    asked.push([partition, logId, offset]);
    return 205;
  });
  const one = world.process();
  await one.start();
  const settledRanges = [
    { from: "202", to: "203" },
    { from: "205", to: "207" },
  ];
  await one.checkpoint("orders-0", 3, 200, { logId: "~2.0", settledRanges });
  await world.settled(one.store.close());
  const two = world.process();
  await two.start();
  assert.deepEqual((await two.checkpointOf("orders-0"))?.settledRanges, [{ from: "202", to: "203" }]);
  assert.deepEqual(asked, [[0, "~2.0", 208]]);
});

test("says once of each partition that the starting position applies, since nobody has committed anything", async () => {
  const world = new GroupWorld(2);
  const one = world.process();
  await one.start(initialCheckpoint({ kind: "timestamp", epochMs: 7 }));
  const begun = async (each: Process) => (await world.settled(each.store.list(UUID))).map((row) => row.begun);
  for (const told of await begun(one)) {
    assert.match(told ?? "", /group g had committed nothing of this topic: .* applies, here offset 107/);
  }
  await one.checkpoint("orders-0", 1, 150);
  assert.deepEqual((await begun(one))[0], undefined);
  await one.checkpoint("orders-1", 1, 150);
  await world.settled(one.store.close());
  const two = world.process();
  await two.start();
  assert.deepEqual(await begun(two), [undefined, undefined]);
});

test("says of a partition whose offset was deleted that it is read from its oldest record", async () => {
  const world = new GroupWorld(2);
  const one = world.process();
  await one.start();
  for (const shardId of one.shards) await one.checkpoint(shardId, 1, 150);
  await world.settled(one.store.close());
  world.coordinator.offsets.delete(1);
  const two = world.process();
  await two.start();
  const [first, second] = await world.settled(two.store.list(UUID));
  assert.equal(first?.begun, undefined);
  assert.match(second?.begun ?? "", /committed nothing of this partition, but of others: .* offset 100\./);
});

test("a group that the broker forgot, with a mapping that begins at the end, says where it begins", async () => {
  const world = new GroupWorld(1);
  const one = world.process();
  await one.start();
  await one.checkpoint("orders-0", 1, 150);
  await world.settled(one.store.close());
  world.coordinator.offsets.clear();
  const two = world.process();
  await two.start(initialCheckpoint({ kind: "after", position: "899" }));
  const [row] = await world.settled(two.store.list(UUID));
  assert.match(
    row?.begun ?? "",
    /starting position applies, here offset 900\. .*offsets\.retention\.minutes/,
  );
});
