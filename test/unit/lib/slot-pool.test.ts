import assert from "node:assert/strict";
import { test } from "node:test";
import { SlotPool } from "../../../src/lib/slot-pool.ts";
import { Slots } from "../../../src/lib/slots.ts";

function createMembers(places: number, ...limits: readonly number[]) {
  const pool = new SlotPool(places);
  const members = limits.map((limit) => {
    const slots = new Slots(limit);
    slots.join(pool);
    return slots;
  });
  const [a, b] = members;
  assert.ok(a !== undefined && b !== undefined);
  return { pool, a, b };
}

/** Takes so many, of which some wait; resolves to who was granted by now. */
function takeMany(slots: Slots, taker: string, count: number) {
  const granted = { now: 0 };
  for (let each = 0; each < count; each++) {
    const turn = slots.take(taker);
    if (turn === undefined) granted.now++;
    else void turn.granted.then((isGranted) => isGranted && granted.now++);
  }
  return granted;
}

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

test("members together never have more than the pool, nor any of them more than its own limit", async () => {
  const { pool, a, b } = createMembers(4, 3, 10);
  const [ofA, ofB] = [takeMany(a, "t", 5), takeMany(b, "t", 5)];
  assert.deepEqual([ofA.now, ofB.now, pool.taken, pool.waiting], [3, 1, 4, 6]);
  a.give("t");
  await settle();
  assert.deepEqual([ofA.now, ofB.now, pool.taken], [3, 2, 4], "it goes to the member that has fewer");
});

test("a place that comes free goes past a member that may have no more", async () => {
  const { pool, a, b } = createMembers(2, 1, 10);
  const ofA = takeMany(a, "t", 2);
  const ofB = takeMany(b, "t", 2);
  assert.deepEqual([ofA.now, ofB.now], [1, 1]);
  b.give("t");
  await settle();
  assert.deepEqual([ofA.now, ofB.now, pool.taken], [1, 2, 2]);
  a.give("t");
  await settle();
  assert.deepEqual([ofA.now, pool.taken], [2, 2]);
});

test("a larger pool grants at once, and a smaller one nothing until enough is given back", async () => {
  const { pool, a, b } = createMembers(1, 10, 10);
  const [ofA, ofB] = [takeMany(a, "t", 3), takeMany(b, "t", 3)];
  pool.resize(4);
  await settle();
  assert.deepEqual([ofA.now, ofB.now], [2, 2]);
  pool.resize(3);
  a.give("t");
  b.give("t");
  await settle();
  assert.equal(pool.taken, 3);
});

test("who leaves the pool takes its places out of it, and is bound by its own limit alone", async () => {
  const { pool, a, b } = createMembers(2, 5, 5);
  const [ofA, ofB] = [takeMany(a, "t", 3), takeMany(b, "t", 3)];
  assert.deepEqual([ofA.now, ofB.now], [2, 0]);
  a.join(undefined);
  await settle();
  assert.deepEqual([ofA.now, ofB.now, pool.taken], [3, 2, 2]);
  a.join(pool);
  assert.equal(pool.taken, 5, "it comes with what it has");
  for (let each = 0; each < 3; each++) a.give("t");
  await settle();
  assert.deepEqual([ofB.now, pool.taken], [2, 2]);
  for (let each = 0; each < 2; each++) b.give("t");
  await settle();
  assert.deepEqual([ofB.now, pool.taken], [3, 1]);
});

test("who was sent away waits for no place of the pool", async () => {
  const { pool, a, b } = createMembers(1, 5, 5);
  takeMany(a, "t", 1);
  const ofB = takeMany(b, "t", 1);
  b.dismiss("t");
  assert.equal(pool.waiting, 0);
  a.give("t");
  await settle();
  assert.deepEqual([ofB.now, pool.taken], [0, 0]);
});
