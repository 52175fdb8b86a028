import assert from "node:assert/strict";
import { describe } from "node:test";
import { newAttemptState } from "../../src/model/async-item.ts";
import { describeAsyncQueueChanges } from "./async-queue-changes.ts";
import { describeAsyncQueueDurability } from "./async-queue-durability.ts";
import {
  type AsyncQueueHarness,
  behaviour,
  GIVEN_BACK_MS,
  HOLD_MS,
  idsOf,
  itemOf,
  received,
  room,
  textOf,
} from "./async-queue-harness.ts";

/** The laws of `src/ports/async-queue.ts` as named behaviours, which every adapter runs. */
export function describeAsyncQueueContract(name: string, harness: AsyncQueueHarness): void {
  const options = { timeout: 240_000, concurrency: harness.isConcurrent ?? false };
  describe(`${name} keeps the laws of a queue of asynchronous events`, options, () => {
    describePut(harness);
    describeHolds(harness);
    describeLanes(harness);
    describeLooks(harness);
    describeAsyncQueueChanges(harness);
    describeAsyncQueueDurability(harness.writeFaults);
  });
}

function describePut(harness: AsyncQueueHarness): void {
  behaviour(harness, "has nothing at first", async ({ queue }) => {
    assert.deepEqual(await received(queue), []);
    assert.equal(await queue.has("a"), false);
    assert.deepEqual(await queue.backlog(), []);
    assert.deepEqual(await queue.cursors(""), new Map());
  });

  behaviour(
    harness,
    "gives what was put, byte for byte, also through another handle",
    async ({ queue, open }) => {
      const body = Uint8Array.from({ length: 70_000 }, (_, index) => (index * 7) % 256);
      const state = {
        ...newAttemptState(1_700_000_000_123),
        runs: 1,
        lineage: "1a2b3c4d:3",
        trace: { xray: "Root=1-5759e988-bd862e3fe1be46a994272793" },
        last: { statusCode: 200, functionError: "Unhandled", payload: '{"errorMessage":"höhe \u2028"}' },
        policy: { maximumRetryAttempts: 0, maximumEventAgeSeconds: 60 },
      };
      await queue.put([{ ...itemOf("a", "f:fn_1-x"), qualifier: "live", kind: "deliver", body, state }]);
      const other = await open();
      if (harness.lacks?.includes("looks") !== true) assert.equal(await other.has("a"), true);
      const [item] = await received(other, [room("f:fn_1-x")]);
      assert.deepEqual(
        [item?.id, item?.kind, item?.lane, item?.qualifier, item?.receiveCount],
        ["a", "deliver", "f:fn_1-x", "live", 1],
      );
      assert.deepEqual(Buffer.from(item?.body ?? []), Buffer.from(body));
      assert.deepEqual(item?.state, state);
    },
  );

  behaviour(
    harness,
    "has an id once, however often it is put",
    async ({ queue }) => {
      await queue.put([itemOf("a", "f:one")]);
      await queue.put([itemOf("a", "f:one", "second"), itemOf("b", "f:one")]);
      const items = await received(queue);
      assert.deepEqual(
        items.map(({ id, body }) => [id, textOf(body)]),
        [
          ["a", "a"],
          ["b", "b"],
        ],
      );
    },
    "looks",
  );

  behaviour(harness, "hands an item out when it is visible, and not before", async ({ queue, pass }) => {
    await queue.put([{ ...itemOf("a", "f:one"), visibleInMs: 5_000 }]);
    assert.deepEqual(await received(queue), []);
    await pass(4_000);
    assert.deepEqual(await received(queue), []);
    await pass(1_500);
    const [item] = await received(queue);
    assert.equal(item?.id, "a");
  });

  behaviour(
    harness,
    "says what there is of each lane, handed out or not",
    async ({ queue, pass }) => {
      await queue.put([itemOf("a", "f:one"), itemOf("b", "f:one"), itemOf("c", "d:two")]);
      await pass(7_000);
      await received(queue, [room("f:one", 1)]);
      const backlog = (await queue.backlog()).toSorted((a, b) => (a.lane < b.lane ? -1 : 1));
      assert.deepEqual(
        backlog.map(({ lane, items }) => [lane, items]),
        [
          ["d:two", 1],
          ["f:one", 2],
        ],
      );
      for (const { bytes, oldestMs } of backlog) {
        assert.ok(bytes > 0);
        assert.ok(oldestMs >= 7_000, `${oldestMs}`);
      }
    },
    "looks",
  );
}

function describeHolds(harness: AsyncQueueHarness): void {
  behaviour(
    harness,
    "gives a held item to nobody else until its hold ends",
    async ({ queue, open, pass }) => {
      await queue.put([itemOf("a", "f:one")]);
      const [first] = await received(queue);
      const other = await open();
      await pass(HOLD_MS - 1_000);
      assert.deepEqual(await received(other), []);
      await pass(1_500);
      const [second] = await received(other);
      assert.equal(second?.receiveCount, 2);
      assert.notEqual(second?.receipt, first?.receipt);
    },
  );

  behaviour(harness, "prolongs holds, each by itself", async ({ queue, pass }) => {
    await queue.put([itemOf("a", "f:one"), itemOf("b", "f:one")]);
    const [a, b] = await received(queue);
    assert.ok(a !== undefined && b !== undefined);
    assert.equal(await queue.finish(b, []), "settled");
    await pass(HOLD_MS - 1_000);
    assert.deepEqual(await queue.extend([b, a], HOLD_MS), ["lost", "settled"]);
    await pass(2_000);
    assert.deepEqual(await received(queue), []);
    assert.equal(await queue.finish(a, []), "settled");
  });

  behaviour(harness, "changes nothing for whoever has lost the hold", async ({ queue, open, pass }) => {
    await queue.put([itemOf("a", "f:one")]);
    const [lost] = await received(queue);
    assert.ok(lost !== undefined);
    await pass(HOLD_MS + 500);
    const state = { ...newAttemptState(1), runs: 9 };
    const settleLost = async () => [
      await queue.retry(lost, state, 0),
      await queue.release(lost, 0),
      await queue.finish(lost, [itemOf("b", "f:one")]),
      ...(await queue.extend([lost], HOLD_MS)),
    ];
    assert.deepEqual(await settleLost(), ["lost", "lost", "lost", "lost"], "nobody else has it yet");
    const other = await open();
    const [second] = await received(other);
    assert.deepEqual(second?.state, newAttemptState(1));
    assert.deepEqual(await settleLost(), ["lost", "lost", "lost", "lost"], "somebody else has it");
    assert.equal(await queue.has("b"), false);
    assert.ok(second !== undefined);
    assert.equal(await queue.finish(second, []), "settled", "one handle settles what another one gave");
  });
}

function describeLanes(harness: AsyncQueueHarness): void {
  behaviour(harness, "gives nothing of a lane that was not asked for", async ({ queue, pass }) => {
    await queue.put([itemOf("a", "f:one"), itemOf("b", "f:two"), itemOf("c", "f:on_")]);
    assert.deepEqual(idsOf(await received(queue, [room("f:two")])), ["b"]);
    assert.deepEqual(await received(queue, []), []);
    await pass(GIVEN_BACK_MS);
    assert.deepEqual(await received(queue, [room("f:three"), room("f:one", 0)]), []);
    await pass(GIVEN_BACK_MS);
    assert.deepEqual(idsOf(await received(queue, [room("f:on_")])), ["c"]);
  });

  behaviour(
    harness,
    "gives no more of a lane than was asked for, the longest visible first",
    async ({ queue, pass }) => {
      for (const id of ["c", "a", "b"]) {
        await queue.put([itemOf(id, "f:one")]);
        await pass(1_000);
      }
      await queue.put([itemOf("x", "f:two")]);
      assert.deepEqual(idsOf(await received(queue, [room("f:one", 2), room("f:two", 2)])), ["c", "a", "x"]);
      assert.deepEqual(idsOf(await received(queue, [room("f:one", 2)])), ["b"]);
    },
    "order",
  );

  behaviour(
    harness,
    "gives no more than asked for in all, and begins with the first lane",
    async ({ queue }) => {
      await queue.put(["a", "b", "c"].map((id) => itemOf(id, "f:one")));
      await queue.put(["d", "e", "f"].map((id) => itemOf(id, "f:two")));
      const lanes = [room("f:two", 2), room("f:one", 2)];
      assert.deepEqual(idsOf(await received(queue, lanes, { itemsMax: 3 })).toSorted(), ["a", "d", "e"]);
    },
    "order",
  );

  behaviour(
    harness,
    "gives no more bytes than asked for, and one item in any case",
    async ({ queue }) => {
      const large = "x".repeat(100_000);
      await queue.put([
        itemOf("a", "f:one", large),
        itemOf("b", "f:one", large),
        itemOf("c", "f:one", large),
      ]);
      assert.deepEqual(idsOf(await received(queue, [room("f:one")], { bytesMax: 1 })), ["a"]);
      assert.deepEqual(idsOf(await received(queue, [room("f:one")], { bytesMax: 250_000 })), ["b", "c"]);
    },
    "order",
  );
}

function describeLooks(harness: AsyncQueueHarness): void {
  behaviour(
    harness,
    "lists what a lane has, those that were put first, and no more than asked for",
    async (given) => {
      const { queue, open, pass } = given;
      await queue.put([{ ...itemOf("a", "f:one", "12345"), qualifier: "live" }]);
      await pass(2_000);
      await queue.put([
        { ...itemOf("b", "f:one"), visibleInMs: 60_000 },
        itemOf("c", "f:one"),
        itemOf("d", "f:two"),
      ]);
      const other = await open();
      assert.deepEqual(await other.list("f:none", 10), []);
      assert.deepEqual(idsOf(await other.list("f:one", 2)), ["a", "b"]);
      const [a, b, c] = await other.list("f:one", 10);
      assert.deepEqual(
        [a?.kind, a?.lane, a?.qualifier, a?.state, a?.isHeld, a?.dueInMs, a?.receiveCount],
        ["invoke", "f:one", "live", newAttemptState(1), false, 0, 0],
      );
      assert.ok((a?.bytes ?? 0) >= 5);
      assert.ok((a?.ageMs ?? 0) >= 2_000 && (b?.ageMs ?? 0) < 2_000, `${a?.ageMs} ${b?.ageMs}`);
      assert.ok((b?.dueInMs ?? 0) > 50_000 && b?.isHeld === false);
      assert.equal(c?.dueInMs, 0);
    },
    "looks",
  );

  behaviour(
    harness,
    "shows one with its body, and whether somebody has it",
    async ({ queue, pass }) => {
      await queue.put([itemOf("a", "f:one", "whole body")]);
      assert.equal(await queue.get("none"), undefined);
      assert.equal(textOf((await queue.get("a"))?.body), "whole body");
      const [held] = await received(queue);
      const seen = await queue.get("a");
      assert.deepEqual([seen?.isHeld, seen?.receiveCount], [true, 1]);
      await pass(HOLD_MS + 1_000);
      assert.equal((await queue.get("a"))?.isHeld, false);
      assert.ok(held !== undefined);
      const [again] = await received(queue);
      assert.ok(again !== undefined);
      await queue.retry(again, { ...newAttemptState(1), runs: 1 }, 30_000);
      const waits = await queue.get("a");
      assert.deepEqual([waits?.isHeld, waits?.state?.runs], [false, 1]);
      assert.ok((waits?.dueInMs ?? 0) > 20_000);
      await pass(31_000);
      const [last] = await received(queue);
      assert.ok(last !== undefined);
      await queue.finish(last, []);
      assert.equal(await queue.get("a"), undefined);
      assert.deepEqual(await queue.list("f:one", 10), []);
    },
    "looks",
  );

  behaviour(
    harness,
    "takes nothing by being looked at",
    async ({ queue }) => {
      await queue.put([itemOf("a", "f:one")]);
      await queue.list("f:one", 10);
      await queue.get("a");
      const [item] = await received(queue);
      assert.deepEqual([item?.id, item?.receiveCount], ["a", 1]);
    },
    "looks",
  );
}
