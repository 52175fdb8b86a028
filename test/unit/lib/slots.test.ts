import assert from "node:assert/strict";
import { test } from "node:test";
import { Slots } from "../../../src/lib/slots.ts";

test("a free slot is taken at once, and those of one taker who wait come in their order", async () => {
  const slots = new Slots(2);
  assert.equal(slots.take("a"), undefined);
  assert.equal(slots.take("a"), undefined);
  const came: number[] = [];
  const waits = [1, 2, 3].map((place) => slots.take("a")?.granted.then(() => came.push(place)));
  slots.give("a");
  await waits[0];
  assert.deepEqual(came, [1]);
  slots.give("a");
  slots.give("a");
  await Promise.all(waits);
  assert.deepEqual(came, [1, 2, 3]);
});

test("never more slots are taken than there are", async () => {
  const slots = new Slots(3);
  let taken = 0;
  let most = 0;
  const takers = ["a", "b", "c", "d"];
  await Promise.all(
    Array.from({ length: 50 }, async (_, index) => {
      const taker = takers[index % takers.length] ?? "a";
      await slots.take(taker)?.granted;
      most = Math.max(most, ++taken);
      await Promise.resolve();
      taken--;
      slots.give(taker);
    }),
  );
  assert.equal(most, 3);
});

test("a taker who comes when another has all slots gets every slot that comes free, until both have the same", async () => {
  const slots = new Slots(10);
  const has = { early: 0, late: 0 };
  const want = async (taker: "early" | "late") => {
    await slots.take(taker)?.granted;
    has[taker]++;
  };
  const wants = Array.from({ length: 30 }, () => want("early"));
  for (let index = 0; index < 30; index++) wants.push(want("late"));
  await flush();
  assert.deepEqual(has, { early: 10, late: 0 });
  for (let given = 0; given < 5; given++) {
    has.early--;
    slots.give("early");
  }
  await flush();
  assert.deepEqual(has, { early: 5, late: 5 });
  for (let round = 0; round < 10; round++) {
    const taker = round % 2 === 0 ? "late" : "early";
    has[taker]--;
    slots.give(taker);
    await flush();
    assert.deepEqual(has, { early: 5, late: 5 });
  }
  assert.equal(wants.length, 60);
});

test("one taker alone gets all slots, also after others came and went", async () => {
  const slots = new Slots(2);
  assert.equal(slots.take("gone"), undefined);
  assert.equal(slots.take("gone"), undefined);
  const waits = [slots.take("stays"), slots.take("stays")];
  slots.give("gone");
  slots.give("gone");
  await Promise.all(waits);
  slots.give("stays");
  slots.give("stays");
  assert.equal(slots.take("stays"), undefined);
  assert.equal(slots.take("stays"), undefined);
  assert.notEqual(slots.take("stays"), undefined);
});

test("with fewer slots than are taken nothing starts until enough are given back, and more start at once when there are more", async () => {
  const slots = new Slots(4);
  for (let taken = 0; taken < 4; taken++) assert.equal(slots.take("a"), undefined);
  let started = 0;
  for (let wait = 0; wait < 5; wait++) void slots.take("a")?.granted.then(() => started++);
  slots.resize(2);
  slots.give("a");
  slots.give("a");
  await flush();
  assert.equal(started, 0);
  slots.give("a");
  await flush();
  assert.equal(started, 1);
  slots.resize(5);
  await flush();
  assert.equal(started, 4);
  assert.equal(slots.taken, 5);
});

async function flush(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await Promise.resolve();
}

test("those of a taker that leaves are sent away without a slot, and no other one moves for it", async () => {
  const slots = new Slots(1);
  assert.equal(slots.take("stays"), undefined);
  const leaving = [slots.take("leaves")?.granted, slots.take("leaves")?.granted];
  const waits = slots.take("waits");
  slots.dismiss("leaves");
  assert.deepEqual(await Promise.all(leaving), [false, false]);
  slots.give("stays");
  assert.equal(await waits?.granted, true);
  slots.give("waits");
  assert.equal(slots.take("leaves"), undefined, "it may come again");
});

test("a taker that comes again has an even share, in which its last calls count", async () => {
  const slots = new Slots(4);
  const has = { early: 0, again: 0 };
  const want = async (taker: "early" | "again") => {
    if ((await slots.take(taker)?.granted) !== false) has[taker]++;
  };
  for (const taker of ["early", "early", "early", "again"] as const) void want(taker);
  await flush();
  slots.dismiss("again");
  for (let index = 0; index < 4; index++) void want("again");
  for (let index = 0; index < 4; index++) void want("early");
  for (let given = 0; given < 2; given++) {
    has.early--;
    slots.give("early");
  }
  await flush();
  assert.deepEqual(has, { early: 2, again: 2 });
});

test("who leaves the line gets no slot, and those behind come in their order", async () => {
  const slots = new Slots(1);
  assert.equal(slots.take("a"), undefined);
  const [first, second, third] = [slots.take("a"), slots.take("a"), slots.take("a")];
  second?.leave();
  assert.equal(await second?.granted, false);
  assert.equal(slots.standing("a").ownWaiting, 2);
  first?.leave();
  slots.give("a");
  assert.equal(await third?.granted, true);
  third?.leave();
  assert.deepEqual(slots.standing("a"), { limit: 1, running: 1, waiting: 0, ownRunning: 1, ownWaiting: 0 });
});

test("who has left is forgotten at once, however long the others wait", () => {
  const slots = new Slots(1);
  slots.take("a");
  for (let came = 0; came < 1_000; came++) slots.take("a")?.leave();
  assert.equal(slots.standing("a").ownWaiting, 0);
  slots.dismiss("a");
  slots.give("a");
  assert.equal(slots.take("b"), undefined);
});

test("a slot that its taker does not have is not given back, whoever has others", () => {
  const slots = new Slots(2);
  slots.take("a");
  assert.throws(() => slots.give("b"), { code: "ERR_MILLRACE_INVARIANT" });
});
