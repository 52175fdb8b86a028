import assert from "node:assert/strict";
import { test } from "node:test";
import { firstAttempt, type ParkingStore } from "../../src/ports/parking-store.ts";
import {
  behaviour,
  DRAINER,
  items,
  type ParkingStoreHarness,
  redrive,
  running,
  seqsOf,
  standing,
} from "./parking-store-harness.ts";
import { assertRefused, retried } from "./writes-refused.ts";

interface Write {
  readonly name: string;
  run(store: ParkingStore): Promise<unknown>;
}

/** In an order in which each takes effect behind the ones before it. */
const WRITES: readonly Write[] = [
  { name: "create", run: (store) => store.create(redrive("r1")) },
  { name: "open", run: (store) => store.open(DRAINER) },
  { name: "change", run: (store) => store.change("r1", 1, { state: "running" }) },
  {
    name: "load",
    run: (store) =>
      store.load(DRAINER, "r1", { seen: undefined, next: "one", items: items("a1", "a2", "b1") }),
  },
  {
    name: "load to the end",
    run: (store) => store.load(DRAINER, "r1", { seen: "one", next: undefined, items: items("b2", "-1") }),
  },
  {
    name: "start",
    run: async (store) => store.start(DRAINER, "r1", { seqs: [1, 3], requestId: "r", attempt: 7 }),
  },
  { name: "end", run: (store) => store.end(DRAINER, "r1", [{ seq: 1, attempt: 7, state: "done" }]) },
  { name: "recover", run: (store) => store.recover({ ...DRAINER, epoch: 3 }, "r1", "uncertain") },
  { name: "told", run: async (store) => store.told("r1", [{ seq: 1, state: "done" }]) },
  { name: "retryUncertain", run: (store) => store.retryUncertain("r1", 2) },
  { name: "change for good", run: (store) => store.change("r1", 3, { state: "cancelled", endedMs: 3 }) },
  { name: "conclude", run: (store) => store.conclude("r1") },
  { name: "remove", run: (store) => store.remove("r1") },
];

/** An answer counts when it is durable, and one that was lost says nothing. */
export function describeParkingDurability(harness: ParkingStoreHarness): void {
  behaviour(
    harness,
    "a call that is repeated, since its answer was lost, takes effect once",
    async (store, open) => {
      await using twin = await harness.createStore();
      const once = await twin.open();
      const other = await open();
      for (const { name, run } of WRITES) {
        await run(once);
        await run(store);
        await run(other);
        assert.deepEqual(await content(store), await content(once), name);
      }
    },
  );

  for (const { name, createStore } of harness.writeFaults) {
    test(`on a ${name} every write is refused and changes nothing, and works again afterwards`, async () => {
      await using fixture = await createStore();
      const [store, other] = [await fixture.open(), await fixture.open()];
      for (const [index, write] of WRITES.entries()) {
        const before = await retried(() => content(other));
        await fixture.begin();
        await assertRefused(write.name, () => write.run(store));
        await fixture.end();
        assert.deepEqual(await retried(() => content(other)), before, `${write.name} after the fault`);
        await retried(() => write.run(store));
        const after = await content(other);
        // That a mapping has a drainer is not seen in its redrives.
        if (index !== 1) assert.notDeepEqual(after, before, `${write.name} is read by another handle`);
      }
    });
  }

  behaviour(
    harness,
    "processes that drain in turn, and all at once, start no item for two of them",
    async (_, open) => {
      const stores = await Promise.all(Array.from({ length: 4 }, () => open()));
      const first = stores[0];
      assert.ok(first !== undefined);
      await running(first, "r1", ...Array.from({ length: 12 }, (_, index) => `a${index}`));
      for (const epoch of [10, 14, 18]) await assertNewestStarts(stores, epoch);
    },
  );
}

/** Each of the stores has a drainer of its own, the last one the newest. */
async function assertNewestStarts(stores: readonly ParkingStore[], epoch: number): Promise<void> {
  const drainers = stores.map((store, index) => ({ store, at: { ...DRAINER, epoch: epoch + index } }));
  await Promise.all(drainers.map(({ store, at }) => store.open(at)));
  const newest = drainers.at(-1);
  assert.ok(newest !== undefined);
  const [seq = 0] = await seqsOf(newest.store, "r1", "a");
  const answers = await Promise.all(
    drainers.map(({ store, at }) =>
      store.start(at, "r1", { seqs: [seq], requestId: `${at.epoch}`, attempt: firstAttempt(at) }),
    ),
  );
  assert.deepEqual(answers, ["fenced", "fenced", "fenced", "started"]);
  const [started] = await newest.store.items("r1", "started", 0, 1);
  assert.equal(started?.requestId, `${newest.at.epoch}`);
  await newest.store.end(newest.at, "r1", [{ seq, attempt: firstAttempt(newest.at), state: "done" }]);
}

async function content(store: ParkingStore) {
  const redrives = await store.list();
  return {
    redrives,
    counts: await store.counts("r1"),
    standing: await standing(store, "r1"),
    untold: (await store.untold("r1", 100)).map(({ id, state }) => [id, state]),
  };
}
