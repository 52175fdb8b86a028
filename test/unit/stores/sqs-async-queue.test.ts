import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { type NewAsyncItem, newAttemptState } from "../../../src/model/async-item.ts";
import { MillraceError } from "../../../src/model/errors.ts";
import { createMemoryCellStore } from "../../../src/stores/memory-cells.ts";
import { SqsAsyncQueue } from "../../../src/stores/sqs-async-queue.ts";
import { MESSAGE_BYTES_MAX, messageBytes, readEvent } from "../../../src/stores/sqs-event-message.ts";
import { idsOf, itemOf, received, room, textOf } from "../../contract/async-queue-harness.ts";
import { SqsEventTwin } from "../../contract/sqs-event-twin.ts";

class World {
  nowMs = 1_700_000_000_000;
  readonly twin = new SqsEventTwin(() => this.nowMs);
  readonly cells = createMemoryCellStore();

  open(): SqsAsyncQueue {
    return new SqsAsyncQueue(this.twin, this.cells, () => this.nowMs);
  }

  /** The call fails once: before it takes effect, or with its answer lost. */
  fail(action: string, when: "before" | "behind"): void {
    this.twin.atCall = (called, at) => {
      if (called !== action || at !== when) return;
      this.twin.atCall = () => undefined;
      throw new MillraceError("ERR_MILLRACE_STORE_UNAVAILABLE", `${action} failed ${when}`);
    };
  }

  get ids(): string[] {
    const events = [...this.twin.kept].map(({ message: { body, attributes } }) =>
      readEvent({ Body: body, MessageAttributes: { ...attributes } }),
    );
    return events.map((event) => event?.id ?? "?").toSorted();
  }
}

const UNAVAILABLE = { code: "ERR_MILLRACE_STORE_UNAVAILABLE" };

test("an end whose answer was lost is told again without telling twice what comes of it", async () => {
  const world = new World();
  const queue = world.open();
  await queue.put([itemOf("a", "f:one")]);
  const [held] = await received(queue);
  assert.ok(held !== undefined);
  world.fail("remove", "before");
  await assert.rejects(queue.finish(held, [itemOf("a/success", "d:x")]), UNAVAILABLE);
  assert.deepEqual(world.ids, ["a", "a/success"]);
  assert.equal(await queue.finish(held, [itemOf("a/success", "d:x")]), "settled");
  assert.deepEqual(world.ids, ["a/success"]);
});

test("whoever dies between sending what comes of an event and removing it repeats it and loses nothing", async () => {
  const world = new World();
  const [queue, other] = [world.open(), world.open()];
  await queue.put([itemOf("a", "f:one")]);
  const [held] = await received(queue);
  assert.ok(held !== undefined);
  world.fail("remove", "before");
  await assert.rejects(queue.finish(held, [itemOf("a/success", "d:x")]), UNAVAILABLE);
  world.nowMs += 61_000;
  assert.deepEqual(idsOf(await received(other)), ["a"]);
  assert.equal(await queue.finish(held, []), "lost");
});

test("a put that fails rejects, whether or not it took effect, and never answers that it is there", async () => {
  const world = new World();
  const queue = world.open();
  world.fail("send", "before");
  await assert.rejects(queue.put([itemOf("a", "f:one")]), UNAVAILABLE);
  world.fail("send", "behind");
  await assert.rejects(queue.put([itemOf("b", "f:one")]), UNAVAILABLE);
  assert.equal(await queue.has(), false);
  assert.deepEqual(world.ids, ["b"]);
});

test("a tick whose sending fails can be sent again at once", async () => {
  const world = new World();
  const queue = world.open();
  const move = { name: "schedule/1", from: "", to: "1" };
  world.fail("send", "before");
  await assert.rejects(queue.put([itemOf("tick", "f:one")], move), UNAVAILABLE);
  assert.deepEqual(await queue.cursors(""), new Map());
  assert.equal(await queue.put([itemOf("tick", "f:one")], move), "put");
  assert.deepEqual(world.ids, ["tick"]);
});

test("a tick of whoever died on the way is left to another once its claim has ended", async () => {
  const world = new World();
  const [queue, other] = [world.open(), world.open()];
  await queue.put([], { name: "schedule/1", from: "", to: "1" });
  const move = { name: "schedule/1", from: "1", to: "2" };
  // It never comes back from its send.
  const lost = Promise.withResolvers<void>();
  world.twin.send = async () => await lost.promise;
  const dead = queue.put([itemOf("tick", "f:one")], move);
  await new Promise(setImmediate);
  world.twin.send = async (messages) => {
    for (const message of messages)
      world.twin.kept.add({ message, visibleMs: world.nowMs, receipt: undefined, receiveCount: 0 });
  };
  assert.equal(await other.put([itemOf("tick", "f:one")], move), "stale");
  assert.deepEqual(await other.cursors("schedule/"), new Map([["schedule/1", "1"]]));
  world.nowMs += 31_000;
  assert.equal(await other.put([itemOf("tick", "f:one")], move), "put");
  assert.deepEqual(await other.cursors("schedule/"), new Map([["schedule/1", "2"]]));
  lost.resolve();
  assert.equal(await dead, "put");
  assert.deepEqual(await other.cursors("schedule/"), new Map([["schedule/1", "2"]]), "it moves nothing back");
});

test("what is due later than SQS can delay is given back until then", async () => {
  const world = new World();
  const queue = world.open();
  await queue.put([{ ...itemOf("a", "f:one"), visibleInMs: 7_200_000 }]);
  for (const ms of [899_000, 2_000, 3_000_000, 3_298_000]) {
    world.nowMs += ms;
    assert.deepEqual(await received(queue), [], `${ms}`);
  }
  world.nowMs += 2_000;
  assert.deepEqual(idsOf(await received(queue)), ["a"]);
});

test("bodies that SQS does not take as they are come out byte for byte", async () => {
  const bodies = [
    Buffer.alloc(0),
    Buffer.from([0, 1, 2, 255]),
    Buffer.from('{"a":"\ufffe\uffff\u0008"}'),
    Buffer.from('"\u{1f600} höhe"'),
    Buffer.alloc(900_000, '{"packs":"well"}'),
  ];
  for (const body of bodies) {
    const world = new World();
    const queue = world.open();
    const state = {
      ...newAttemptState(1),
      last: { statusCode: 200, message: "bad \ufffe \ud800", payload: '"\uffff"' },
    };
    await queue.put([{ ...itemOf("a", "f:one"), body, state }]);
    for (const { message } of world.twin.kept) {
      assert.ok(messageBytes(message) <= MESSAGE_BYTES_MAX);
      assert.doesNotMatch(JSON.stringify(message.attributes["millrace-item"]), /[\ufffe\uffff]/);
    }
    const [item] = await received(queue);
    assert.deepEqual(Buffer.from(item?.body ?? []), body);
    assert.deepEqual(item?.state, state);
  }
});

test("an event that its own answer makes too large is tried again without the answer", async () => {
  const world = new World();
  const queue = world.open();
  const body = Buffer.from(JSON.stringify(randomBytes(980_000).toString("latin1")));
  await assert.rejects(
    queue.put([{ ...itemOf("large", "f:one"), body: randomBytes(1_050_000) }]),
    UNAVAILABLE,
  );
  const packed: NewAsyncItem = { ...itemOf("a", "f:one"), body: body.subarray(0, 900_000) };
  await queue.put([packed]);
  const [held] = await received(queue);
  assert.ok(held !== undefined);
  const payload = randomBytes(150_000).toString("base64");
  const last = { statusCode: 200, functionError: "Unhandled", payload };
  assert.equal(
    await queue.retry(held, { ...newAttemptState(1), functionErrors: 1, last }, 60_000),
    "settled",
  );
  world.nowMs += 61_000;
  const [again] = await received(queue);
  assert.deepEqual([again?.state?.functionErrors, again?.state?.last?.functionError], [1, "Unhandled"]);
  assert.equal(textOf(again?.body), textOf(packed.body));
});

test("what nobody asked for is given back, for longer each time, and its lane is told", async () => {
  const world = new World();
  const queue = world.open();
  await queue.put([itemOf("a", "d:gone")]);
  assert.deepEqual(await received(queue), []);
  const [seen] = await queue.backlog();
  assert.deepEqual([seen?.lane, seen?.items], ["d:gone", 1]);
  const waits: number[] = [];
  for (let count = 0; count < 7; count++) {
    const [kept] = [...world.twin.kept].filter(({ receiveCount }) => receiveCount > count);
    assert.ok(kept !== undefined);
    waits.push(kept.visibleMs - world.nowMs);
    world.nowMs = kept.visibleMs;
    assert.deepEqual(await received(queue), []);
  }
  assert.deepEqual(
    waits,
    [1, 2, 4, 8, 16, 30, 30].map((seconds) => seconds * 1000),
  );
  world.nowMs += 30_000;
  assert.deepEqual(idsOf(await received(queue, [room("d:gone")])), ["a"]);
  world.nowMs += 61_000;
  assert.deepEqual(await queue.backlog(), []);
});

test("takes no more of lanes, items and bytes than asked for, and gives the others back", async () => {
  const world = new World();
  const queue = world.open();
  const large = "x".repeat(100_000);
  await queue.put([1, 2, 3, 4].map((index) => itemOf(`a${index}`, "f:one", large)));
  await queue.put([itemOf("b", "f:two")]);
  assert.equal((await received(queue, [room("f:one", 4)], { bytesMax: 1 })).length, 1);
  world.nowMs += 3_000;
  assert.equal((await received(queue, [room("f:one", 2), room("f:two", 5)], { itemsMax: 2 })).length, 2);
  world.nowMs += 30_000;
  const rest = await received(queue, [room("f:one", 9), room("f:two", 9)]);
  assert.equal(rest.length, 2);
});

test("a longer hold than the shortest that was asked for is given at once", async () => {
  const world = new World();
  const [queue, other] = [world.open(), world.open()];
  await queue.put([itemOf("a", "f:slow"), itemOf("b", "f:fast")]);
  const lanes = [
    { lane: "f:slow", itemsMax: 5, holdMs: 970_000 },
    { lane: "f:fast", itemsMax: 5, holdMs: 60_000 },
  ];
  assert.equal((await received(queue, lanes)).length, 2);
  world.nowMs += 61_000;
  assert.deepEqual(idsOf(await received(other, lanes)), ["b"]);
});

test("a message of another program is left where it is", async () => {
  const world = new World();
  const queue = world.open();
  await world.twin.send([{ body: "hello", attributes: {}, delaySeconds: 0 }]);
  assert.deepEqual(await received(queue), []);
  assert.deepEqual(
    [...world.twin.kept].map(({ visibleMs }) => visibleMs - world.nowMs),
    [900_000],
  );
});

test("what was received before a call fails is not lost with it", async () => {
  const world = new World();
  const queue = world.open();
  await queue.put(Array.from({ length: 15 }, (_, index) => itemOf(`i${index}`, "f:one")));
  let calls = 0;
  world.twin.atCall = (action, when) => {
    if (action === "receive" && when === "before" && ++calls === 2)
      throw new MillraceError("ERR_MILLRACE_STORE_UNAVAILABLE", "away");
  };
  assert.equal((await received(queue)).length, 10);
  world.twin.atCall = () => undefined;
  assert.equal((await received(queue)).length, 5);
});

test("it says how many events there are, those that are held too, for whoever must know that there are none", async () => {
  const queue = new World().open();
  assert.equal(await queue.total(), 0);
  await queue.put([itemOf("a", "f:one"), itemOf("b", "f:two")]);
  const [held] = await received(queue);
  assert.equal(await queue.total(), 2);
  assert.ok(held !== undefined);
  await queue.finish(held, []);
  assert.equal(await queue.total(), 1);
});
