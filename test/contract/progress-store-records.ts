import assert from "node:assert/strict";
import { test } from "node:test";
import { initialCheckpoint } from "../../src/model/checkpoint.ts";
import {
  checkpointAt,
  MAPPING,
  manyShards,
  newShard,
  OTHER_MAPPING,
  type ProgressStoreHarness,
  sorted,
  take,
} from "./progress-store-harness.ts";

/** What is kept for each shard of a mapping. */
export function describeRecordsContract(harness: ProgressStoreHarness): void {
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

  test("starts a mapping with more shards than a transaction of DynamoDB holds, once", async () => {
    await using fixture = await harness.createStore();
    const [one, two] = [await fixture.open(), await fixture.open()];
    const shards = manyShards(250);
    await Promise.all([one.initialise(MAPPING, shards), two.initialise(MAPPING, shards)]);
    assert.deepEqual(
      (await sorted(one, MAPPING)).map((shard) => [shard.shardId, shard.epoch, shard.checkpoint]),
      shards.map(({ shard, checkpoint }) => [shard.shardId, 0, checkpoint]),
    );
    await two.remove(MAPPING);
    assert.deepEqual(await one.list(MAPPING), []);
  });

  test("initialises anew a mapping whose shards were all forgotten one by one", async () => {
    await using fixture = await harness.createStore();
    const store = await fixture.open();
    await store.initialise(MAPPING, [newShard("a"), newShard("b")]);
    for (const shardId of ["a", "b"]) await store.remove(MAPPING, shardId);
    await store.initialise(MAPPING, [newShard("c")]);
    assert.deepEqual(
      (await store.list(MAPPING)).map((shard) => shard.shardId),
      ["c"],
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
