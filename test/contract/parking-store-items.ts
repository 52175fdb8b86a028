import assert from "node:assert/strict";
import {
  behaviour,
  DRAINER,
  end,
  items,
  type ParkingStoreHarness,
  redrive,
  running,
  seqsOf,
  standing,
  start,
  startHead,
} from "./parking-store-harness.ts";

const ERROR = { type: "TypeError", message: 'no "price" \u0000 for order 1' };

export function describeParkedItems(harness: ParkingStoreHarness): void {
  describeHeads(harness);
  describeEnds(harness);
}

function describeHeads(harness: ParkingStoreHarness): void {
  behaviour(harness, "gives queues with items that wait, page after page", async (store) => {
    await running(store, "r1", "c1", "a1", "b1", "a2");
    assert.deepEqual(await store.ready("r1", "", 2), ["a", "b"]);
    assert.deepEqual(await store.ready("r1", "b", 2), ["c"]);
    assert.deepEqual(await store.ready("r1", "c", 2), []);
  });

  behaviour(
    harness,
    "gives the first items of a queue, so many and so many bytes, and at least one",
    async (store) => {
      await running(store, "r1", "a1", "b1", "a2", "a3");
      const names = async (itemsMax: number, bytesMax: number) =>
        (await store.head("r1", "a", itemsMax, bytesMax)).map(({ id }) => id);
      const bytes = Buffer.byteLength('{"element":"a1"}');
      assert.deepEqual(await names(2, 1_000), ["a1", "a2"]);
      assert.deepEqual(await names(10, bytes * 2), ["a1", "a2"]);
      assert.deepEqual(await names(10, bytes * 2 - 1), ["a1"]);
      assert.deepEqual(await names(10, 1), ["a1"]);
      assert.deepEqual(await store.head("r1", "none", 10, 1_000), []);
    },
  );

  behaviour(harness, "starts items while the redrive runs, and never after it was paused", async (store) => {
    const begun = await running(store, "r1", "a1", "b1");
    const [b] = await seqsOf(store, "r1", "b");
    await startHead(store, "r1", "a", 1);
    assert.deepEqual(await store.head("r1", "a", 10, 1_000), []);
    const paused = await store.change("r1", begun.version, { state: "paused" });
    assert.ok(paused !== "stale");
    const attempt = { seqs: [b ?? 0], requestId: "r" };
    assert.equal(await start(store, DRAINER, "r1", attempt), "refused");
    await store.change("r1", paused.version, { state: "running" });
    assert.equal(await start(store, DRAINER, "r1", attempt), "started");
    assert.deepEqual(await standing(store, "r1"), { started: ["a1", "b1"] });
  });

  behaviour(harness, "starts all of a try or none, and none that has ended", async (store) => {
    await running(store, "r1", "a1", "a2");
    const [a1 = 0, a2 = 0] = await seqsOf(store, "r1", "a");
    await start(store, DRAINER, "r1", { seqs: [a1], requestId: "r" });
    await end(store, DRAINER, "r1", [{ seq: a1, state: "done" }]);
    assert.equal(await start(store, DRAINER, "r1", { seqs: [a1, a2], requestId: "r" }), "refused");
    assert.equal(await start(store, DRAINER, "r1", { seqs: [a2, 999], requestId: "r" }), "refused");
    assert.deepEqual(await standing(store, "r1"), { done: ["a1"], waiting: ["a2"] });
  });

  behaviour(
    harness,
    "knows the request that an item was started in, also when it waits again",
    async (store) => {
      await running(store, "r1", "a1", "a2");
      const [first = 0] = await startHead(store, "r1", "a", 2);
      await start(store, DRAINER, "r1", { seqs: [first], requestId: "half" });
      await end(store, DRAINER, "r1", [{ seq: first, state: "waiting" }]);
      const [again] = await store.head("r1", "a", 10, 1_000);
      assert.deepEqual([again?.id, again?.requestId], ["a1", "half"]);
      const [other] = await store.items("r1", "started", 0, 10);
      assert.deepEqual([other?.id, other?.requestId], ["a2", "request of a"]);
    },
  );
}

function describeEnds(harness: ParkingStoreHarness): void {
  behaviour(harness, "ends what has started, once, and nothing else", async (store) => {
    await running(store, "r1", "a1", "a2", "b1");
    const [a1 = 0, a2 = 0] = await startHead(store, "r1", "a", 2);
    const [b1 = 0] = await seqsOf(store, "r1", "b");
    await end(store, DRAINER, "r1", [
      { seq: a1, state: "done" },
      { seq: b1, state: "done" },
    ]);
    await end(store, DRAINER, "r1", [{ seq: a1, state: "failed", error: ERROR }]);
    assert.deepEqual(await standing(store, "r1"), { done: ["a1"], started: ["a2"], waiting: ["b1"] });
    await end(store, DRAINER, "r1", [{ seq: a2, state: "waiting" }]);
    assert.deepEqual(await standing(store, "r1"), { done: ["a1"], waiting: ["a2", "b1"] });
  });

  behaviour(harness, "leaves an item that is loaded again as it ended", async (store) => {
    await store.create(redrive("r1"));
    await store.open(DRAINER);
    await store.change("r1", 1, { state: "running" });
    await store.load(DRAINER, "r1", { seen: undefined, next: "one", items: items("a1", "a2") });
    const [a1 = 0] = await startHead(store, "r1", "a", 1);
    await end(store, DRAINER, "r1", [{ seq: a1, state: "done" }]);
    await store.load(DRAINER, "r1", { seen: "one", next: undefined, items: items("a1", "a2", "a3") });
    assert.deepEqual(await standing(store, "r1"), { done: ["a1"], waiting: ["a2", "a3"] });
  });

  behaviour(
    harness,
    "holds the rest of a queue behind one that failed, also what is loaded later",
    async (store) => {
      await store.create(redrive("r1"));
      await store.open(DRAINER);
      await store.change("r1", 1, { state: "running" });
      await store.load(DRAINER, "r1", { seen: undefined, next: "one", items: items("a1", "a2", "b1", "-1") });
      const [a1 = 0, a2 = 0] = await startHead(store, "r1", "a", 2);
      await end(store, DRAINER, "r1", [
        { seq: a1, state: "failed", error: ERROR },
        { seq: a2, state: "waiting" },
      ]);
      await store.load(DRAINER, "r1", { seen: "one", next: undefined, items: items("a3", "b2", "-2") });
      assert.deepEqual(await standing(store, "r1"), {
        failed: ["a1"],
        held: ["a2", "a3"],
        waiting: ["b1", "-1", "b2", "-2"],
      });
      assert.deepEqual(await store.ready("r1", "", 10), ["b", "~0"]);
      assert.deepEqual(await store.head("r1", "a", 10, 1_000), []);
      const [failed] = await store.items("r1", "failed", 0, 10);
      assert.deepEqual(failed?.error, ERROR);
    },
  );

  behaviour(harness, "holds nothing behind a keyless item that failed", async (store) => {
    await running(store, "r1", "-1", "-2");
    const [first = 0] = await startHead(store, "r1", "~0", 1);
    await end(store, DRAINER, "r1", [{ seq: first, state: "failed", error: ERROR }]);
    assert.deepEqual(await standing(store, "r1"), { failed: ["-1"], waiting: ["-2"] });
  });

  behaviour(harness, "tells each end until it is told, with what was handed over", async (store, open) => {
    await running(store, "r1", "a1", "b1", "c1");
    const [a1 = 0] = await startHead(store, "r1", "a", 1);
    const [b1 = 0] = await startHead(store, "r1", "b", 1);
    await end(store, DRAINER, "r1", [
      { seq: b1, state: "failed", error: ERROR },
      { seq: a1, state: "done" },
    ]);
    const untold = await store.untold("r1", 10);
    assert.deepEqual(
      untold.map(({ id, state, error }) => [id, state, error]),
      [
        ["a1", "done", undefined],
        ["b1", "failed", ERROR],
      ],
    );
    assert.equal(Buffer.from(untold[1]?.element ?? []).toString(), '{"element":"b1"}');
    assert.equal((await store.untold("r1", 1)).length, 1);
    await store.told("r1", [{ seq: a1, state: "failed" }]);
    assert.equal((await store.untold("r1", 10)).length, 2, "it was told of another end");
    await store.told("r1", [{ seq: a1, state: "done" }]);
    assert.deepEqual(
      (await (await open()).untold("r1", 10)).map(({ id }) => id),
      ["b1"],
    );
  });

  behaviour(harness, "counts what adds up", async (store) => {
    await running(store, "r1", "a1", "a2", "b1", "c1", "d1", "-1");
    const [a1 = 0] = await startHead(store, "r1", "a", 1);
    const [b1 = 0] = await startHead(store, "r1", "b", 1);
    await startHead(store, "r1", "c", 1);
    await end(store, DRAINER, "r1", [
      { seq: a1, state: "failed", error: ERROR },
      { seq: b1, state: "done" },
    ]);
    assert.deepEqual(await store.counts("r1"), {
      selected: 10,
      loaded: 6,
      waiting: 2,
      started: 1,
      done: 1,
      failed: 1,
      held: 1,
      gone: 0,
      uncertain: 0,
    });
  });
}
