import assert from "node:assert/strict";
import { test } from "node:test";
import { errorPauseMs, throttlePauseMs } from "../../../../src/engine/async/retry-times.ts";

const fixed = (value: number) => ({ next: () => value, uuid: () => "" });

test("function errors wait for a minute more each", () => {
  assert.deepEqual([1, 2].map(errorPauseMs), [60_000, 120_000]);
});

test("throttles wait from a second on, doubled up to five minutes", () => {
  const pauses = [1, 2, 3, 9, 10, 1_000].map((throttles) =>
    throttlePauseMs(throttles, undefined, fixed(0.5)),
  );
  assert.deepEqual(pauses, [1_000, 2_000, 4_000, 256_000, 300_000, 300_000]);
});

test("pauses of throttles are spread by a fifth, and are no shorter than the target asks for", () => {
  assert.equal(throttlePauseMs(1, undefined, fixed(0)), 800);
  assert.equal(throttlePauseMs(1, undefined, fixed(1)), 1_200);
  assert.equal(throttlePauseMs(1, 7_000, fixed(0)), 7_000);
});
