import assert from "node:assert/strict";
import { test } from "node:test";
import type { InvocationOutcome } from "../../../../src/model/outcome.ts";
import { type Call, SmallWorld, SUCCEEDED } from "./small-world.ts";

const TOO_LARGE: InvocationOutcome = { kind: "payloadTooLarge" };
const FAILS = "PROBLEM: Function call failed";

function result(world: SmallWorld): string | undefined {
  return world.engine.status()[0]?.lastProcessingResult;
}

function told(world: SmallWorld) {
  return world.logs.filter(({ level }) => level === "warn" || level === "error");
}

/** A proxy before the function that takes events of so many records. */
const upTo =
  (recordsMax: number) =>
  ({ positions }: Call) =>
    positions.length > recordsMax ? TOO_LARGE : SUCCEEDED;

test("a batch that is too large for what stands before the function is split, whatever bisect says, in order", async () => {
  const world = new SmallWorld({ batchSize: 5, retryAttemptsMax: 0, onFailureDestination: "file:x" });
  world.appendMany("s1", 5);
  world.handler = upTo(2);
  world.start();
  await world.clock.advance(1_000);
  assert.deepEqual(world.positions(), [[1, 2, 3, 4, 5], [1, 2], [3, 4, 5], [3], [4, 5]]);
  assert.deepEqual(world.delivered, []);
  assert.deepEqual((await world.checkpointOf("s1"))?.resume, { kind: "after", position: "5" });
  assert.equal(world.count("too_large_events"), 8);
  assert.equal(world.count("batch_splits"), 2);
});

test("a record whose size is refused for ever follows the retries into the destination, and is told at once", async () => {
  const world = new SmallWorld({ batchSize: 3, retryAttemptsMax: 2, onFailureDestination: "file:x" });
  world.appendMany("s1", 3);
  world.handler = ({ positions }) => (positions.includes(2) ? TOO_LARGE : SUCCEEDED);
  world.start();
  await world.clock.advance(50);
  assert.equal(result(world), FAILS);
  await world.clock.advance(10_000);
  assert.deepEqual(
    world.delivered.map(({ condition, batch, approximateInvokeCount, response }) => [
      condition,
      batch.records?.startPosition,
      batch.records?.count,
      approximateInvokeCount,
      response,
    ]),
    [["RetryAttemptsExhausted", "2", 1, 3, undefined]],
  );
  assert.equal(told(world)[0]?.fields["reason"], "payloadTooLarge");
});

test("a record that no event can hold is told at once where it blocks its shard for ever", async () => {
  const world = new SmallWorld({ batchSize: 10 }, { payloadBytesMax: 1_000 });
  world.append("s1", { encodedBytes: 10 * 1024 * 1024 }, {});
  world.start();
  await world.clock.advance(50);
  assert.deepEqual(world.calls, []);
  assert.equal(result(world), FAILS);
  const [line] = told(world);
  assert.equal(line?.fields["reason"], "payloadTooLarge");
  assert.equal(line?.fields["from"], "1");
  assert.ok(world.count("too_large_events") > 0);
  await world.clock.advance(60_000);
  const lines = told(world).length;
  assert.ok(
    lines >= 2 && lines <= 7,
    `${lines} lines in a minute: neither once and for all nor for each attempt`,
  );
});

test("a window's last invocation whose state is refused for its size follows the retries", async () => {
  const mapping = { tumblingWindowMs: 1_000, retryAttemptsMax: 1, onFailureDestination: "file:x" };
  const world = new SmallWorld(mapping);
  world.append("s1", { arrivalMs: 0 }, { arrivalMs: 1_000 });
  world.handler = ({ window }) =>
    window?.isFinalInvokeForWindow ? TOO_LARGE : { kind: "succeeded", payload: Buffer.from(`{"state":1}`) };
  world.start();
  await world.clock.advance(1_000);
  assert.deepEqual(world.positions(), [[1], [], [], [2]]);
  assert.equal(world.delivered[0]?.window?.isFinalInvokeForWindow, true);
});

for (const [name, outcome] of [
  ["refuses for lack of capacity", { kind: "throttled", retryAfterMs: undefined }],
  ["cannot be reached", { kind: "unavailable", message: "certificate has expired" }],
  ["takes no event of this size", TOO_LARGE],
] as const) {
  test(`a function that ${name} is told: result, and one line now and then`, async () => {
    const world = new SmallWorld({ batchSize: 1 });
    world.appendMany("s1", 1);
    world.handler = () => outcome;
    world.start();
    await world.clock.advance(50);
    assert.equal(result(world), FAILS);
    assert.equal(told(world).length, 1);
    assert.equal(told(world)[0]?.fields["reason"], outcome.kind);
    if (outcome.kind === "unavailable") assert.equal(told(world)[0]?.fields["error"], outcome.message);
    await world.clock.advance(9_000);
    assert.ok(world.calls.length > 3);
    assert.equal(told(world).length, 1);
    world.handler = () => SUCCEEDED;
    await world.clock.advance(60_000);
    assert.equal(result(world), "OK");
  });
}

test("a failure that another one hides between its lines is told on its own", async () => {
  const world = new SmallWorld({ batchSize: 1, parallelizationFactor: 2, recordAgeMsMax: 60_000 });
  world.append("s1", { key: "a" }, { key: "b" });
  world.handler = ({ positions }) =>
    positions.includes(1) ? { kind: "throttled", retryAfterMs: undefined } : { kind: "timedOut" };
  world.start();
  await world.clock.advance(5_000);
  assert.deepEqual(
    new Set(told(world).map(({ fields }) => fields["reason"])),
    new Set(["throttled", "timedOut"]),
  );
});

test("who asks for more patience than our own back-off would have is asked again only then", async () => {
  const world = new SmallWorld({ batchSize: 1 }, { backoffCapMs: 60_000 });
  world.appendMany("s1", 1);
  world.handler = () => (world.calls.length === 1 ? { kind: "throttled", retryAfterMs: 100_000 } : SUCCEEDED);
  world.start();
  await world.clock.advance(99_000);
  assert.equal(world.calls.length, 1);
  await world.clock.advance(2_000);
  assert.deepEqual(
    world.calls.map(({ atMs }) => atMs),
    [0, 100_000],
  );
});

test("a split for size wins no retries back that the batch had spent before", async () => {
  const world = new SmallWorld({ batchSize: 2, retryAttemptsMax: 2, onFailureDestination: "file:x" });
  world.appendMany("s1", 2);
  world.handler = () => (world.calls.length === 3 ? TOO_LARGE : { kind: "timedOut" });
  world.start();
  await world.clock.advance(10_000);
  assert.deepEqual(world.positions(), [[1, 2], [1, 2], [1, 2], [1], [2]]);
  assert.deepEqual(
    world.delivered.map(({ approximateInvokeCount }) => approximateInvokeCount),
    [3, 3],
  );
});
