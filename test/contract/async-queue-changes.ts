import assert from "node:assert/strict";
import { newAttemptState } from "../../src/model/async-item.ts";
import {
  type AsyncQueueHarness,
  behaviour,
  idsOf,
  itemOf,
  received,
  room,
  textOf,
} from "./async-queue-harness.ts";

const RACERS = 4;

/** What becomes of items and cursors, and who comes first. */
export function describeAsyncQueueChanges(harness: AsyncQueueHarness): void {
  describeSettlement(harness);
  describeCursors(harness);
  describeRaces(harness);
}

function describeSettlement(harness: AsyncQueueHarness): void {
  behaviour(
    harness,
    "hands out again what is released, after the delay, as it was",
    async ({ queue, pass }) => {
      await queue.put([itemOf("a", "f:one")]);
      const [item] = await received(queue);
      assert.ok(item !== undefined);
      assert.equal(await queue.release(item, 3_000), "settled");
      assert.deepEqual(await received(queue), []);
      await pass(3_500);
      const [again] = await received(queue);
      assert.deepEqual([again?.receiveCount, again?.state], [2, item.state]);
    },
  );

  behaviour(
    harness,
    "hands out with its new state what is tried again, after the delay",
    async ({ queue, pass }) => {
      await queue.put([itemOf("a", "f:one")]);
      const [item] = await received(queue);
      assert.ok(item !== undefined);
      const state = { ...newAttemptState(1), runs: 1, functionErrors: 1 };
      assert.equal(await queue.retry(item, state, 60_000), "settled");
      assert.equal(await queue.retry(item, state, 0), "lost", "its hold has ended with the answer");
      await pass(59_000);
      assert.deepEqual(await received(queue), []);
      await pass(1_500);
      const [again] = await received(queue);
      assert.deepEqual([again?.id, textOf(again?.body), again?.state], ["a", "a", state]);
    },
  );

  behaviour(harness, "takes a finished item off, and puts what comes of it", async ({ queue, open }) => {
    await queue.put([itemOf("a", "f:one")]);
    const [item] = await received(queue);
    assert.ok(item !== undefined);
    const next = [itemOf("a:success", "d:x"), itemOf("other", "f:two")];
    assert.equal(await queue.finish(item, next), "settled");
    assert.equal(await queue.finish(item, next), "lost");
    const other = await open();
    assert.equal(await other.has("a"), false);
    const found = await received(other, [room("d:x"), room("f:two"), room("f:one")]);
    assert.deepEqual(idsOf(found).toSorted(), ["a:success", "other"]);
  });
}

function describeCursors(harness: AsyncQueueHarness): void {
  behaviour(
    harness,
    "puts with a cursor only from where it stands, and moves it",
    async ({ queue, open }) => {
      const name = "schedule/1";
      assert.equal(await queue.put([itemOf("a", "f:one")], { name, from: "", to: "1:100" }), "put");
      assert.equal(await queue.put([itemOf("b", "f:one")], { name, from: "", to: "1:200" }), "stale");
      const other = await open();
      assert.deepEqual(await other.cursors("schedule/"), new Map([[name, "1:100"]]));
      assert.deepEqual(await other.cursors("schedule_"), new Map());
      assert.equal(await other.put([itemOf("c", "f:one")], { name, from: "1:100", to: "1:200" }), "put");
      assert.equal(await other.put([], { name, from: "1:200", to: "1:300" }), "put", "no item is due");
      assert.deepEqual(idsOf(await received(queue)).toSorted(), ["a", "c"]);
      assert.equal(await queue.has("b"), false);
    },
  );

  behaviour(harness, "forgets a cursor that is moved to nowhere", async ({ queue }) => {
    await queue.put([], { name: "schedule/1", from: "", to: "1" });
    await queue.put([], { name: "schedule/2", from: "", to: "2" });
    assert.equal(await queue.put([], { name: "schedule/1", from: "1", to: "" }), "put");
    assert.deepEqual(await queue.cursors("schedule/"), new Map([["schedule/2", "2"]]));
    assert.equal(await queue.put([], { name: "schedule/1", from: "", to: "5" }), "put");
  });
}

function describeRaces(harness: AsyncQueueHarness): void {
  behaviour(harness, "gives each item to one of several who receive at once", async ({ queue, open }) => {
    const ids = Array.from({ length: 60 }, (_, index) => `item-${String(index).padStart(2, "0")}`);
    await queue.put(ids.map((id) => itemOf(id, "f:one")));
    const handles = await Promise.all(Array.from({ length: RACERS }, () => open()));
    const given: string[] = [];
    // Ends: each round gives what there is, and nothing comes back.
    for (let round = 0; round < ids.length && given.length < ids.length; round++) {
      const answers = await Promise.all(handles.map((handle) => received(handle, [room("f:one", 7)])));
      for (const answer of answers) given.push(...idsOf(answer));
    }
    assert.deepEqual(given.toSorted(), ids);
  });

  behaviour(harness, "lets exactly one of several move a cursor from one place", async ({ queue, open }) => {
    const handles = await Promise.all(Array.from({ length: RACERS }, () => open()));
    for (let round = 0; round < 8; round++) {
      const from = round === 0 ? "" : String(round);
      const answers = await Promise.all(
        handles.map((handle, racer) =>
          handle.put([itemOf(`${round}-${racer}`, "f:one")], { name: "c", from, to: String(round + 1) }),
        ),
      );
      assert.equal(answers.filter((answer) => answer === "put").length, 1, `round ${round}`);
    }
    assert.equal((await received(queue)).length, 8);
  });

  behaviour(harness, "makes many puts at once, all of them", async ({ queue, open }) => {
    const other = await open();
    const ids = Array.from({ length: 200 }, (_, index) => `item-${String(index).padStart(3, "0")}`);
    await Promise.all(ids.map((id, index) => (index % 2 === 0 ? queue : other).put([itemOf(id, "f:one")])));
    assert.deepEqual(idsOf(await received(queue, [room("f:one", 500)], { itemsMax: 500 })).toSorted(), ids);
  });
}
