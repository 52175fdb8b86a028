import assert from "node:assert/strict";
import { test } from "node:test";
import { SUCCEEDED } from "../stream/small-world.ts";
import { ids, SmallQueue } from "./small-queue.ts";

const FILTER = ['{"body":[{"exists":true}]}', '{"body":["m1","m2"]}'];

function encodeWithout(bad: readonly string[]) {
  return (messages: readonly { readonly messageId: string }[]) => {
    const all = messages.map(({ messageId }) => messageId);
    if (all.some((id) => bad.includes(id))) throw new TypeError("cannot be encoded");
    return Buffer.from(JSON.stringify(all));
  };
}

async function stop(queue: SmallQueue): Promise<void> {
  const stopping = queue.engine.stop(5_000);
  await queue.clock.advance(30_000);
  await stopping;
  assert.equal(queue.gauges.get("buffered_bytes"), 0);
  assert.equal(queue.gauges.get("buffered_records"), 0);
  assert.equal(queue.clock.pendingCalls, 0);
}

test("a message of which no event can be made costs itself: its neighbours are delivered, and it comes again", async () => {
  const queue = new SmallQueue({}, { receivesMax: 3 });
  queue.events.encode = encodeWithout(["m3"]);
  queue.startAgain();
  queue.send(...ids("m", 6));
  await queue.clock.advance(200_000);
  assert.deepEqual([...queue.seen].toSorted(), ["m1", "m2", "m4", "m5", "m6"]);
  assert.deepEqual(queue.dead, ["m3"]);
  assert.equal(queue.count("damaged_events"), 3);
  const told = queue.logs.filter(({ message }) => message.includes("cannot be converted"));
  assert.ok(told.length >= 1 && told.length <= 3, "told, and not once for each");
  await stop(queue);
});

test("FIFO: a message of which no event can be made holds nothing of its group back in its batch", async () => {
  const queue = new SmallQueue({}, { fifo: true });
  queue.events.encode = encodeWithout(["a1"]);
  queue.startAgain();
  queue.send("a1", "a2", "b1");
  await queue.clock.advance(10_000);
  await stop(queue);
  assert.deepEqual(queue.deleted, ["a2", "b1"]);
});

test("when no event can be made of any message the mapping goes on, and takes up what is healthy later", async () => {
  const queue = new SmallQueue({}, { visibilityMs: 20_000 });
  queue.events.encode = () => {
    throw new Error("defect");
  };
  queue.startAgain();
  queue.send(...ids("m", 4));
  await queue.clock.advance(10_000);
  assert.equal(queue.gauges.get("buffered_bytes"), 0, "nothing is held");
  queue.events.encode = encodeWithout([]);
  queue.startAgain();
  await queue.clock.advance(60_000);
  assert.deepEqual(queue.left, []);
});

for (const thrown of [new Error("defect"), undefined, "text"]) {
  test(`messages that cannot be filtered return all that they took, and receiving goes on (${typeof thrown} thrown)`, async () => {
    const queue = new SmallQueue({ filterPatterns: FILTER }, { settings: { mappingBudgetBytes: 400 } });
    queue.events.filterDocument = ({ messageId }) => {
      if (messageId.startsWith("bad")) throw thrown;
      return { document: { body: messageId }, isDataJson: false };
    };
    queue.startAgain();
    queue.send(...ids("bad", 8));
    await queue.clock.advance(5_000);
    assert.equal(queue.gauges.get("buffered_bytes"), 0, "nothing is held");
    queue.send("m1", "m2");
    await queue.clock.advance(20_000);
    assert.deepEqual([...queue.seen].toSorted(), ["m1", "m2"]);
    assert.ok(queue.count("damaged_events") >= 8);
    await stop(queue);
  });
}

test("deletes and extensions that throw, or answer for too few, lose no message and hold nothing for ever", async () => {
  const queue = new SmallQueue();
  queue.send(...ids("m", 3));
  let calls = 0;
  queue.acknowledging = () => {
    if (++calls <= 2) throw new Error("defect");
    return "settled";
  };
  queue.extending = () => {
    throw new Error("defect");
  };
  queue.handler = () => new Promise((resolve) => queue.clock.schedule(10_000, () => resolve(SUCCEEDED)));
  await queue.clock.advance(90_000);
  assert.deepEqual(queue.left, []);
  await stop(queue);
});
