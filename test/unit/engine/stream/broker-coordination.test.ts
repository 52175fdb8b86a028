import assert from "node:assert/strict";
import { test } from "node:test";
import type { InvocationOutcome } from "../../../../src/model/outcome.ts";
import type { HeldLease, ProgressStore, Renewal } from "../../../../src/ports/progress-store.ts";
import { createMemoryStore } from "../../../../src/stores/memory.ts";
import { SmallWorld, SUCCEEDED } from "./small-world.ts";

/** A broker as one member of its group sees it: what it is given, what it is to give back, what it has lost. */
class TestBroker {
  readonly #store = createMemoryStore();
  readonly #listeners = new Set<() => void>();
  readonly given = new Set<string>();
  readonly revoked = new Set<string>();
  readonly released: string[] = [];
  handoverRequests = 0;

  give(...shardIds: string[]): void {
    for (const shardId of shardIds) this.given.add(shardId);
    this.#changed();
  }

  revoke(shardId: string): void {
    this.revoked.add(shardId);
    this.#changed();
  }

  /** Another member has it: this one was thrown out. */
  expel(shardId: string): void {
    this.given.delete(shardId);
    this.#changed();
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  progress(): ProgressStore {
    const store = this.#store;
    const renewalOf = ({ shardId }: HeldLease, renewal: Renewal): Renewal => {
      if (!this.given.has(shardId)) return { kind: "fenced" };
      return this.revoked.has(shardId) ? { kind: "renewed", handoverTo: "the group" } : renewal;
    };
    return {
      initialise: (uuid, shards) => store.initialise(uuid, shards),
      add: (uuid, shards) => store.add(uuid, shards),
      acquire: (uuid, shardId, owner, seen) => store.acquire(uuid, shardId, owner, seen),
      checkpoint: (uuid, lease, checkpoint) => store.checkpoint(uuid, lease, checkpoint),
      remove: (uuid, shardId) => store.remove(uuid, shardId),
      close: () => store.close(),
      list: async (uuid) => {
        const rows = await store.list(uuid);
        return rows.filter(({ shardId }) => this.given.has(shardId) && !this.revoked.has(shardId));
      },
      renew: async (uuid, lease) => renewalOf(lease, await store.renew(uuid, lease)),
      release: async (uuid, lease) => {
        this.released.push(lease.shardId);
        this.given.delete(lease.shardId);
        return await store.release(uuid, lease);
      },
      requestHandover: async () => {
        this.handoverRequests++;
      },
      onChange: (_uuid, listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
    };
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

const SHARDS = ["t-0", "t-1", "t-2", "t-3"];

function brokerWorld() {
  const world = new SmallWorld({}, { leaseRenewalMs: 60_000, leaseDurationMs: 600_000 }, SHARDS);
  const broker = new TestBroker();
  world.progress = broker.progress();
  return { world, broker };
}

test("takes all shards that the broker gives, at once and with no regard to shares", async () => {
  const { world, broker } = brokerWorld();
  broker.give("t-0", "t-1", "t-2");
  for (const shardId of SHARDS) world.append(shardId, {});
  world.start();
  await world.clock.advance(100);
  assert.equal(world.calls.length, 3);
  broker.give("t-3");
  await world.clock.advance(100);
  assert.equal(world.calls.length, 4, "a shard that was given was not begun before the next look");
  assert.equal(broker.handoverRequests, 0);
});

test("keeps progress in the broker, not in the store", async () => {
  const { world, broker } = brokerWorld();
  broker.give("t-0");
  world.append("t-0", {}, {});
  world.start();
  await world.clock.advance(1_000);
  assert.deepEqual(await world.store.list(world.mapping.uuid), []);
  const [row] = (await world.progress?.list(world.mapping.uuid)) ?? [];
  assert.deepEqual(row?.checkpoint.resume, { kind: "after", position: "2" });
});

test("a revoked shard is drained, checkpointed and released as soon as the broker says so", async () => {
  const { world, broker } = brokerWorld();
  broker.give("t-0", "t-1");
  let answer = (_outcome: InvocationOutcome) => {};
  world.handler = () =>
    new Promise((resolve) => {
      answer = resolve;
    });
  world.append("t-0", {}, {});
  world.start();
  await world.clock.advance(100);
  broker.revoke("t-0");
  await world.clock.advance(5_000);
  assert.deepEqual(broker.released, [], "released while an invocation runs");
  world.append("t-0", {});
  answer(SUCCEEDED);
  await world.clock.advance(100);
  assert.deepEqual(broker.released, ["t-0"]);
  broker.revoked.clear();
  broker.give("t-0");
  await world.clock.advance(200);
  assert.deepEqual(world.positions(), [[1, 2], [3]], "the drained batch came again");
});

test("a shard that the broker gave to another settles nothing any more", async () => {
  const { world, broker } = brokerWorld();
  broker.give("t-0");
  let answer = (_outcome: InvocationOutcome) => {};
  world.handler = () =>
    new Promise((resolve) => {
      answer = resolve;
    });
  world.append("t-0", {});
  world.start();
  await world.clock.advance(100);
  broker.expel("t-0");
  await world.clock.advance(100);
  answer(SUCCEEDED);
  await world.clock.advance(1_000);
  assert.equal(world.count("leases_lost"), 1);
  assert.equal(world.count("checkpoints"), 0);
});

test("is caught up when the shards that the broker gave are", async () => {
  const { world, broker } = brokerWorld();
  broker.give("t-0");
  world.append("t-0", {});
  world.append("t-1", {});
  world.start();
  await world.clock.advance(1_000);
  assert.equal(world.engine.status()[0]?.caughtUp, true);
});

test("listens to the broker no longer than the mapping runs", async () => {
  const { world, broker } = brokerWorld();
  broker.give("t-0");
  world.start();
  await world.clock.advance(100);
  assert.equal(broker.listeners, 1);
  const stopped = world.engine.stop(1_000);
  await world.clock.advance(10_000);
  await stopped;
  assert.equal(broker.listeners, 0);
  assert.deepEqual(broker.released, ["t-0"]);
});

test("tells how many records of each shard are not processed, what is read and open included", async () => {
  const { world, broker } = brokerWorld();
  world.tellsOffsetLag = true;
  broker.give("t-0");
  let answer = (_outcome: InvocationOutcome) => {};
  world.handler = () =>
    new Promise((resolve) => {
      answer = resolve;
    });
  world.appendMany("t-0", 5);
  world.start();
  await world.clock.advance(100);
  assert.deepEqual([...world.offsetLags], [["t-0", 5]]);
  assert.equal(world.engine.status()[0]?.shards[0]?.offsetLag, 5);
  answer(SUCCEEDED);
  await world.clock.advance(1_000);
  assert.deepEqual([...world.offsetLags], [["t-0", 0]]);
  broker.revoke("t-0");
  await world.clock.advance(1_000);
  assert.deepEqual([...world.offsetLags], []);
});
