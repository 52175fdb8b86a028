import assert from "node:assert/strict";
import { test } from "node:test";
import { LatencyHistogram } from "../../../src/load/latency-histogram.ts";
import { SeededRandom } from "../../../src/load/seeded-random.ts";

const RELATIVE_ERROR = 1 / 64;

function histogramOf(values: readonly number[]): LatencyHistogram {
  const histogram = new LatencyHistogram();
  for (const value of values) histogram.record(value);
  return histogram;
}

test("percentiles are exact to a 64th, and never too low, from microseconds to hours", () => {
  const random = new SeededRandom(1);
  const values = Array.from({ length: 20_000 }, () => Math.exp(random.next() * 24 - 7));
  const sorted = values.toSorted((a, b) => a - b);
  const histogram = histogramOf(values);
  for (const quantile of [0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 1]) {
    const exact = sorted[Math.ceil(quantile * sorted.length) - 1] ?? Number.NaN;
    const found = histogram.percentile(quantile);
    // Values are taken in whole microseconds.
    assert.ok(found >= exact - 0.001, `p${quantile * 100}: ${found} is below ${exact}`);
    assert.ok(
      found <= exact * (1 + RELATIVE_ERROR) + 0.001,
      `p${quantile * 100}: ${found} is far above ${exact}`,
    );
  }
});

test("every bucket's values come back within a 64th, at powers of two and next to them", () => {
  for (let exponent = 0; exponent < 36; exponent++) {
    for (const micros of [2 ** exponent - 1, 2 ** exponent, 2 ** exponent + 1]) {
      const histogram = histogramOf([micros / 1000, 1e9]);
      const found = histogram.percentile(0.5) * 1000;
      assert.ok(
        found >= micros - 1e-6 && found <= micros * (1 + RELATIVE_ERROR) + 1e-6,
        `${micros} gave ${found}`,
      );
    }
  }
});

test("says 0 of nothing, and a clock that went back is a latency of 0", () => {
  assert.equal(histogramOf([]).percentile(0.99), 0);
  assert.equal(histogramOf([-5]).percentile(0.99), 0);
});

test("the largest value is kept exactly, and no percentile is above it", () => {
  const histogram = histogramOf([1, 2, 1000.123]);
  assert.equal(histogram.maxMs, 1000.123);
  assert.equal(histogram.percentile(1), 1000.123);
});

test("the curve goes up to the slowest, ever finer, and begins anew after a clear", () => {
  const histogram = histogramOf(Array.from({ length: 1000 }, (_, index) => index));
  const curve = histogram.curve();
  assert.deepEqual(curve.at(-1), { quantile: 1, ms: 999 });
  assert.ok(
    curve.every(({ ms, quantile }, at) => {
      const before = curve[at - 1];
      return before === undefined || (ms >= before.ms && quantile > before.quantile);
    }),
  );
  histogram.clear();
  assert.equal(histogram.count, 0);
  assert.equal(histogram.percentile(0.5), 0);
});
