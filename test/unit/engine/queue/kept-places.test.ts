import assert from "node:assert/strict";
import { test } from "node:test";
import type { QueueMapping } from "../../../../src/model/mapping.ts";
import { createMemoryStore } from "../../../../src/stores/memory.ts";
import { ManualClock } from "../stream/small-world.ts";
import { ids, SmallQueue } from "./small-queue.ts";

const HANGS = () => new Promise<never>(() => {});

/** A FIFO queue of two processes that share a maximum; what the first hides twice is a dead letter. */
class Sharing {
  readonly clock = new ManualClock();
  readonly store = createMemoryStore();
  readonly one = this.#join("one", { batchSize: 1, concurrencyMax: 4 });

  static async withAllPlaces(): Promise<Sharing> {
    const sharing = new Sharing();
    // So that receives are under way.
    await sharing.clock.advance(1_000);
    return sharing;
  }

  #join(owner: string, mapping: Partial<QueueMapping>): SmallQueue {
    const { clock, store } = this;
    return new SmallQueue(mapping, { clock, store, owner, fifo: true, visibilityMs: 6_000, receivesMax: 1 });
  }

  /** Another process that runs all it can, and ends nothing. */
  joinBusy(): SmallQueue {
    const busy = this.#join("busy", { batchSize: 1, concurrencyMax: 4 });
    busy.handler = HANGS;
    busy.send(...ids("a", 1), ...ids("b", 1), ...ids("c", 1), ...ids("d", 1));
    return busy;
  }

  /** Stops as an update does, while `count` messages are on their way. */
  async beginUpdate(...messages: readonly string[]): Promise<void> {
    const { one, clock } = this;
    const stop = one.engine.stopMapping(one.mapping.uuid, 25_000, { isFollowed: true });
    one.send(...messages);
    await clock.advance(0);
    await stop;
  }

  /** Parts that each process has. */
  async parts(owner: string): Promise<number> {
    const rows = await this.store.list(this.one.mapping.uuid);
    return rows.filter((row) => row.owner === owner).length;
  }
}

for (const gapMs of [0, 500, 15_000]) {
  test(`what an update kept finds a place to run after ${gapMs} ms, however busy others are`, async () => {
    const sharing = await Sharing.withAllPlaces();
    await sharing.beginUpdate("x1", "y1");
    sharing.joinBusy();
    await sharing.clock.advance(gapMs);
    sharing.one.startMapping({ batchSize: 1, concurrencyMax: 4 });
    await sharing.clock.advance(20_000);
    const { one } = sharing;
    assert.deepEqual([[...one.seen].toSorted(), one.dead, one.left], [["x1", "y1"], [], []]);
    assert.equal(one.count("unseen_receives"), 0);
  });
}

test("places that an update keeps are evened out meanwhile, but for the last", async () => {
  const sharing = await Sharing.withAllPlaces();
  await sharing.beginUpdate("x1");
  const busy = sharing.joinBusy();
  await sharing.clock.advance(20_000);
  assert.deepEqual([await sharing.parts("one"), await sharing.parts("busy")], [2, 2]);
  assert.equal(busy.calls.length, 2);
});

test("places that nobody comes back for are given back within a minute, and leave no timer", async () => {
  const sharing = await Sharing.withAllPlaces();
  await sharing.beginUpdate();
  await sharing.clock.advance(59_000);
  assert.equal(await sharing.parts("one"), 4);
  await sharing.clock.advance(25_000);
  assert.equal(await sharing.parts("one"), 0);
  assert.equal(sharing.clock.pendingCalls, 0);
});

test("a stop of the process gives back the places that an update kept", async () => {
  const sharing = await Sharing.withAllPlaces();
  await sharing.beginUpdate();
  const stop = sharing.one.engine.stop(5_000);
  await sharing.clock.advance(30_000);
  await stop;
  assert.equal(await sharing.parts("one"), 0);
  assert.equal(sharing.clock.pendingCalls, 0);
});

test("a stop while the drain of an update runs keeps the places of what runs until that has ended", async () => {
  const sharing = await Sharing.withAllPlaces();
  const { one, clock } = sharing;
  const answer = Promise.withResolvers<{ kind: "succeeded"; payload: Uint8Array }>();
  one.handler = () => answer.promise;
  one.send("x1");
  await clock.advance(1_000);
  const update = one.engine.stopMapping(one.mapping.uuid, 25_000, { isFollowed: true });
  const stop = one.engine.stop(25_000);
  await clock.advance(2_000);
  assert.ok((await sharing.parts("one")) > 0);
  answer.resolve({ kind: "succeeded", payload: Buffer.from("null") });
  await clock.advance(30_000);
  await Promise.all([update, stop]);
  assert.equal(await sharing.parts("one"), 0);
});

for (const [how, concurrencyMax, parts] of [
  ["smaller", 2, 2],
  ["no", undefined, 0],
] as const) {
  test(`an update to ${how} maximum gives back what it does not need`, async () => {
    const sharing = await Sharing.withAllPlaces();
    await sharing.beginUpdate("x1");
    sharing.one.startMapping({ batchSize: 1, concurrencyMax });
    await sharing.clock.advance(5_000);
    assert.equal(await sharing.parts("one"), parts);
    assert.deepEqual([[...sharing.one.seen], sharing.one.dead], [["x1"], []]);
  });
}
