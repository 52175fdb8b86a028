import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { answered, type Call, SmallWorld, SUCCEEDED } from "./small-world.ts";

/** The function's answer that lists these records of the batch, if they are in it. */
const listing =
  (...listed: readonly number[]) =>
  ({ positions }: Call) =>
    answered({
      batchItemFailures: positions
        .filter((position) => listed.includes(position))
        .map((offset) => ({ itemIdentifier: { partition: "s1", offset } })),
    });

function topicWorld(...settings: ConstructorParameters<typeof SmallWorld>): SmallWorld {
  const world = new SmallWorld(...settings);
  world.isTopic = true;
  return world;
}

test("only listed records come again, with the later ones of their keys, before anything else of the lane", async () => {
  const world = topicWorld({ batchSize: 5, reportBatchItemFailures: true });
  for (const key of ["a", "b", "a", "c", "b", "a"]) world.append("s1", { key });
  world.handler = (call) => (world.calls.length === 1 ? listing(1)(call) : SUCCEEDED);
  world.start();
  await world.clock.advance(1_000);
  assert.deepEqual(world.positions(), [[1, 2, 3, 4, 5], [1, 3], [6]]);
  assert.deepEqual((await world.checkpointOf("s1"))?.resume, { kind: "after", position: "6" });
});

test("a record that is listed until its retries end goes to the destination alone, under a budget of its own", async () => {
  const world = topicWorld({
    batchSize: 3,
    reportBatchItemFailures: true,
    retryAttemptsMax: 2,
    onFailureDestination: "file:x",
  });
  for (const key of ["a", "b", "c"]) world.append("s1", { key });
  world.handler = listing(2);
  world.start();
  await world.clock.advance(10_000);
  assert.deepEqual(world.positions(), [[1, 2, 3], [2], [2], [2]]);
  assert.deepEqual(
    world.delivered.map(({ batch, approximateInvokeCount, response }) => [
      batch.records?.startPosition,
      batch.records?.count,
      approximateInvokeCount,
      response,
    ]),
    [["2", 1, 3, { functionError: null }]],
  );
});

test("what lists all records, or first ones whose keys hold all others back, fails the batch, which is then split", async () => {
  const world = topicWorld({
    batchSize: 2,
    reportBatchItemFailures: true,
    bisectBatchOnFunctionError: true,
    retryAttemptsMax: 0,
    onFailureDestination: "file:x",
  });
  world.append("s1", { key: "a" }, { key: "a" });
  world.handler = listing(1);
  world.start();
  await world.clock.advance(1_000);
  assert.deepEqual(world.positions(), [[1, 2], [1], [2]]);
  assert.deepEqual(
    world.delivered.map(({ batch }) => batch.records?.startPosition),
    ["1"],
  );
});

/** Whole batches fail: nothing of the answer is believed. */
const MALFORMED: readonly (readonly [name: string, itemIdentifier: unknown])[] = [
  ["a partition that is not in the event", { partition: "s2", offset: 1 }],
  ["an offset that is not in the event", { partition: "s1", offset: 99 }],
  ["a plain offset, as other sources have", "1"],
  ["a number", 1],
  ["null", null],
  ["an object without an offset", { partition: "s1" }],
];

for (const [name, itemIdentifier] of MALFORMED) {
  test(`an identifier that is ${name} fails the whole batch, beside valid ones too`, async () => {
    const world = topicWorld({ reportBatchItemFailures: true, retryAttemptsMax: 0 });
    world.append("s1", { key: "a" }, { key: "b" });
    const valid = { itemIdentifier: { partition: "s1", offset: 1 } };
    world.handler = () => answered({ batchItemFailures: [valid, { itemIdentifier }] });
    world.start();
    await world.clock.advance(1_000);
    assert.equal(world.count("dropped_events"), 2);
  });
}

test("a record that is listed twice is one", async () => {
  const world = topicWorld({ reportBatchItemFailures: true });
  world.append("s1", { key: "a" }, { key: "b" });
  const item = { itemIdentifier: { partition: "s1", offset: 2 } };
  world.handler = () =>
    world.calls.length === 1 ? answered({ batchItemFailures: [item, item] }) : SUCCEEDED;
  world.start();
  await world.clock.advance(1_000);
  assert.deepEqual(world.positions(), [[1, 2], [2]]);
});

test("whatever the function answers, a record is settled only when its answer says so for certain", async () => {
  const member = fc.oneof(
    fc.constantFrom("s1", "s2", "batchItemFailures", "itemIdentifier", "partition", "offset"),
    fc.integer({ min: -1, max: 5 }),
    fc.constantFrom(null, true, 1.5, {}, []),
  );
  const identifier = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ partition: fc.constant("s1"), offset: fc.integer({ min: 1, max: 4 }) }),
    },
    { weight: 1, arbitrary: fc.dictionary(fc.constantFrom("partition", "offset", "__proto__"), member) },
    { weight: 1, arbitrary: member },
  );
  const item = fc.oneof(
    { weight: 6, arbitrary: fc.record({ itemIdentifier: identifier }) },
    { weight: 1, arbitrary: member },
  );
  const body = fc.record({ batchItemFailures: fc.array(item, { minLength: 1, maxLength: 4 }) });
  const property = fc.asyncProperty(body, async (answer) => {
    const world = topicWorld({ reportBatchItemFailures: true });
    for (const key of ["a", "b", "a", "b"]) world.append("s1", { key });
    world.handler = () => (world.calls.length === 1 ? answered(answer) : SUCCEEDED);
    world.start();
    await world.clock.advance(1_000);
    const listed = answer.batchItemFailures.map(offsetListed);
    const again = listed.includes(undefined)
      ? [1, 2, 3, 4]
      : [1, 2, 3, 4].filter((offset) => listed.some((first) => first !== undefined && isHeld(offset, first)));
    assert.deepEqual(world.positions(), [[1, 2, 3, 4], again]);
  });
  await fc.assert(property, { numRuns: 200 });
});

/** Keys alternate: a record comes again when it is listed, or one of its key before it. */
function isHeld(offset: number, first: number): boolean {
  return offset >= first && (offset - first) % 2 === 0;
}

function offsetListed(item: unknown): number | undefined {
  const place: unknown = JSON.parse(JSON.stringify(item))?.itemIdentifier;
  if (typeof place !== "object" || place === null) return undefined;
  const { partition, offset } = place as { readonly partition?: unknown; readonly offset?: unknown };
  return partition === "s1" && typeof offset === "number" && [1, 2, 3, 4].includes(offset)
    ? offset
    : undefined;
}

test("a batching window opens when its first record arrives, not when the invocation before it ended", async () => {
  const world = topicWorld({ batchSize: 10, batchingWindowMs: 5_000 });
  world.start();
  await world.clock.advance(4_900);
  world.appendMany("s1", 1);
  await world.clock.advance(4_900);
  assert.deepEqual(world.positions(), []);
  await world.clock.advance(300);
  assert.deepEqual(world.positions(), [[1]]);
});

test("records that a full batch left behind wait no longer than one window from then on", async () => {
  const world = topicWorld({ batchSize: 3, batchingWindowMs: 1_000 });
  world.appendMany("s1", 4);
  world.handler = async () => {
    await world.clock.advance(0);
    return SUCCEEDED;
  };
  world.start();
  await world.clock.advance(100);
  assert.deepEqual(world.positions(), [[1, 2, 3]]);
  await world.clock.advance(1_000);
  assert.deepEqual(world.positions(), [[1, 2, 3], [4]]);
});

test("a record that no event can hold is given up at once, and the next one is processed", async () => {
  const world = topicWorld({ onFailureDestination: "file:x" }, { payloadBytesMax: 350 });
  world.append("s1", { key: "a", encodedBytes: 400 }, { key: "a", encodedBytes: 100 });
  world.start();
  await world.clock.advance(1_000);
  assert.deepEqual(world.positions(), [[2]]);
  assert.deepEqual(
    world.delivered.map(({ condition, response, batch }) => [
      condition,
      response,
      batch.records?.startPosition,
    ]),
    [["MaximumPayloadSizeExceeded", undefined, "1"]],
  );
});
