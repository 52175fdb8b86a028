import assert from "node:assert/strict";
import { test } from "node:test";
import { growsBeyond, trendOf } from "../../../src/load/memory-trend.ts";
import { memoryTrends } from "../../../src/load/memory-watch.ts";
import { SeededRandom } from "../../../src/load/seeded-random.ts";

const MINUTE_MS = 60_000;
const MIB = 1024 * 1024;

function noisy(perHour: number, noise: number, minutes: number) {
  const random = new SeededRandom(5);
  return Array.from({ length: minutes * 6 }, (_, index) => {
    const atMs = index * 10_000;
    return { atMs, value: 100 + (perHour * atMs) / 3_600_000 + random.normal() * noise };
  });
}

test("finds the slope of a straight line exactly", () => {
  const trend = trendOf([0, 1, 2, 3].map((minute) => ({ atMs: minute * MINUTE_MS, value: 10 + minute })));
  assert.ok(trend !== undefined);
  assert.ok(Math.abs(trend.perHour - 60) < 1e-9);
  assert.ok(trend.noisePerHour < 1e-6);
});

test("a leak of 10 MiB an hour stands out of the noise of an hour, and noise alone does not", () => {
  const leaking = trendOf(noisy(10, 1, 60));
  const level = trendOf(noisy(0, 1, 60));
  assert.ok(leaking !== undefined && level !== undefined);
  assert.equal(growsBeyond(leaking, 1), true);
  assert.equal(growsBeyond(level, 1), false);
  assert.ok(Math.abs(leaking.perHour - 10) < leaking.noisePerHour * 2);
});

test("ten minutes of the same are too noisy to tell 1 MiB an hour, and say so", () => {
  const trend = trendOf(noisy(1, 1, 10));
  assert.ok(trend !== undefined);
  assert.ok(trend.noisePerHour > 1);
  assert.equal(growsBeyond(trend, 1), false);
});

test("two values have no noise that could be told: there is no trend", () => {
  assert.equal(trendOf([]), undefined);
  assert.equal(trendOf(noisy(0, 1, 60).slice(0, 2)), undefined);
});

test("only collected samples of the last process count, without its warm-up", () => {
  const sample = (minute: number, heapMib: number, engine: number, isCollected = true) => ({
    atMs: minute * MINUTE_MS,
    rssBytes: 200 * MIB,
    heapBytes: heapMib * MIB,
    externalBytes: 0,
    isCollected,
    cpuPercent: undefined,
    engine,
  });
  const samples = [
    ...[0, 1, 2].map((minute) => sample(minute, 50 + minute * 40, 1)),
    // The second process warms up for two minutes, then holds what it has.
    ...[3, 4].map((minute) => sample(minute, 30 + minute * 10, 2)),
    ...[5, 6, 7, 8].flatMap((minute) => [sample(minute, 90, 2), sample(minute + 0.5, 300, 2, false)]),
  ];
  const { heap, rss } = memoryTrends(samples, 2 * MINUTE_MS, 8 * MINUTE_MS);
  assert.deepEqual([heap?.samples, heap?.perHour, rss?.perHour], [4, 0, 0]);
});
