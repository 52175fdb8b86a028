import assert from "node:assert/strict";
import { describe } from "node:test";
import { describeDrainers } from "./parking-store-drainers.ts";
import { describeParkingDurability } from "./parking-store-durability.ts";
import {
  behaviour,
  DRAINER,
  items,
  type ParkingStoreHarness,
  redrive,
  running,
} from "./parking-store-harness.ts";
import { describeParkedItems } from "./parking-store-items.ts";

/** The laws of `src/ports/parking-store.ts` as named behaviours, which every adapter runs. */
export function describeParkingStoreContract(name: string, harness: ParkingStoreHarness): void {
  describe(`${name} keeps the laws of a parking store`, { timeout: 120_000 }, () => {
    describeRedrives(harness);
    describeLoading(harness);
    describeParkedItems(harness);
    describeDrainers(harness);
    describeParkingDurability(harness);
  });
}

function describeRedrives(harness: ParkingStoreHarness): void {
  behaviour(harness, "has no redrives at first", async (store) => {
    assert.deepEqual(await store.list(), []);
    assert.equal(await store.get("none"), undefined);
    assert.equal(await store.counts("none"), undefined);
    assert.equal(await store.retryUncertain("none", 1), undefined);
    assert.equal(await store.change("none", 1, { state: "paused" }), "stale");
  });

  behaviour(
    harness,
    "gives a redrive as it was made, by its id and by its name, to others too",
    async (store, open) => {
      const wanted = redrive("r1", {
        name: 'höhe "🜚"',
        rate: 0.5,
        to: { kind: "candidate", functionName: "orders:blue" },
        delivery: "at-least-once",
      });
      const made = await store.create(wanted);
      const start = {
        state: "planned",
        version: 1,
        cursor: undefined,
        isLoaded: false,
        endedMs: undefined,
        isConcluded: false,
      };
      assert.deepEqual(made, { ...wanted, ...start });
      const other = await open();
      for (const name of ["r1", 'höhe "🜚"']) assert.deepEqual(await other.get(name), made);
      assert.deepEqual(await other.list(), [made]);
    },
  );

  behaviour(
    harness,
    "makes no second redrive of a name or an id, and answers the same one again",
    async (store) => {
      const made = await store.create(redrive("r1"));
      assert.deepEqual(await store.create(redrive("r1")), made);
      assert.equal(await store.create(redrive("r2", { name: "name of r1" })), "exists");
      assert.equal(await store.create(redrive("r1", { name: "another" })), "exists");
      assert.equal((await store.list()).length, 1);
    },
  );

  behaviour(
    harness,
    "changes state and rate at the version that was seen, and not at another",
    async (store) => {
      await store.create(redrive("r1", { rate: 5 }));
      assert.equal(await store.change("r1", 2, { state: "running" }), "stale");
      const running = await store.change("r1", 1, { state: "running" });
      assert.ok(running !== "stale");
      assert.deepEqual([running.state, running.rate, running.version], ["running", 5, 2]);
      assert.equal(await store.change("r1", 1, { state: "paused" }), "stale");
      const faster = await store.change("r1", 2, { rate: undefined });
      assert.ok(faster !== "stale");
      assert.deepEqual([faster.state, faster.rate, faster.version], ["running", undefined, 3]);
      assert.deepEqual(await store.get("r1"), faster);
    },
  );

  behaviour(
    harness,
    "lets exactly one of several that change a redrive at once have its way",
    async (store, open) => {
      await store.create(redrive("r1"));
      const others = await Promise.all(Array.from({ length: 4 }, open));
      const rates = [store, ...others].map((each, index) => each.change("r1", 1, { rate: index + 1 }));
      const changed = (await Promise.all(rates)).filter((answer) => answer !== "stale");
      assert.equal(changed.length, 1);
      assert.deepEqual(await store.get("r1"), changed[0]);
    },
  );

  behaviour(harness, "lists the newest first, and those of some states", async (store) => {
    for (const [index, id] of ["r1", "r2", "r3"].entries())
      await store.create(redrive(id, { createdMs: index }));
    await store.change("r2", 1, { state: "cancelled", endedMs: 77 });
    const list = async (...states: readonly ("planned" | "cancelled")[]) =>
      (await store.list(states)).map(({ id }) => id);
    assert.deepEqual(
      (await store.list()).map(({ id }) => id),
      ["r3", "r2", "r1"],
    );
    assert.deepEqual(await list("planned"), ["r3", "r1"]);
    assert.deepEqual(await list("cancelled"), ["r2"]);
    assert.equal((await store.get("r2"))?.endedMs, 77);
    const pending = async () => (await store.pending()).map(({ id }) => id);
    assert.deepEqual(await pending(), ["r1", "r2", "r3"]);
    await store.conclude("r2");
    assert.deepEqual(await pending(), ["r1", "r3"]);
  });

  behaviour(harness, "forgets a redrive with all that is parked for it, and no other", async (store) => {
    await running(store, "r1", "a1");
    await running(store, "r2", "a1");
    await store.remove("r1");
    await store.remove("r1");
    assert.equal(await store.get("r1"), undefined);
    assert.deepEqual(await store.ready("r1", "", 10), []);
    assert.deepEqual(await store.ready("r2", "", 10), ["a"]);
    await running(store, "r1", "b1");
    assert.deepEqual(await store.ready("r1", "", 10), ["b"]);
  });
}

function describeLoading(harness: ParkingStoreHarness): void {
  behaviour(harness, "keeps items byte for byte, in the order of their loading", async (store, open) => {
    await store.create(redrive("r1"));
    await store.open(DRAINER);
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
    const odd = {
      ...items("a1"),
      items: [
        { ...oddItem(), element: bytes },
        { ...oddItem(), id: "odd 2", arrivalMs: undefined, element: Buffer.alloc(0) },
      ],
    };
    assert.equal(
      await store.load(DRAINER, "r1", { seen: undefined, next: undefined, items: odd.items }),
      "loaded",
    );
    const found = await (await open()).head("r1", "odd", 10, 1_000_000);
    const [first, second] = found;
    const { queue: _queue, isKeyless: _isKeyless, ...plain } = oddItem();
    assert.deepEqual(
      { ...first, element: undefined },
      { ...plain, seq: first?.seq, requestId: undefined, element: undefined },
    );
    assert.deepEqual(Buffer.from(first?.element ?? []), bytes);
    assert.deepEqual([second?.id, second?.arrivalMs, second?.element.length], ["odd 2", undefined, 0]);
    assert.ok((first?.seq ?? 0) >= 1 && (second?.seq ?? 0) > (first?.seq ?? 0));
  });

  behaviour(harness, "loads each window once, and only behind the one before", async (store) => {
    await store.create(redrive("r1"));
    await store.open(DRAINER);
    const first = { seen: undefined, next: "one", items: items("a1", "b1") };
    const last = { seen: "one", next: undefined, items: items("a2") };
    assert.equal(await store.load(DRAINER, "r1", last), "stale");
    assert.equal(await store.load(DRAINER, "r1", first), "loaded");
    assert.equal(await store.load(DRAINER, "r1", first), "loaded", "the answer may have been lost");
    assert.equal(await store.load(DRAINER, "r1", { ...first, next: "other" }), "stale");
    const between = await store.get("r1");
    assert.deepEqual([between?.cursor, between?.isLoaded], ["one", false]);
    assert.equal(await store.load(DRAINER, "r1", last), "loaded");
    assert.equal(await store.load(DRAINER, "r1", last), "loaded");
    assert.equal((await store.get("r1"))?.isLoaded, true);
    assert.deepEqual(
      (await store.head("r1", "a", 10, 1_000)).map(({ id }) => id),
      ["a1", "a2"],
    );
    assert.equal((await store.counts("r1"))?.loaded, 3);
    assert.equal(await store.load(DRAINER, "none", first), "stale");
  });

  behaviour(harness, "has an item once, also where two windows hold it", async (store) => {
    await store.create(redrive("r1"));
    await store.open(DRAINER);
    await store.load(DRAINER, "r1", { seen: undefined, next: "one", items: items("a1", "a2") });
    await store.load(DRAINER, "r1", { seen: "one", next: undefined, items: items("a2", "a3") });
    assert.deepEqual(
      (await store.head("r1", "a", 10, 1_000)).map(({ id }) => id),
      ["a1", "a2", "a3"],
    );
  });

  behaviour(harness, "loads a window of thousands of items", async (store) => {
    await store.create(redrive("r1"));
    await store.open(DRAINER);
    const many = Array.from({ length: 2_500 }, (_, index) => ({
      ...oddItem(),
      id: `n${index}`,
      queue: `q${index % 7}`,
    }));
    await store.load(DRAINER, "r1", { seen: undefined, next: undefined, items: many });
    assert.equal((await store.counts("r1"))?.waiting, 2_500);
    const found = await store.head("r1", "q3", 1_000, 10_000_000);
    assert.deepEqual(
      found.map(({ id }) => id),
      many.filter(({ queue }) => queue === "q3").map(({ id }) => id),
    );
  });

  behaviour(harness, "has an item without an element end as gone", async (store) => {
    await store.create(redrive("r1"));
    await store.open(DRAINER);
    const lost = { ...oddItem(), element: undefined };
    await store.load(DRAINER, "r1", { seen: undefined, next: undefined, items: [lost, ...items("a1")] });
    assert.deepEqual(await store.ready("r1", "", 10), ["a"]);
    const counts = await store.counts("r1");
    assert.deepEqual([counts?.gone, counts?.waiting, counts?.loaded], [1, 1, 2]);
    assert.deepEqual(
      (await store.untold("r1", 10)).map(({ id, state }) => [id, state]),
      [["odd", "gone"]],
    );
  });
}

function oddItem() {
  return {
    id: "odd",
    failureId: "f/1",
    itemId: "item",
    shardId: "shard-1",
    position: "0042",
    key: 'k\u0000 "höhe" \ud800',
    arrivalMs: 1_700_000_000_123.5,
    element: Buffer.from("{}"),
    queue: "odd",
    isKeyless: false,
  };
}
