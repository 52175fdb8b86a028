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
