import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { dueTimes, plannedRate, profileDurationMs, profileRecords } from "../../../src/load/rate-profile.ts";

test("a steady rate spaces records evenly from the start on", () => {
  assert.deepEqual([...dueTimes([{ seconds: 1, perSecond: 4 }])], [0, 250, 500, 750]);
});

test("a ramp sends as many records as the area under it, ever closer together", () => {
  const times = [...dueTimes([{ seconds: 10, perSecond: 0, toPerSecond: 100 }])];
  assert.equal(times.length, 500);
  const perSecond = Array.from({ length: 10 }, (_, second) => {
    return times.filter((ms) => Math.floor(ms / 1000) === second).length;
  });
  assert.deepEqual(
    perSecond,
    [5, 15, 25, 35, 45, 55, 65, 75, 85, 95].map((count, at) => perSecondOf(count, at, times)),
  );
  assert.ok(perSecond.every((count, at) => at === 0 || count > (perSecond[at - 1] ?? 0)));
});

/** The record at an edge may fall to either side of it. */
function perSecondOf(wanted: number, second: number, times: readonly number[]): number {
  const found = times.filter((ms) => Math.floor(ms / 1000) === second).length;
  return Math.abs(found - wanted) <= 1 ? found : wanted;
}

test("a ramp may go down to nothing", () => {
  const times = [...dueTimes([{ seconds: 4, perSecond: 10, toPerSecond: 0 }])];
  assert.equal(times.length, 20);
  assert.ok(times.every((ms) => ms >= 0 && ms <= 4000));
});

test("a burst makes many records due at the same moment, at once and then every so often", () => {
  const times = [...dueTimes([{ seconds: 5, perSecond: 1, burst: { records: 3, everySeconds: 2 } }])];
  assert.deepEqual(times, [0, 0, 0, 0, 1000, 2000, 2000, 2000, 2000, 3000, 4000, 4000, 4000, 4000]);
});

test("phases follow each other, and one without records is a pause", () => {
  const phases = [
    { seconds: 1, perSecond: 2 },
    { seconds: 3, perSecond: 0 },
    { seconds: 1, perSecond: 1 },
  ];
  assert.deepEqual([...dueTimes(phases)], [0, 500, 4000]);
  assert.equal(profileDurationMs(phases), 5000);
  assert.deepEqual(
    [0, 1500, 4500, 6000].map((ms) => plannedRate(phases, ms)),
    [2, 0, 1, 0],
  );
});

test("moments never go back, stay inside the profile, and are as many as the profile says", () => {
  const rate = fc.integer({ min: 0, max: 200 });
  const burst = fc.record({
    records: fc.integer({ min: 1, max: 20 }),
    everySeconds: fc.integer({ min: 1, max: 4 }),
  });
  const phase = fc
    .record({
      seconds: fc.integer({ min: 1, max: 5 }),
      perSecond: rate,
      toPerSecond: rate,
      burst: fc.option(burst, { nil: undefined }),
    })
    .map((made) => made);
  fc.assert(
    fc.property(fc.array(phase, { minLength: 1, maxLength: 4 }), (phases) => {
      const times = [...dueTimes(phases)];
      assert.equal(times.length, profileRecords(phases));
      const end = profileDurationMs(phases);
      for (const [index, ms] of times.entries()) {
        assert.ok(ms >= (times[index - 1] ?? 0) && ms <= end, `${ms} at ${index}`);
      }
    }),
  );
});
