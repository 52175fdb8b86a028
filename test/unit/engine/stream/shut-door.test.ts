import assert from "node:assert/strict";
import { test } from "node:test";
import { reasonsOf } from "../../../../src/engine/engine.ts";
import { InvokerBook } from "../../../../src/invocation/invoker-book.ts";
import type { StreamMapping } from "../../../../src/model/mapping.ts";
import { SILENT_TELEMETRY, SmallWorld } from "./small-world.ts";

function createWorld(mapping: Partial<StreamMapping> = {}) {
  const world = new SmallWorld({ onFailureDestination: "file:failed", ...mapping });
  const invokers = new InvokerBook(world.clock, SILENT_TELEMETRY);
  const engine = world.newProcess("process-2", {}, invokers);
  world.concurrency = 0;
  world.start(engine);
  const reasons = () => {
    const explanation = engine.explain(world.mapping.uuid);
    const parts = explanation === undefined ? [] : reasonsOf(explanation, world.clock.now());
    return parts.flatMap(({ reasons: why }) => why.map(({ code }) => code));
  };
  const reserve = (concurrency: number) => void invokers.replace({ ...world.deployment().fn, concurrency });
  const state = () => engine.status()[0];
  return { world, invokers, reasons, reserve, state };
}

test("a batch of a function whose concurrency is 0 waits in place, at no cost, and says why", async () => {
  const { world, reasons, reserve, state } = createWorld({ retryAttemptsMax: 0 });
  world.appendMany("s1", 3);
  await world.clock.advance(300_000);
  assert.deepEqual([world.positions(), world.delivered], [[], []]);
  assert.ok(reasons().includes("zeroConcurrency"), reasons().join());
  assert.equal(state()?.lastProcessingResult, "PROBLEM: Function call failed");
  reserve(1);
  await world.clock.advance(4_000);
  assert.deepEqual(world.positions().flat(), [1, 2, 3]);
  assert.equal(state()?.lastProcessingResult, "OK");
});

test("records that reach their age while the function is shut go to the destination, and no function saw them", async () => {
  const { world } = createWorld({ recordAgeMsMax: 60_000 });
  world.appendMany("s1", 2);
  await world.clock.advance(70_000);
  assert.deepEqual(world.positions(), []);
  assert.deepEqual(
    world.delivered.map(({ condition }) => condition),
    ["RecordAgeExceeded"],
  );
});

test("a mapping of a version that its function does not have waits in place, and goes on when it has it", async () => {
  const arn = "arn:aws:lambda:eu-west-1:123456789012:function:fn:2";
  const { world, invokers, reasons } = createWorld({ functionArn: arn });
  const { fn } = world.deployment();
  const plain = { ...fn, concurrency: 1, versions: new Map([["1", fn.target]]) };
  void invokers.replace(plain);
  world.appendMany("s1", 1);
  await world.clock.advance(30_000);
  assert.deepEqual(world.positions(), []);
  assert.ok(reasons().includes("noSuchFunction"), reasons().join());
  void invokers.replace({ ...plain, versions: new Map([["2", fn.target]]) });
  await world.clock.advance(4_000);
  assert.deepEqual(world.positions(), [[1]]);
});
