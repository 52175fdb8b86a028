import assert from "node:assert/strict";
import { test } from "node:test";
import { every, scheduleAfter, sleep, sleepUnless } from "../../../src/lib/sleep.ts";
import { ManualClock } from "../engine/stream/small-world.ts";

for (const earlyMs of [0, 0.4, 1.7, 2]) {
  test(`a sleep lasts until its moment, with timers ${earlyMs} ms early`, async () => {
    const clock = new ManualClock();
    clock.earlyMs = earlyMs;
    let wokenMs: number | undefined;
    void sleep(clock, 500, new AbortController().signal).then(() => {
      wokenMs = clock.monotonic();
    });
    await clock.advance(1_000);
    assert.ok(wokenMs !== undefined && wokenMs >= 500 && wokenMs < 503, `woken at ${wokenMs}`);
  });

  test(`nobody who waits for something gives it up sooner than said, with timers ${earlyMs} ms early`, async () => {
    const clock = new ManualClock();
    clock.earlyMs = earlyMs;
    let givenUpMs: number | undefined;
    void sleepUnless(new Promise(() => undefined), clock, 500).then(() => {
      givenUpMs = clock.monotonic();
    });
    await clock.advance(1_000);
    assert.ok(givenUpMs !== undefined && givenUpMs >= 500 && givenUpMs < 503, `given up at ${givenUpMs}`);
    assert.equal(clock.pendingCalls, 0);
  });

  test(`what is done at an interval is never done sooner, with timers ${earlyMs} ms early`, async () => {
    const clock = new ManualClock();
    clock.earlyMs = earlyMs;
    const times: number[] = [];
    const pulse = every(clock, 100, () => times.push(clock.monotonic()));
    await clock.advance(1_000);
    pulse.cancel();
    assert.ok(times.length >= 9, `${times.length} times`);
    for (const [index, ms] of times.entries()) assert.ok(ms - (times[index - 1] ?? 0) >= 100);
    assert.equal(clock.pendingCalls, 0);
  });
}

test("a sleep that was set again ends with its signal and leaves no timer", async () => {
  const clock = new ManualClock();
  clock.earlyMs = 2;
  const stop = new AbortController();
  const slept = sleep(clock, 10, stop.signal);
  await clock.advance(8.5);
  stop.abort();
  assert.equal(await slept, false);
  assert.equal(clock.pendingCalls, 0);
});

test("a call that was set again can be taken back", async () => {
  const clock = new ManualClock();
  clock.earlyMs = 2;
  const call = scheduleAfter(clock, 10, () => assert.fail("it was taken back"));
  await clock.advance(8.5);
  call.cancel();
  await clock.advance(100);
  assert.equal(clock.pendingCalls, 0);
});
