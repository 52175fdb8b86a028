import assert from "node:assert/strict";
import { test } from "node:test";
import {
  assertFenced,
  checkpointAt,
  look,
  MAPPING,
  newShard,
  type ProgressStoreHarness,
  take,
} from "./progress-store-harness.ts";

/** Fencing, epochs, counters and requests to hand over. */
export function describeLeasesContract(harness: ProgressStoreHarness): void {
  describeLeases(harness);
  describeHandover(harness);
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

  test("a record that is made again has the epochs that it is given: what was held or seen of the old one says nothing", async () => {
    await using fixture = await harness.createStore();
    const store = await fixture.open();
    await store.initialise(MAPPING, [newShard("a")]);
    const unowned = await look(store, "a");
    const { lease } = await take(store, "a", "one");
    await store.remove(MAPPING, "a");
    // A time in milliseconds is what the engine gives.
    const epoch = 1_764_496_800_123;
    await store.add(MAPPING, [{ ...newShard("a"), epoch }, newShard("b")]);
    assert.deepEqual([(await look(store, "a")).epoch, (await look(store, "b")).epoch], [epoch, 0]);
    assert.equal(await store.acquire(MAPPING, "a", "two", unowned), undefined);
    const again = await take(store, "a", "one");
    assert.equal(again.lease.epoch, epoch + 1);
    await assertFenced(store, lease);
    assert.equal(await store.checkpoint(MAPPING, again.lease, checkpointAt(1, "1")), "stored");
    assert.equal(await store.checkpoint(MAPPING, again.lease, checkpointAt(1, "1")), "stale");
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
