import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Checkpoint, initialCheckpoint } from "../../src/model/checkpoint.ts";
import type { HeldLease, NewShard, ProgressStore, ShardProgress } from "../../src/ports/progress-store.ts";

export interface ProgressStoreHarness {
  /** An empty store of its own for one test. Disposing closes all handles that were opened on it. */
  createStore(): Promise<ProgressStoreFixture>;
}

export interface ProgressStoreFixture extends AsyncDisposable {
  /** Another handle on the same content, as another process has it. */
  open(): Promise<ProgressStore>;
}

const MAPPING = "11111111-1111-4111-8111-111111111111";
const OTHER_MAPPING = "22222222-2222-4222-8222-222222222222";
/** Stops a test that hangs; no behaviour is judged by it. */
const HANG = { timeout: 120_000 };

/** The laws of `src/ports/progress-store.ts`. Every adapter, simulated or real, runs them. */
export function describeProgressStoreContract(name: string, harness: ProgressStoreHarness): void {
  describe(`ProgressStore contract: ${name}`, HANG, () => {
    describeRecords(harness);
    describeLeases(harness);
    describeCheckpoints(harness);
    describeHandover(harness);
  });
}

function describeRecords(harness: ProgressStoreHarness): void {
  test("lists nothing for a mapping that was never started", async () => {
    await using fixture = await harness.createStore();
    assert.deepEqual(await (await fixture.open()).list(MAPPING), []);
  });

  test("gives a mapping its first shards, unowned, at epoch 0 and where they begin", async () => {
    await using fixture = await harness.createStore();
    const store = await fixture.open();
    const start = { kind: "after", position: "17" } as const;
    await store.initialise(MAPPING, [newShard("a"), newShard("b", ["a", "z"], initialCheckpoint(start))]);
    const [a, b] = await sorted(store, MAPPING);
    assert.deepEqual(
      [a?.parentShardIds, a?.owner, a?.epoch, a?.handoverTo, a?.checkpoint],
      [[], undefined, 0, undefined, initialCheckpoint({ kind: "oldest" })],
    );
    assert.deepEqual([b?.parentShardIds, b?.checkpoint], [["a", "z"], initialCheckpoint(start)]);
  });

  test("applies a starting position once: a second initialisation changes nothing", async () => {
    await using fixture = await harness.createStore();
    const store = await fixture.open();
    await store.initialise(MAPPING, [newShard("a")]);
    const latest = initialCheckpoint({ kind: "after", position: "99" });
    await store.initialise(MAPPING, [newShard("a", [], latest), newShard("b", [], latest)]);
    const shards = await store.list(MAPPING);
    assert.deepEqual(
      shards.map((shard) => [shard.shardId, shard.checkpoint.resume]),
      [["a", { kind: "oldest" }]],
    );
  });

  test("of two processes that initialise at once one wins wholly", async () => {
    await using fixture = await harness.createStore();
    const stores = [await fixture.open(), await fixture.open()];
    const sets = [
      ["a", "b", "c"],
      ["c", "d"],
    ];
    await Promise.all(
      stores.map((store, index) =>
        store.initialise(
          MAPPING,
          (sets[index] ?? []).map((id) => newShard(id)),
        ),
      ),
    );
    const ids = (await sorted(stores[0] ?? (await fixture.open()), MAPPING)).map((shard) => shard.shardId);
    assert.ok(
      sets.some((set) => set.join() === ids.join()),
      `a mixture was stored: ${ids.join()}`,
    );
  });

  test("adds shards that are found later and leaves those that exist as they are", async () => {
    await using fixture = await harness.createStore();
    const store = await fixture.open();
    await store.initialise(MAPPING, [newShard("a")]);
    const { lease } = await take(store, "a", "one");
    await store.checkpoint(MAPPING, lease, checkpointAt(1, "5"));
    await store.add(MAPPING, [newShard("a"), newShard("b", ["a"])]);
    const [a, b] = await sorted(store, MAPPING);
    assert.deepEqual([a?.owner, a?.epoch, a?.checkpoint], ["one", 1, checkpointAt(1, "5")]);
    assert.deepEqual([b?.parentShardIds, b?.epoch], [["a"], 0]);
  });

  test("keeps the records of two mappings apart, and forgets one without the other", async () => {
    await using fixture = await harness.createStore();
    const store = await fixture.open();
    await store.initialise(MAPPING, [newShard("a"), newShard("b")]);
    await store.initialise(OTHER_MAPPING, [newShard("a")]);
    await take(store, "a", "one");
    assert.equal((await sorted(store, OTHER_MAPPING))[0]?.epoch, 0);
    await store.remove(MAPPING, "a");
    assert.deepEqual(
      (await store.list(MAPPING)).map((shard) => shard.shardId),
      ["b"],
    );
    await store.remove(MAPPING);
    assert.deepEqual(await store.list(MAPPING), []);
    assert.equal((await store.list(OTHER_MAPPING)).length, 1);
    await store.initialise(MAPPING, [newShard("c")]);
    assert.equal((await store.list(MAPPING)).length, 1);
  });

  test("another handle, also one opened after all others were closed, reads what was written", async () => {
    await using fixture = await harness.createStore();
    const writer = await fixture.open();
    await writer.initialise(MAPPING, [newShard("a", ["p"])]);
    const { lease } = await take(writer, "a", "one");
    await writer.checkpoint(MAPPING, lease, checkpointAt(3, "7"));
    const written = await writer.list(MAPPING);
    assert.deepEqual(await (await fixture.open()).list(MAPPING), written);
    await writer.close();
    await writer.close();
    assert.deepEqual(await (await fixture.open()).list(MAPPING), written);
  });
}

function describeLeases(harness: ProgressStoreHarness): void {
  test("an acquired lease has its owner, an epoch higher by one and a moved counter", async () => {
    await using fixture = await harness.createStore();
    const store = await fixture.open();
    await store.initialise(MAPPING, [newShard("a")]);
    for (const [index, owner] of ["one", "two", "two"].entries()) {
      const before = await look(store, "a");
      const taken = await store.acquire(MAPPING, "a", owner, before);
      assert.deepEqual([taken?.owner, taken?.epoch], [owner, index + 1]);
      assert.notEqual(taken?.counter, before.counter);
      assert.deepEqual(taken, await look(store, "a"));
    }
  });

  test("a lease that has moved since it was seen is not taken", async () => {
    await using fixture = await harness.createStore();
    const store = await fixture.open();
    await store.initialise(MAPPING, [newShard("a")]);
    const unowned = await look(store, "a");
    const { lease, progress } = await take(store, "a", "one");
    assert.equal(await store.acquire(MAPPING, "a", "two", unowned), undefined);
    await store.renew(MAPPING, lease);
    assert.equal(await store.acquire(MAPPING, "a", "two", progress), undefined);
    assert.equal(await store.acquire(MAPPING, "no-such-shard", "two", progress), undefined);
    assert.deepEqual([(await look(store, "a")).owner, (await look(store, "a")).epoch], ["one", 1]);
  });

  test("of two processes that take the same lease at once one gets it", async () => {
    await using fixture = await harness.createStore();
    const stores = [await fixture.open(), await fixture.open(), await fixture.open()];
    const [store] = stores;
    assert.ok(store !== undefined);
    await store.initialise(MAPPING, [newShard("a")]);
    const seen = await look(store, "a");
    const taken = await Promise.all(
      stores.map((each, index) => each.acquire(MAPPING, "a", `owner-${index}`, seen)),
    );
    const winners = taken.filter((progress) => progress !== undefined);
    assert.deepEqual(winners, [await look(store, "a")]);
  });

  test("a renewal moves the counter and nothing else", async () => {
    await using fixture = await harness.createStore();
    const store = await fixture.open();
    await store.initialise(MAPPING, [newShard("a")]);
    const { lease, progress } = await take(store, "a", "one");
    assert.deepEqual(await store.renew(MAPPING, lease), { kind: "renewed", handoverTo: undefined });
    const renewed = await look(store, "a");
    assert.notEqual(renewed.counter, progress.counter);
    assert.deepEqual({ ...renewed, counter: 0 }, { ...progress, counter: 0 });
  });

  test("the former owner of a lease is fenced in all that it does, and changes nothing", async () => {
    await using fixture = await harness.createStore();
    const [former, present] = [await fixture.open(), await fixture.open()];
    await former.initialise(MAPPING, [newShard("a")]);
    const { lease } = await take(former, "a", "one");
    await former.checkpoint(MAPPING, lease, checkpointAt(1, "5"));
    await take(present, "a", "two");
    const before = await look(present, "a");
    await assertFenced(former, lease);
    assert.deepEqual(await look(present, "a"), before);
  });

  test("a new life of the same owner fences its old one", async () => {
    await using fixture = await harness.createStore();
    const store = await fixture.open();
    await store.initialise(MAPPING, [newShard("a")]);
    const { lease: old } = await take(store, "a", "one");
    const { lease } = await take(store, "a", "one");
    await assertFenced(store, old);
    assert.equal((await store.renew(MAPPING, lease)).kind, "renewed");
  });

  test("a released lease has no owner, keeps its epoch and checkpoint, and fences its last owner", async () => {
    await using fixture = await harness.createStore();
    const store = await fixture.open();
    await store.initialise(MAPPING, [newShard("a")]);
    const { lease, progress } = await take(store, "a", "one");
    await store.checkpoint(MAPPING, lease, checkpointAt(4, "9"));
    assert.equal(await store.release(MAPPING, lease), "released");
    const released = await look(store, "a");
    assert.deepEqual([released.owner, released.epoch], [undefined, 1]);
    assert.deepEqual(released.checkpoint, checkpointAt(4, "9"));
    assert.notEqual(released.counter, progress.counter);
    await assertFenced(store, lease);
    assert.equal((await take(store, "a", "two")).progress.epoch, 2);
  });

  test("the owner of a shard that was removed is fenced", async () => {
    await using fixture = await harness.createStore();
    const store = await fixture.open();
    await store.initialise(MAPPING, [newShard("a")]);
    const { lease } = await take(store, "a", "one");
    await store.remove(MAPPING, "a");
    await assertFenced(store, lease);
    assert.deepEqual(await store.list(MAPPING), []);
  });
}

function describeCheckpoints(harness: ProgressStoreHarness): void {
  test("gives a checkpoint back as it was written, with every kind of member", async () => {
    await using fixture = await harness.createStore();
    const store = await fixture.open();
    await store.initialise(MAPPING, [newShard("a")]);
    const { lease } = await take(store, "a", "one");
    const checkpoints: readonly Checkpoint[] = [
      initialCheckpoint({ kind: "timestamp", epochMs: 1_545_084_650_987 }),
      {
        revision: 2,
        resume: { kind: "after", position: "49590338271490256608559692538361571095921575989136588898" },
        settledRanges: [
          { from: "1", to: "3" },
          { from: "7", to: "7" },
        ],
        ended: false,
        window: { startMs: 60_000, stateJson: '{"größe":"漢字 \\" \\u2028"}' },
      },
      { ...checkpointAt(3, "8"), ended: true },
    ];
    for (const [index, checkpoint] of checkpoints.entries()) {
      const revised = { ...checkpoint, revision: index + 1 };
      assert.equal(await store.checkpoint(MAPPING, lease, revised), "stored");
      assert.deepEqual((await look(store, "a")).checkpoint, revised);
    }
  });

  test("never goes back: a revision that is not higher is stale and changes nothing", async () => {
    await using fixture = await harness.createStore();
    const store = await fixture.open();
    await store.initialise(MAPPING, [newShard("a")]);
    const { lease } = await take(store, "a", "one");
    assert.equal(await store.checkpoint(MAPPING, lease, checkpointAt(5, "50")), "stored");
    for (const revision of [4, 5]) {
      assert.equal(await store.checkpoint(MAPPING, lease, checkpointAt(revision, "40")), "stale");
    }
    assert.deepEqual((await look(store, "a")).checkpoint, checkpointAt(5, "50"));
    assert.equal(await store.checkpoint(MAPPING, lease, checkpointAt(6, "60")), "stored");
  });

  test("revisions count within an epoch: the first checkpoint of a new one is stored", async () => {
    await using fixture = await harness.createStore();
    const store = await fixture.open();
    await store.initialise(MAPPING, [newShard("a")]);
    const { lease: first } = await take(store, "a", "one");
    await store.checkpoint(MAPPING, first, checkpointAt(9, "50"));
    const { lease: second } = await take(store, "a", "two");
    assert.equal(await store.checkpoint(MAPPING, second, checkpointAt(1, "60")), "stored");
    assert.equal(await store.checkpoint(MAPPING, second, checkpointAt(1, "70")), "stale");
    assert.deepEqual((await look(store, "a")).checkpoint, checkpointAt(1, "60"));
  });

  test("a checkpoint is no sign of life: it leaves counter, epoch and owner alone", async () => {
    await using fixture = await harness.createStore();
    const store = await fixture.open();
    await store.initialise(MAPPING, [newShard("a")]);
    const { lease, progress } = await take(store, "a", "one");
    await store.checkpoint(MAPPING, lease, checkpointAt(1, "5"));
    assert.deepEqual(await look(store, "a"), { ...progress, checkpoint: checkpointAt(1, "5") });
  });

  test("carries five thousand settled ranges of long positions", async () => {
    await using fixture = await harness.createStore();
    const store = await fixture.open();
    await store.initialise(MAPPING, [newShard("a")]);
    const { lease } = await take(store, "a", "one");
    const position = (index: number) => `4959033827149025660855969253836157109${index}`.padStart(56, "0");
    const settledRanges = Array.from({ length: 5_000 }, (_, index) => ({
      from: position(index * 10),
      to: position(index * 10 + 5),
    }));
    const big: Checkpoint = { ...checkpointAt(1, "5"), settledRanges };
    assert.equal(await store.checkpoint(MAPPING, lease, big), "stored");
    assert.deepEqual((await look(await fixture.open(), "a")).checkpoint, big);
  });
}

function describeHandover(harness: ProgressStoreHarness): void {
  test("an owner sees at its renewals who asked for its lease, and the taker begins without a request", async () => {
    await using fixture = await harness.createStore();
    const [owner, claimant] = [await fixture.open(), await fixture.open()];
    await owner.initialise(MAPPING, [newShard("a")]);
    const { lease } = await take(owner, "a", "one");
    const seen = await look(claimant, "a");
    await claimant.requestHandover(MAPPING, "a", seen, "two");
    const asked = await look(owner, "a");
    assert.deepEqual([asked.handoverTo, asked.counter], ["two", seen.counter]);
    assert.deepEqual(await owner.renew(MAPPING, lease), { kind: "renewed", handoverTo: "two" });
    assert.deepEqual(await owner.renew(MAPPING, lease), { kind: "renewed", handoverTo: "two" });
    assert.equal(await owner.release(MAPPING, lease), "released");
    // Others see to whom the lease is promised, and leave it to the claimant.
    assert.equal((await look(owner, "a")).handoverTo, "two");
    const taken = await take(claimant, "a", "two");
    assert.equal(taken.progress.handoverTo, undefined);
    assert.deepEqual(await claimant.renew(MAPPING, taken.lease), { kind: "renewed", handoverTo: undefined });
  });

  test("a request that was meant for a former owner does not reach the present one", async () => {
    await using fixture = await harness.createStore();
    const store = await fixture.open();
    await store.initialise(MAPPING, [newShard("a")]);
    await take(store, "a", "one");
    const seen = await look(store, "a");
    const { lease } = await take(store, "a", "two");
    await store.requestHandover(MAPPING, "a", seen, "three");
    await store.requestHandover(MAPPING, "no-such-shard", seen, "three");
    assert.deepEqual(await store.renew(MAPPING, lease), { kind: "renewed", handoverTo: undefined });
  });
}

function newShard(
  shardId: string,
  parentShardIds: readonly string[] = [],
  checkpoint = initialCheckpoint({ kind: "oldest" }),
): NewShard {
  return { shard: { shardId, parentShardIds, closed: false }, checkpoint };
}

function checkpointAt(revision: number, position: string): Checkpoint {
  return { ...initialCheckpoint({ kind: "after", position }), revision };
}

async function sorted(store: ProgressStore, mapping: string): Promise<readonly ShardProgress[]> {
  return [...(await store.list(mapping))].sort((a, b) => (a.shardId < b.shardId ? -1 : 1));
}

async function look(store: ProgressStore, shardId: string): Promise<ShardProgress> {
  const progress = (await store.list(MAPPING)).find((shard) => shard.shardId === shardId);
  assert.ok(progress !== undefined, `no record of shard ${shardId}`);
  return progress;
}

async function take(
  store: ProgressStore,
  shardId: string,
  owner: string,
): Promise<{ readonly lease: HeldLease; readonly progress: ShardProgress }> {
  const progress = await store.acquire(MAPPING, shardId, owner, await look(store, shardId));
  assert.ok(progress !== undefined, `${owner} could not take shard ${shardId}`);
  return { lease: { shardId, owner, epoch: progress.epoch }, progress };
}

async function assertFenced(store: ProgressStore, lease: HeldLease): Promise<void> {
  assert.deepEqual(await store.renew(MAPPING, lease), { kind: "fenced" });
  assert.equal(await store.checkpoint(MAPPING, lease, checkpointAt(1_000, "1000")), "fenced");
  assert.equal(await store.release(MAPPING, lease), "fenced");
}
