import assert from "node:assert/strict";
import {
  behaviour,
  DRAINER,
  items,
  type ParkingStoreHarness,
  redrive,
  running,
  seqsOf,
  standing,
  startHead,
} from "./parking-store-harness.ts";

const ERROR = { type: "TypeError", message: 'no "price" \u0000 for order 1' };

export function describeParkedItems(harness: ParkingStoreHarness): void {
  describeHeads(harness);
  describeEnds(harness);
  describeUncertain(harness);
  describeFences(harness);
  describeFinish(harness);
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
    assert.equal(await store.start(DRAINER, "r1", attempt), "refused");
    await store.change("r1", paused.version, { state: "running" });
    assert.equal(await store.start(DRAINER, "r1", attempt), "started");
    assert.deepEqual(await standing(store, "r1"), { started: ["a1", "b1"] });
  });

  behaviour(harness, "starts all of a try or none, and none that has ended", async (store) => {
    await running(store, "r1", "a1", "a2");
    const [a1 = 0, a2 = 0] = await seqsOf(store, "r1", "a");
    await store.start(DRAINER, "r1", { seqs: [a1], requestId: "r" });
    await store.end(DRAINER, "r1", [{ seq: a1, state: "done" }]);
    assert.equal(await store.start(DRAINER, "r1", { seqs: [a1, a2], requestId: "r" }), "refused");
    assert.equal(await store.start(DRAINER, "r1", { seqs: [a2, 999], requestId: "r" }), "refused");
    assert.deepEqual(await standing(store, "r1"), { done: ["a1"], waiting: ["a2"] });
  });

  behaviour(
    harness,
    "knows the request that an item was started in, also when it waits again",
    async (store) => {
      await running(store, "r1", "a1", "a2");
      const [first = 0] = await startHead(store, "r1", "a", 2);
      await store.start(DRAINER, "r1", { seqs: [first], requestId: "half" });
      await store.end(DRAINER, "r1", [{ seq: first, state: "waiting" }]);
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
    await store.end(DRAINER, "r1", [
      { seq: a1, state: "done" },
      { seq: b1, state: "done" },
    ]);
    await store.end(DRAINER, "r1", [{ seq: a1, state: "failed", error: ERROR }]);
    assert.deepEqual(await standing(store, "r1"), { done: ["a1"], started: ["a2"], waiting: ["b1"] });
    await store.end(DRAINER, "r1", [{ seq: a2, state: "waiting" }]);
    assert.deepEqual(await standing(store, "r1"), { done: ["a1"], waiting: ["a2", "b1"] });
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
      await store.end(DRAINER, "r1", [
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
    await store.end(DRAINER, "r1", [{ seq: first, state: "failed", error: ERROR }]);
    assert.deepEqual(await standing(store, "r1"), { failed: ["-1"], waiting: ["-2"] });
  });

  behaviour(harness, "tells each end until it is told, with what was handed over", async (store, open) => {
    await running(store, "r1", "a1", "b1", "c1");
    const [a1 = 0] = await startHead(store, "r1", "a", 1);
    const [b1 = 0] = await startHead(store, "r1", "b", 1);
    await store.end(DRAINER, "r1", [
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
    await store.end(DRAINER, "r1", [
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

function describeUncertain(harness: ParkingStoreHarness): void {
  behaviour(harness, "has what a drainer before had started wait again, or be uncertain", async (store) => {
    await running(store, "r1", "a1", "a2", "b1", "-1", "-2");
    await startHead(store, "r1", "a", 1);
    assert.equal(await store.recover(DRAINER, "r1", "waiting"), 1);
    assert.equal(await store.recover(DRAINER, "r1", "waiting"), 0);
    await startHead(store, "r1", "a", 1);
    await startHead(store, "r1", "~0", 1);
    assert.equal(await store.recover(DRAINER, "r1", "uncertain"), 2);
    assert.equal(await store.recover(DRAINER, "r1", "uncertain"), 0);
    assert.deepEqual(await standing(store, "r1"), {
      uncertain: ["a1", "-1"],
      held: ["a2"],
      waiting: ["b1", "-2"],
    });
  });

  behaviour(
    harness,
    "has uncertain items wait again, and what was held behind nothing else",
    async (store) => {
      await running(store, "r1", "a1", "a2", "b1", "b2", "b3");
      const [a1 = 0] = await startHead(store, "r1", "a", 1);
      const [b1 = 0, b2 = 0] = await startHead(store, "r1", "b", 2);
      await store.end(DRAINER, "r1", [
        { seq: a1, state: "uncertain" },
        { seq: b1, state: "failed", error: ERROR },
        { seq: b2, state: "uncertain" },
      ]);
      assert.deepEqual(await standing(store, "r1"), {
        failed: ["b1"],
        held: ["a2", "b3"],
        uncertain: ["a1", "b2"],
      });
      await store.told("r1", await store.untold("r1", 10));
      await store.retryUncertain("r1");
      await store.retryUncertain("r1");
      assert.deepEqual(await standing(store, "r1"), {
        failed: ["b1"],
        held: ["b3"],
        uncertain: ["b2"],
        waiting: ["a1", "a2"],
      });
      const [again] = await store.head("r1", "a", 1, 1_000);
      assert.deepEqual([again?.id, again?.requestId], ["a1", "request of a"]);
      assert.equal(Buffer.from(again?.element ?? []).toString(), '{"element":"a1"}');
      const seqs = await startHead(store, "r1", "a", 1);
      await store.end(
        DRAINER,
        "r1",
        seqs.map((seq) => ({ seq, state: "done" })),
      );
      assert.deepEqual(
        (await store.untold("r1", 10)).map(({ id, state }) => [id, state]),
        [["a1", "done"]],
      );
    },
  );
}

function describeFences(harness: ParkingStoreHarness): void {
  behaviour(
    harness,
    "lets the newest drainer of a mapping write, and none before it",
    async (store, open) => {
      await running(store, "r1", "a1", "a2");
      const [a1 = 0, a2 = 0] = await startHead(store, "r1", "a", 1);
      const next = { ...DRAINER, epoch: DRAINER.epoch + 1 };
      const other = await open();
      assert.equal(await other.open(next), "open");
      assert.equal(await store.open(DRAINER), "fenced");
      const window = { seen: undefined, next: "x", items: items("a9") };
      assert.equal(await store.load(DRAINER, "r1", window), "fenced");
      assert.equal(await store.start(DRAINER, "r1", { seqs: [a2], requestId: "r" }), "fenced");
      assert.equal(await store.end(DRAINER, "r1", [{ seq: a1, state: "done" }]), "fenced");
      assert.equal(await store.recover(DRAINER, "r1", "waiting"), "fenced");
      assert.equal(await store.finish(DRAINER, "r1", 1), "fenced");
      assert.deepEqual(await standing(store, "r1"), { started: ["a1"], waiting: ["a2"] });
      assert.equal(await other.open(next), "open");
      assert.equal(await other.end(next, "r1", [{ seq: a1, state: "done" }]), "ended");
      assert.equal(await store.open({ mapping: "another", epoch: 1 }), "open");
    },
  );

  behaviour(harness, "fences nobody who never opened, and lets nobody write who did not", async (store) => {
    await store.create(redrive("r1"));
    const window = { seen: undefined, next: undefined, items: items("a1") };
    assert.equal(await store.load(DRAINER, "r1", window), "fenced");
    assert.equal((await store.counts("r1"))?.loaded, 0);
  });
}

function describeFinish(harness: ParkingStoreHarness): void {
  behaviour(harness, "is done when all is loaded, ended and told, and not before", async (store) => {
    await store.create(redrive("r1"));
    await store.open(DRAINER);
    await store.change("r1", 1, { state: "running" });
    const finish = () => store.finish(DRAINER, "r1", 99);
    assert.equal(await finish(), "unfinished", "nothing is loaded");
    await store.load(DRAINER, "r1", { seen: undefined, next: undefined, items: items("a1", "a2") });
    assert.equal(await finish(), "unfinished", "items wait");
    const [a1 = 0] = await startHead(store, "r1", "a", 1);
    assert.equal(await finish(), "unfinished", "an item has started");
    await store.end(DRAINER, "r1", [{ seq: a1, state: "uncertain" }]);
    assert.equal(await finish(), "unfinished", "nobody was told");
    await store.told("r1", await store.untold("r1", 10));
    assert.equal(await finish(), "finished");
    assert.equal(await finish(), "finished");
    const done = await store.get("r1");
    assert.deepEqual([done?.state, done?.endedMs], ["done", 99]);
    assert.deepEqual(await standing(store, "r1"), { held: ["a2"], uncertain: ["a1"] });
    const again = await store.retryUncertain("r1");
    assert.deepEqual([again?.state, again?.endedMs], ["running", undefined]);
    assert.deepEqual(
      (await store.head("r1", "a", 10, 1_000)).map(({ id }) => id),
      ["a1", "a2"],
    );
  });

  behaviour(harness, "a redrive that was cancelled starts and finishes nothing more", async (store) => {
    const begun = await running(store, "r1", "a1", "b1");
    const [a1 = 0] = await startHead(store, "r1", "a", 1);
    const [b1 = 0] = await seqsOf(store, "r1", "b");
    await store.change("r1", begun.version, { state: "cancelled", endedMs: 5 });
    assert.equal(await store.start(DRAINER, "r1", { seqs: [b1], requestId: "r" }), "refused");
    assert.equal(
      await store.end(DRAINER, "r1", [{ seq: a1, state: "done" }]),
      "ended",
      "what has begun ends",
    );
    assert.equal(await store.finish(DRAINER, "r1", 9), "unfinished");
    assert.equal(await store.retryUncertain("r1"), undefined);
    assert.deepEqual(await standing(store, "r1"), { done: ["a1"], waiting: ["b1"] });
  });

  behaviour(harness, "keeps what was not handed over until the redrive is concluded", async (store) => {
    const begun = await running(store, "r1", "a1", "a2", "b1", "c1", "-1");
    const [a1 = 0] = await startHead(store, "r1", "a", 1);
    const [b1 = 0] = await startHead(store, "r1", "b", 1);
    await store.end(DRAINER, "r1", [
      { seq: a1, state: "failed", error: ERROR },
      { seq: b1, state: "done" },
    ]);
    await store.told("r1", await store.untold("r1", 10));
    await store.conclude("r1");
    assert.equal((await store.get("r1"))?.isConcluded, false, "it goes on");
    await store.change("r1", begun.version, { state: "cancelled", endedMs: 5 });
    const names = async (after: number, itemsMax: number, bytesMax: number) =>
      (await store.left("r1", after, itemsMax, bytesMax)).map(({ id, element }) => `${id} ${element.length}`);
    const bytes = Buffer.byteLength('{"element":"a1"}');
    assert.deepEqual(
      await names(0, 10, 10_000),
      ["a2", "c1", "-1"].map((id) => `${id} ${bytes}`),
    );
    assert.deepEqual(
      await names(0, 2, 10_000),
      ["a2", "c1"].map((id) => `${id} ${bytes}`),
    );
    assert.deepEqual(await names(0, 10, 1), [`a2 ${bytes}`]);
    const [first] = await store.left("r1", 0, 1, 1);
    assert.deepEqual(
      await names(first?.seq ?? 0, 10, 10_000),
      ["c1", "-1"].map((id) => `${id} ${bytes}`),
    );
    await store.conclude("r1");
    assert.equal((await store.get("r1"))?.isConcluded, true);
    assert.deepEqual(await names(0, 10, 10_000), ["a2 0", "c1 0", "-1 0"]);
    assert.deepEqual(await standing(store, "r1"), {
      failed: ["a1"],
      done: ["b1"],
      held: ["a2"],
      waiting: ["c1", "-1"],
    });
  });
}
