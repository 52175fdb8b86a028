import assert from "node:assert/strict";
import { test } from "node:test";
import { MillraceError } from "../../../../src/model/errors.ts";
import { answered, type Call, FAILED, SmallWorld, SUCCEEDED } from "./small-world.ts";

const failing =
  (...poison: number[]) =>
  ({ positions }: Call) =>
    positions.some((position) => poison.includes(position)) ? FAILED : SUCCEEDED;

test("30 records in batches of 10 are three invocations of 10, in order", async () => {
  const world = new SmallWorld({ batchSize: 10 });
  world.appendMany("s1", 30);
  world.start();
  await world.clock.advance(1_000);
  const batches = [0, 10, 20].map((from) => Array.from({ length: 10 }, (_, index) => from + index + 1));
  assert.deepEqual(world.positions(), batches);
  assert.deepEqual((await world.checkpointOf("s1"))?.resume, { kind: "after", position: "30" });
});

test("a failing batch is invoked 1 + MaximumRetryAttempts times under one request id, then discarded", async () => {
  const world = new SmallWorld({ batchSize: 2, retryAttemptsMax: 2, onFailureDestination: "file:x" });
  world.appendMany("s1", 4);
  world.handler = failing(1);
  world.start();
  await world.clock.advance(10_000);
  assert.deepEqual(world.positions(), [
    [1, 2],
    [1, 2],
    [1, 2],
    [3, 4],
  ]);
  assert.equal(new Set(world.calls.slice(0, 3).map((call) => call.requestId)).size, 1);
  const [failure] = world.delivered;
  assert.equal(failure?.condition, "RetryAttemptsExhausted");
  assert.equal(failure?.approximateInvokeCount, 3);
  assert.deepEqual(failure?.response, { functionError: "Unhandled" });
  assert.equal(failure?.batch.records?.count, 2);
  assert.equal(world.count("on_failure_destination_delivered_events"), 2);
  assert.equal(world.count("dropped_events"), 0);
});

test("a discarded batch names the version of the function that ran", async () => {
  const world = new SmallWorld({ retryAttemptsMax: 0, onFailureDestination: "file:x" });
  world.appendMany("s1", 1);
  world.handler = () => ({ kind: "functionError", errorType: "E", message: "m", executedVersion: "3" });
  world.start();
  await world.clock.advance(1_000);
  assert.deepEqual(world.delivered[0]?.response, { functionError: "Unhandled", executedVersion: "3" });
});

test("without a destination the discarded records are counted as dropped", async () => {
  const world = new SmallWorld({ retryAttemptsMax: 0 });
  world.appendMany("s1", 3);
  world.handler = () => FAILED;
  world.start();
  await world.clock.advance(1_000);
  assert.equal(world.calls.length, 1);
  assert.equal(world.count("dropped_events"), 3);
});

test("retries wait twice as long each time, up to the cap", async () => {
  const world = new SmallWorld({}, { backoffCapMs: 1_000 });
  world.appendMany("s1", 1);
  world.handler = () => FAILED;
  world.start();
  await world.clock.advance(5_000);
  const waits = world.calls.slice(1, 6).map((call, index) => call.atMs - (world.calls[index]?.atMs ?? 0));
  assert.deepEqual(waits, [100, 200, 400, 500, 500]); // half of 200, 400, 800, 1,000, 1,000: the chance of tests is ½
});

test("bisect finds the one poison record of 1,000, delivers exactly it and keeps the order of the rest", async () => {
  const world = new SmallWorld({
    batchSize: 1_000,
    retryAttemptsMax: 0,
    bisectBatchOnFunctionError: true,
    onFailureDestination: "file:x",
  });
  world.appendMany("s1", 1_000);
  world.handler = failing(357);
  world.start();
  await world.clock.advance(1_000);
  assert.ok(world.calls.length <= 2 * Math.ceil(Math.log2(1_000)) + 1, `${world.calls.length} invocations`);
  const succeeded = world.positions().filter((positions) => !positions.includes(357));
  const expected = Array.from({ length: 1_000 }, (_, index) => index + 1).filter(
    (position) => position !== 357,
  );
  assert.deepEqual(succeeded.flat(), expected);
  assert.deepEqual(
    world.delivered.map((failure) => failure.batch.records?.startPosition),
    ["357"],
  );
});

test("halves of a split go left first with ⌊n/2⌋ records, at once, each under a request id of its own", async () => {
  const world = new SmallWorld({ batchSize: 5, retryAttemptsMax: 1, bisectBatchOnFunctionError: true });
  world.appendMany("s1", 5);
  world.handler = failing(4);
  world.start();
  await world.clock.advance(1_000);
  assert.deepEqual(world.positions(), [[1, 2, 3, 4, 5], [1, 2], [3, 4, 5], [3], [4, 5], [4], [4], [5]]);
  assert.equal(new Set(world.calls.map((call) => call.requestId)).size, 7);
  const [first, second] = world.calls;
  assert.equal(first?.atMs, second?.atMs);
});

test("throttles and unavailability cost no retry, and Retry-After is waited for", async () => {
  const world = new SmallWorld({ retryAttemptsMax: 0 });
  world.appendMany("s1", 1);
  const outcomes = [
    { kind: "throttled", retryAfterMs: 3_000 },
    { kind: "unavailable", message: "refused" },
    { kind: "throttled", retryAfterMs: undefined },
  ] as const;
  world.handler = () => outcomes[world.calls.length - 1] ?? SUCCEEDED;
  world.start();
  await world.clock.advance(10_000);
  assert.equal(world.calls.length, 4);
  assert.ok((world.calls[1]?.atMs ?? 0) - (world.calls[0]?.atMs ?? 0) >= 3_000);
  assert.equal(world.count("dropped_events"), 0);
});

test("a partial response retries from the lowest failed record at once, with a fresh budget", async () => {
  // The observation of streams §5.4: batch of 3, 3 retries, the 6th record always reported.
  const world = new SmallWorld({
    batchSize: 3,
    retryAttemptsMax: 3,
    reportBatchItemFailures: true,
    onFailureDestination: "file:x",
  });
  world.appendMany("s1", 6);
  world.handler = ({ positions }) =>
    answered({ batchItemFailures: positions.includes(6) ? [{ itemIdentifier: "6" }] : [] });
  world.start();
  await world.clock.advance(10_000);
  assert.deepEqual(world.positions(), [[1, 2, 3], [4, 5, 6], [6], [6], [6], [6]]);
  const [failure] = world.delivered;
  assert.equal(failure?.approximateInvokeCount, 4);
  assert.equal(failure?.batch.records?.count, 1);
  assert.deepEqual(failure?.response, { functionError: null });
});

test("records after the lowest failed one are retried even if they succeeded", async () => {
  const world = new SmallWorld({ batchSize: 5, reportBatchItemFailures: true });
  world.appendMany("s1", 5);
  world.handler = () =>
    world.calls.length === 1
      ? answered({ batchItemFailures: [{ itemIdentifier: "4" }, { itemIdentifier: "2" }] })
      : SUCCEEDED;
  world.start();
  await world.clock.advance(1_000);
  assert.deepEqual(world.positions(), [
    [1, 2, 3, 4, 5],
    [2, 3, 4, 5],
  ]);
});

for (const body of ['""', "[]", "null", "{}", '{"batchItemFailures":[]}', '{"batchItemFailures":null}', ""]) {
  test(`with ReportBatchItemFailures the response ${body || "(empty)"} is a success`, async () => {
    const world = new SmallWorld({ retryAttemptsMax: 1, reportBatchItemFailures: true });
    world.appendMany("s1", 2);
    world.handler = () => ({ kind: "succeeded", payload: Buffer.from(body) });
    world.start();
    await world.clock.advance(5_000);
    assert.equal(world.calls.length, 1);
    assert.equal(world.engine.status()[0]?.lastProcessingResult, "OK");
  });
}

for (const body of [
  '{"batchItemFailures":[{"itemIdentifier":123}]}',
  '{"batchItemFailures":[{"itemIdentifier":"9"}]}',
  '{"batchItemFailures":[{"itemIdentifier":""}]}',
  '{"batchItemFailures":[{"itemIdentifier":null}]}',
  '{"batchItemFailures":[{"foo":123}]}',
  '{"batchItemFailures":[{"itemIdentifier":"2"},{"foo":null}]}',
  '{"batchItemFailures":{}}',
  "[{}]",
  "{not json",
]) {
  test(`with ReportBatchItemFailures the response ${body} fails the whole batch`, async () => {
    const world = new SmallWorld({ retryAttemptsMax: 1, reportBatchItemFailures: true });
    world.appendMany("s1", 2);
    world.handler = () => ({ kind: "succeeded", payload: Buffer.from(body) });
    world.start();
    await world.clock.advance(5_000);
    assert.deepEqual(world.positions(), [
      [1, 2],
      [1, 2],
    ]);
    assert.equal(world.count("dropped_events"), 2);
  });
}

test("without ReportBatchItemFailures any response is a success", async () => {
  const world = new SmallWorld({ retryAttemptsMax: 1 });
  world.appendMany("s1", 2);
  world.handler = () => answered({ batchItemFailures: [{ itemIdentifier: "1" }] });
  world.start();
  await world.clock.advance(5_000);
  assert.equal(world.calls.length, 1);
});

test("expired records are cut out before the invocation and the rest goes on", async () => {
  const world = new SmallWorld({ recordAgeMsMax: 60_000, onFailureDestination: "file:x" });
  world.append("s1", { arrivalMs: -60_000 }, {}, {}, {}, {}, {});
  world.start();
  await world.clock.advance(1_000);
  assert.deepEqual(world.positions(), [[2, 3, 4, 5, 6]]);
  const [failure] = world.delivered;
  assert.equal(failure?.condition, "RecordAgeExceeded");
  assert.equal(failure?.approximateInvokeCount, 1);
  assert.equal(failure?.response, undefined);
  assert.equal(failure?.batch.records?.count, 1);
});

test("a failing record is given up when its age says so, not when its next retry is due", async () => {
  const world = new SmallWorld({ recordAgeMsMax: 60_000, onFailureDestination: "file:x" });
  world.appendMany("s1", 1);
  world.handler = () => FAILED;
  world.start();
  await world.clock.advance(59_999);
  assert.equal(world.delivered.length, 0);
  await world.clock.advance(1);
  assert.equal(world.delivered[0]?.condition, "RecordAgeExceeded");
  assert.equal(world.delivered[0]?.approximateInvokeCount, world.calls.length);
});

test("a record whose event is too large never reaches the function, uses up its retries and lets the next pass", async () => {
  const world = new SmallWorld(
    { retryAttemptsMax: 2, onFailureDestination: "file:x" },
    { payloadBytesMax: 1_000 },
  );
  world.append("s1", {}, { encodedBytes: 2_000 }, {});
  world.start();
  await world.clock.advance(5_000);
  assert.deepEqual(world.positions(), [[1], [3]]);
  const [failure] = world.delivered;
  assert.equal(failure?.condition, "RetryAttemptsExhausted");
  assert.equal(failure?.approximateInvokeCount, 3);
  assert.equal(failure?.response, undefined);
});

test("a record that fails until the source serves it no more is given up and not counted as dropped", async () => {
  const world = new SmallWorld();
  world.appendMany("s1", 1);
  world.handler = () => FAILED;
  world.start();
  await world.clock.advance(3_600_000);
  assert.equal(world.count("expired_events"), 0);
  world.trimmedTo.set("s1", 1);
  await world.clock.advance(70_000);
  assert.equal(world.count("expired_events"), 1);
  assert.equal(world.count("dropped_events"), 0);
  assert.deepEqual((await world.checkpointOf("s1"))?.resume, { kind: "after", position: "1" });
});

test("no checkpoint passes a discarded record before the destination has accepted it", async () => {
  const world = new SmallWorld({ batchSize: 1, retryAttemptsMax: 0, onFailureDestination: "file:x" });
  world.appendMany("s1", 2);
  world.handler = failing(1);
  let isDown = true;
  world.deliver = async () => {
    if (isDown) throw new MillraceError("ERR_MILLRACE_DESTINATION_UNAVAILABLE", "down");
  };
  world.start();
  await world.clock.advance(300_000);
  assert.deepEqual(world.positions(), [[1]]);
  assert.deepEqual((await world.checkpointOf("s1"))?.resume, { kind: "oldest" });
  isDown = false;
  await world.clock.advance(60_000);
  assert.deepEqual(world.positions(), [[1], [2]]);
  assert.deepEqual((await world.checkpointOf("s1"))?.resume, { kind: "after", position: "2" });
});

test("a destination that rejects a record for good has it dropped and counted, and processing goes on", async () => {
  const world = new SmallWorld({ batchSize: 1, retryAttemptsMax: 0, onFailureDestination: "file:x" });
  world.appendMany("s1", 2);
  world.handler = failing(1);
  world.deliver = async () => {
    throw new MillraceError("ERR_MILLRACE_DESTINATION_REJECTED", "too large");
  };
  world.start();
  await world.clock.advance(1_000);
  assert.deepEqual(world.positions(), [[1], [2]]);
  assert.equal(world.count("dropped_events"), 1);
  assert.equal(world.count("destination_delivery_failures"), 1);
});
