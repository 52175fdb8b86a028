import assert from "node:assert/strict";
import { test } from "node:test";
import { AdaptiveLimit } from "../../../src/invocation/adaptive-limit.ts";

/** So many calls, all slots in use, each of this duration. */
function calls(limit: AdaptiveLimit, count: number, durationMs: number, atMs = 0): void {
  for (let call = 0; call < count; call++) limit.ended("succeeded", durationMs, limit.limit, atMs);
}

test("begins with the function's own bound and never passes it", () => {
  const limit = new AdaptiveLimit(50);
  assert.equal(limit.limit, 50);
  calls(limit, 1000, 10);
  assert.equal(limit.limit, 50);
});

test("a refusal halves the limit, and a burst of refusals is one", () => {
  const limit = new AdaptiveLimit(64);
  for (let call = 0; call < 40; call++) limit.ended("throttled", 1, 64, 5000 + call);
  assert.equal(limit.limit, 32);
  limit.ended("unavailable", 1, 32, 6500);
  assert.equal(limit.limit, 16);
});

test("never goes below one, and grows again only by rounds in which all were used", () => {
  const limit = new AdaptiveLimit(16);
  for (let burst = 0; burst < 10; burst++) limit.ended("throttled", 1, 16, burst * 2000);
  assert.equal(limit.limit, 1);
  calls(limit, 1, 10);
  assert.equal(limit.limit, 2);
  for (let call = 0; call < 100; call++) limit.ended("succeeded", 10, 1, 0);
  assert.equal(limit.limit, 2, "one in flight of two says nothing of what the function stands");
  calls(limit, 200, 10);
  assert.equal(limit.limit, 16);
});

test("calls that take more than twice their usual time lower the limit, until that is the usual time", () => {
  const limit = new AdaptiveLimit(40);
  calls(limit, 500, 10);
  calls(limit, 120, 100);
  const slowed = limit.limit;
  assert.ok(slowed < 40 && slowed >= 1, `${slowed}`);
  calls(limit, 5000, 100);
  assert.equal(limit.limit, 40);
});

test("a function's own errors say nothing of its capacity", () => {
  const limit = new AdaptiveLimit(8);
  for (let call = 0; call < 100; call++) limit.ended("functionError", 10, 8, call);
  assert.equal(limit.limit, 8);
});
