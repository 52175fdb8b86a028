import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { GATHER_MS_MAX, GatheredDeletes } from "../../../../connectors/sqs/gathered-deletes.ts";
import type { EntryFault } from "../../../../connectors/sqs/sqs-api.ts";

type Answer = (faults?: ReadonlyMap<number, EntryFault>) => void;
const FAULT: EntryFault = { code: "ReceiptHandleIsInvalid", message: "" };

/** Calls that wait until they are answered, on timers that stand still. */
function gathering(t: TestContext, isOrdered = false) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const calls: { handles: readonly string[]; answer: Answer; fail(error: Error): void }[] = [];
  const deletes = new GatheredDeletes({
    deleteBatch: (handles) =>
      new Promise((resolve, reject) => {
        calls.push({ handles, answer: (faults = new Map()) => resolve(faults), fail: reject });
      }),
    settlementOf: (fault) => (fault === undefined ? "settled" : "lost"),
    isOrdered,
  });
  return { calls, deletes };
}

const turn = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));

test("the first delete waits for nothing but those of its own turn of the event loop", async (t) => {
  const { calls, deletes } = gathering(t);
  const told = [deletes.delete(["a"]), deletes.delete(["b"])];
  await turn();
  assert.deepEqual(
    calls.map(({ handles }) => handles),
    [["a", "b"]],
  );
  calls[0]?.answer(new Map([[1, FAULT]]));
  assert.deepEqual(await Promise.all(told), [["settled"], ["lost"]]);
});

test("what comes while a call is under way goes together: when it is answered, or after the bound of the wait", async (t) => {
  const { calls, deletes } = gathering(t);
  const first = deletes.delete(["a"]);
  await turn();
  const later = [deletes.delete(["b"]), deletes.delete(["c"])];
  await turn();
  assert.equal(calls.length, 1);
  calls[0]?.answer();
  await first;
  await turn();
  assert.deepEqual(calls[1]?.handles, ["b", "c"]);
  const last = deletes.delete(["d"]);
  await turn();
  assert.equal(calls.length, 2);
  t.mock.timers.tick(GATHER_MS_MAX);
  assert.deepEqual(calls[2]?.handles, ["d"]);
  calls[1]?.answer();
  calls[2]?.answer();
  assert.deepEqual(await Promise.all([...later, last]), [["settled"], ["settled"], ["settled"]]);
});

test("ten messages go at once, whatever is under way", async (t) => {
  const { calls, deletes } = gathering(t);
  const handles = Array.from({ length: 25 }, (_, index) => `r${index}`);
  const told = deletes.delete(handles);
  assert.deepEqual(
    calls.map((call) => call.handles),
    [handles.slice(0, 10), handles.slice(10, 20)],
  );
  t.mock.timers.tick(GATHER_MS_MAX);
  assert.deepEqual(calls[2]?.handles, handles.slice(20));
  for (const [index, { answer }] of calls.entries()) answer(index === 1 ? new Map([[3, FAULT]]) : undefined);
  const settlements = await told;
  assert.deepEqual(
    settlements.flatMap((settlement, index) => (settlement === "settled" ? [] : [index])),
    [13],
  );
});

test("a delete is told only when the queue has answered for it, and a failed call fails its own messages alone", async (t) => {
  const { calls, deletes } = gathering(t);
  let isTold = false;
  const alone = deletes.delete(["a"]).finally(() => {
    isTold = true;
  });
  await turn();
  assert.equal(isTold, false);
  const many = deletes.delete(Array.from({ length: 12 }, (_, index) => `r${index}`));
  calls[0]?.fail(new Error("down"));
  await assert.rejects(alone, /down/);
  calls[1]?.answer();
  await turn();
  calls[2]?.fail(new Error("down again"));
  assert.deepEqual(await many, [...Array<string>(10).fill("settled"), "failed", "failed"]);
});

test("a delete of a queue with order waits for no other's answer: the next of its group waits for it", async (t) => {
  const { calls, deletes } = gathering(t, true);
  void deletes.delete(["a"]);
  await turn();
  void deletes.delete(["b"]);
  await turn();
  assert.deepEqual(
    calls.map(({ handles }) => handles),
    [["a"], ["b"]],
  );
});
