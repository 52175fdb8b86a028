import assert from "node:assert/strict";
import { firstAttempt } from "../../src/ports/parking-store.ts";
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

const ERROR = { type: "TypeError", message: "no price for order 1" };

/** What becomes of items when drainers follow each other, and when a redrive ends. */
export function describeDrainers(harness: ParkingStoreHarness): void {
  describeUncertain(harness);
  describeFences(harness);
  describeFinish(harness);
}

function describeUncertain(harness: ParkingStoreHarness): void {
  behaviour(harness, "has what a drainer before had started wait again, or be uncertain", async (store) => {
    await running(store, "r1", "a1", "a2", "b1", "-1", "-2");
    await startHead(store, "r1", "a", 1);
    assert.equal(await store.recover(DRAINER, "r1", "waiting"), 0, "it is this drainer's own");
    const next = { ...DRAINER, epoch: DRAINER.epoch + 1 };
    await store.open(next);
    assert.equal(await store.recover(next, "r1", "waiting"), 1);
    assert.equal(await store.recover(next, "r1", "waiting"), 0);
    await startHead(store, "r1", "a", 1, next);
    await startHead(store, "r1", "~0", 1, next);
    await store.open({ ...next, epoch: next.epoch + 1 });
    assert.equal(await store.recover({ ...next, epoch: next.epoch + 1 }, "r1", "uncertain"), 2);
    assert.equal(await store.recover({ ...next, epoch: next.epoch + 1 }, "r1", "uncertain"), 0);
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
      await end(store, DRAINER, "r1", [
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
      await store.retryUncertain("r1", (await store.get("r1"))?.version ?? 0);
      assert.equal(await store.retryUncertain("r1", 1), "stale");
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
      await end(
        store,
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
      assert.equal(await start(store, DRAINER, "r1", { seqs: [a2], requestId: "r" }), "fenced");
      assert.equal(await end(store, DRAINER, "r1", [{ seq: a1, state: "done" }]), "fenced");
      assert.equal(await store.recover(DRAINER, "r1", "waiting"), "fenced");
      assert.equal(await store.finish(DRAINER, "r1", 1), "fenced");
      assert.deepEqual(await standing(store, "r1"), { started: ["a1"], waiting: ["a2"] });
      assert.equal(await other.open(next), "open");
      assert.equal(await end(other, next, "r1", [{ seq: a1, state: "done" }]), "ended");
      assert.equal(await store.open({ mapping: "another", epoch: 1 }), "open");
    },
  );

  behaviour(harness, "a call that takes effect late changes nothing that came after it", async (store) => {
    await running(store, "r1", "a1", "b1", "c1");
    const first = firstAttempt(DRAINER);
    const [a1 = 0] = await seqsOf(store, "r1", "a");
    const [b1 = 0] = await seqsOf(store, "r1", "b");
    const startOf = (seq: number, attempt: number) =>
      store.start(DRAINER, "r1", { seqs: [seq], requestId: `try ${attempt}`, attempt });
    await startOf(a1, first);
    await store.end(DRAINER, "r1", [{ seq: a1, attempt: first, state: "waiting" }]);
    assert.equal(await startOf(a1, first), "refused", "the start, once more");
    await startOf(a1, first + 1);
    await store.end(DRAINER, "r1", [{ seq: a1, attempt: first, state: "waiting" }]);
    await store.end(DRAINER, "r1", [{ seq: a1, attempt: first, state: "failed", error: ERROR }]);
    assert.deepEqual(await standing(store, "r1"), { started: ["a1"], waiting: ["b1", "c1"] });
    const [c1 = 0] = await seqsOf(store, "r1", "c");
    await store.end(DRAINER, "r1", [{ seq: c1, attempt: first + 9, state: "waiting" }]);
    assert.equal(await startOf(c1, first + 9), "refused", "it was given up before it came");
    assert.equal(await store.recover(DRAINER, "r1", "uncertain"), 0);
    await startOf(b1, first + 2);
    await store.end(DRAINER, "r1", [{ seq: b1, attempt: first + 2, state: "uncertain" }]);
    const seen = (await store.get("r1"))?.version ?? 0;
    await store.retryUncertain("r1", seen);
    await startOf(b1, first + 3);
    await store.end(DRAINER, "r1", [{ seq: b1, attempt: first + 3, state: "uncertain" }]);
    assert.equal(await store.retryUncertain("r1", seen), "stale");
    assert.deepEqual(await standing(store, "r1"), { started: ["a1"], uncertain: ["b1"], waiting: ["c1"] });
  });

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
    await end(store, DRAINER, "r1", [{ seq: a1, state: "uncertain" }]);
    assert.equal(await finish(), "unfinished", "nobody was told");
    await store.told("r1", await store.untold("r1", 10));
    assert.equal(await finish(), "finished");
    assert.equal(await finish(), "finished");
    const done = await store.get("r1");
    assert.deepEqual([done?.state, done?.endedMs], ["done", 99]);
    assert.deepEqual(await standing(store, "r1"), { held: ["a2"], uncertain: ["a1"] });
    const again = await store.retryUncertain("r1", (await store.get("r1"))?.version ?? 0);
    assert.ok(again !== "stale");
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
    assert.equal(await start(store, DRAINER, "r1", { seqs: [b1], requestId: "r" }), "refused");
    assert.equal(
      await end(store, DRAINER, "r1", [{ seq: a1, state: "done" }]),
      "ended",
      "what has begun ends",
    );
    assert.equal(await store.finish(DRAINER, "r1", 9), "unfinished");
    assert.equal(await store.retryUncertain("r1", (await store.get("r1"))?.version ?? 0), undefined);
    assert.deepEqual(await standing(store, "r1"), { done: ["a1"], waiting: ["b1"] });
  });

  behaviour(harness, "keeps what was not handed over until the redrive is concluded", async (store) => {
    const begun = await running(store, "r1", "a1", "a2", "b1", "c1", "-1");
    const [a1 = 0] = await startHead(store, "r1", "a", 1);
    const [b1 = 0] = await startHead(store, "r1", "b", 1);
    await end(store, DRAINER, "r1", [
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
    assert.deepEqual(await names(0, 10, 10_000), []);
    assert.deepEqual(await standing(store, "r1"), {
      failed: ["a1"],
      done: ["b1"],
      held: ["a2"],
      waiting: ["c1", "-1"],
    });
  });
}
