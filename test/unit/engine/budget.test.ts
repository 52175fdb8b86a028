import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteBudget } from "../../../src/engine/budget.ts";

test("what is taken for a mapping is taken for its process, and given back to both", () => {
  const whole = new ByteBudget(100);
  const own = new ByteBudget(80, whole);
  own.take(50);
  assert.deepEqual([own.used, whole.used, own.room], [50, 50, 30]);
  own.release(50);
  assert.deepEqual([own.used, whole.used, own.room], [0, 0, 80]);
});

test("more bytes than were taken are not given back", () => {
  const budget = new ByteBudget(100);
  budget.take(10);
  assert.throws(() => budget.release(11), { code: "ERR_MILLRACE_INVARIANT" });
});

/** Names in the order in which their readers are woken; each is woken with a quantum that is kept for it. */
function waiting(woken: string[], waits: readonly (readonly [name: string, budget: ByteBudget])[]) {
  for (const [name, budget] of waits) budget.onRoom(() => woken.push(name));
}

test("who waits for room is woken in turn, as many as there are quanta of room", () => {
  const budget = new ByteBudget(100);
  budget.take(100);
  const woken: string[] = [];
  waiting(woken, [
    ["a", budget],
    ["b", budget],
    ["c", budget],
  ]);
  budget.release(24);
  assert.deepEqual(woken, [], "room for less than a quantum wakes nobody");
  budget.release(1);
  assert.deepEqual(woken, ["a"]);
  budget.release(24);
  assert.deepEqual(woken, ["a"], "the first one's quantum is kept for it");
  budget.take(25);
  budget.giveBackQuantum();
  budget.release(26);
  assert.deepEqual(woken, ["a", "b", "c"]);
});

test("readers of mappings that share a process are woken one of each mapping, and none whose own mapping is full", () => {
  const whole = new ByteBudget(400);
  const [full, one, other] = [
    new ByteBudget(200, whole),
    new ByteBudget(400, whole),
    new ByteBudget(400, whole),
  ];
  full.take(200);
  one.take(100);
  other.take(100);
  const woken: string[] = [];
  waiting(woken, [
    ["full", full],
    ["one 1", one],
    ["one 2", one],
    ["other", other],
  ]);
  one.release(100);
  other.release(100);
  assert.deepEqual(woken, ["one 1", "other"]);
  full.release(100);
  assert.deepEqual(woken, ["one 1", "other", "full"]);
});

test("who takes its waiting back is not woken, and room that is not used goes to the next", () => {
  const budget = new ByteBudget(100);
  budget.take(100);
  const woken: string[] = [];
  const takeBack = budget.onRoom(() => woken.push("gone"));
  waiting(woken, [
    ["a", budget],
    ["b", budget],
  ]);
  takeBack();
  budget.release(25);
  assert.deepEqual(woken, ["a"]);
  budget.giveBackQuantum();
  assert.deepEqual(woken, ["a", "b"]);
  budget.giveBackQuantum();
  assert.throws(() => budget.giveBackQuantum(), { code: "ERR_MILLRACE_INVARIANT" });
});
