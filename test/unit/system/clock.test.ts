import assert from "node:assert/strict";
import { test } from "node:test";
import { createSystemClock } from "../../../src/system/clock.ts";
import { createSystemRandom } from "../../../src/system/random.ts";

test("calls after the delay, once, and not after a cancel", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const clock = createSystemClock();
  let calls = 0;
  const cancelled = clock.schedule(10, () => calls++);
  clock.schedule(10, () => calls++);
  cancelled.cancel();
  cancelled.cancel();
  t.mock.timers.tick(9);
  assert.equal(calls, 0);
  t.mock.timers.tick(100);
  assert.equal(calls, 1);
});

test("waits longer than setTimeout can, and can be cancelled in every part of the wait", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const clock = createSystemClock();
  const part = 2 ** 31 - 1;
  const fired: string[] = [];
  clock.schedule(part + 1000, () => fired.push("kept"));
  const cancelled = clock.schedule(part + 1000, () => fired.push("cancelled"));
  t.mock.timers.tick(part);
  assert.deepEqual(fired, []);
  cancelled.cancel();
  t.mock.timers.tick(1000);
  assert.deepEqual(fired, ["kept"]);
});

test("calls at once when the delay has passed already, and Node has nothing to warn of", async () => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => warnings.push(warning);
  process.on("warning", onWarning);
  await new Promise<void>((resolve) => createSystemClock().schedule(-0.5, resolve));
  await new Promise(setImmediate);
  process.off("warning", onWarning);
  assert.deepEqual(warnings, []);
});

test("draws version 4 UUIDs and numbers from 0 to below 1", () => {
  const random = createSystemRandom();
  assert.match(random.uuid(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.notEqual(random.uuid(), random.uuid());
  const number = random.next();
  assert(number >= 0 && number < 1);
});
