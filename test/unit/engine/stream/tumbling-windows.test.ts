import assert from "node:assert/strict";
import { test } from "node:test";
import type { StreamMapping } from "../../../../src/model/mapping.ts";
import { answered, type Call, FAILED, ManualClock, SmallWorld } from "./small-world.ts";

/** Adds the positions of a batch to the state. */
function summing({ positions, window }: Call) {
  const state = JSON.parse(window?.stateJson ?? "{}") as { sum?: number };
  return answered({
    state: { sum: (state.sum ?? 0) + positions.reduce((sum, position) => sum + position, 0) },
  });
}

const WINDOWED = { tumblingWindowMs: 10_000, batchSize: 2 };

test("state goes from batch to batch of a window, and a later record closes it with an empty final invocation", async () => {
  const world = new SmallWorld(WINDOWED);
  world.append("s1", { arrivalMs: 1 }, { arrivalMs: 2 }, { arrivalMs: 9_999 }, { arrivalMs: 10_000 });
  world.handler = summing;
  world.start();
  await world.clock.advance(1_000);
  assert.deepEqual(world.positions(), [[1, 2], [3], [], [4]]);
  const windows = world.calls.map((call) => call.window);
  assert.deepEqual(
    windows.map((window) => window?.stateJson),
    ["{}", '{"sum":3}', '{"sum":6}', "{}"],
  );
  assert.deepEqual(
    windows.map((window) => window?.isFinalInvokeForWindow),
    [false, false, true, false],
  );
});

test("an idle shard closes its window some time after its end", async () => {
  const world = new SmallWorld(WINDOWED, { windowIdleCloseMs: 60_000 });
  world.append("s1", { arrivalMs: 0 });
  world.handler = summing;
  world.start();
  await world.clock.advance(69_900);
  assert.deepEqual(world.positions(), [[1]]);
  await world.clock.advance(300);
  assert.deepEqual(world.positions(), [[1], []]);
});

test("the end of the shard closes its window before the shard counts as ended", async () => {
  const world = new SmallWorld(WINDOWED);
  world.append("s1", { arrivalMs: 0 });
  world.close("s1", "s2");
  world.append("s2", { arrivalMs: 1 });
  world.handler = summing;
  world.start();
  await world.clock.advance(60_000);
  assert.deepEqual(
    world.calls.map((call) => [
      call.window?.shardId,
      call.positions.length,
      call.window?.isFinalInvokeForWindow,
    ]),
    [
      ["s1", 1, false],
      ["s1", 0, true],
      ["s2", 1, false],
    ],
  );
});

test("a response without state is a failed invocation", async () => {
  const world = new SmallWorld({ ...WINDOWED, retryAttemptsMax: 1, onFailureDestination: "file:x" });
  world.append("s1", { arrivalMs: 0 });
  world.handler = () => answered({ batchItemFailures: [] });
  world.start();
  await world.clock.advance(5_000);
  assert.deepEqual(world.positions(), [[1], [1]]);
  assert.equal(world.delivered[0]?.condition, "RetryAttemptsExhausted");
  assert.equal(world.delivered[0]?.window?.isFinalInvokeForWindow, false);
});

test("a state above the limit ends the window early, with the whole state, and what follows starts empty", async () => {
  const world = new SmallWorld({ ...WINDOWED, batchSize: 1 }, { windowStateBytesMax: 100 });
  world.append("s1", { arrivalMs: 0 }, { arrivalMs: 1 });
  const large = { filler: "x".repeat(200) };
  world.handler = ({ positions }) =>
    answered(positions[0] === 1 ? { state: large } : { state: { small: true } });
  world.start();
  await world.clock.advance(1_000);
  assert.deepEqual(world.positions(), [[1], [], [2]]);
  const [, early, next] = world.calls;
  assert.equal(early?.window?.isWindowTerminatedEarly, true);
  assert.equal(early?.window?.isFinalInvokeForWindow, true);
  assert.equal(early?.window?.stateJson, JSON.stringify(large));
  assert.equal(next?.window?.stateJson, "{}");
});

test("a failing final invocation is retried, then discarded with window information and no records", async () => {
  const world = new SmallWorld({ ...WINDOWED, retryAttemptsMax: 1, onFailureDestination: "file:x" });
  world.append("s1", { arrivalMs: 0 }, { arrivalMs: 10_000 });
  world.handler = (call) => (call.window?.isFinalInvokeForWindow ? FAILED : summing(call));
  world.start();
  await world.clock.advance(5_000);
  assert.deepEqual(world.positions(), [[1], [], [], [2]]);
  assert.equal(world.delivered[0]?.batch.records, undefined);
  assert.equal(world.delivered[0]?.window?.isFinalInvokeForWindow, true);
});

test("a restart inside a window goes on with its state and repeats nothing", async () => {
  const world = new SmallWorld(WINDOWED);
  world.append("s1", { arrivalMs: 0 }, { arrivalMs: 1 });
  world.handler = summing;
  world.start();
  await world.clock.advance(1_000);
  const stop = world.engine.stop(1_000);
  await world.clock.advance(10_000);
  await stop;
  world.start(world.newProcess("process-2"));
  world.append("s1", { arrivalMs: 2 });
  await world.clock.advance(1_000);
  assert.deepEqual(world.positions(), [[1, 2], [3]]);
  assert.equal(world.calls[1]?.window?.stateJson, '{"sum":3}');
});

test("a batch whose window's state grew between two attempts is split to fit the payload limit, at no retry", async () => {
  // Regression: the rest of a partial response went out above the limit (simulation, seed 236).
  const settings = { payloadBytesMax: 2_000, windowStateBytesMax: 10_000 };
  const mapping = { ...WINDOWED, batchSize: 10, reportBatchItemFailures: true, retryAttemptsMax: 0 };
  const world = new SmallWorld(mapping, settings);
  world.append("s1", ...Array.from({ length: 9 }, () => ({ arrivalMs: 0 })));
  const state = "x".repeat(1_500);
  world.handler = ({ positions }) =>
    answered({ state, batchItemFailures: positions.includes(1) ? [{ itemIdentifier: "2" }] : [] });
  world.start();
  await world.clock.advance(1_000);
  assert.deepEqual(
    world.positions().flat(),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5, 6, 7, 8, 9].slice(0, 17),
  );
  assert.ok(world.calls.length > 2, "the rest was split");
  assert.equal(world.count("dropped_events"), 0);
});

/** What `window` of an event says, as far as the tests of states need it. */
function states(world: SmallWorld) {
  return world.calls.map(({ window }) => window?.stateJson);
}

const RAW_STATES = [
  '{"sum":12345678901234567890123}',
  '{"f":1.0,"big":1e400,"neg":-0}',
  '{"a":1,"a":2,"2":"b","1":"a"}',
  '{"__proto__":{"x":1}}',
  '"\\ud800"',
];

for (const state of RAW_STATES) {
  test(`a window's state is handed on as it was written: ${state}`, async () => {
    const world = new SmallWorld({ ...WINDOWED, batchSize: 1 });
    world.append("s1", { arrivalMs: 1 }, { arrivalMs: 2 }, { arrivalMs: 10_000 });
    world.handler = () => ({ kind: "succeeded", payload: Buffer.from(`{ "x": 0, "state": ${state} }`) });
    world.start();
    await world.clock.advance(1_000);
    assert.deepEqual(states(world), ["{}", state, state, "{}"]);
  });
}

test("a state that was written as it stands goes through a restart and into the failure record unchanged", async () => {
  const state = '{"sum":12345678901234567890123,"e":1E5}';
  const mapping = { ...WINDOWED, retryAttemptsMax: 0, onFailureDestination: "file:x" };
  const world = new SmallWorld(mapping);
  world.append("s1", { arrivalMs: 1 });
  world.handler = ({ window }) =>
    window?.isFinalInvokeForWindow
      ? FAILED
      : { kind: "succeeded", payload: Buffer.from(`{"state":${state}}`) };
  world.start();
  await world.clock.advance(1_000);
  await stopped(world);
  world.append("s1", { arrivalMs: 10_000 });
  world.start(world.newProcess("process-2"));
  await world.clock.advance(1_000);
  assert.equal(states(world)[1], state);
  assert.equal(JSON.parse(String(world.delivered[0]?.payload)).window.stateJson, state);
});

test("a state that is not UTF-8 fails the batch: decoded, it would be another", async () => {
  const world = new SmallWorld({ ...WINDOWED, retryAttemptsMax: 0, onFailureDestination: "file:x" });
  world.append("s1", { arrivalMs: 1 });
  const payload = Buffer.concat([Buffer.from('{"state":"'), Buffer.from([0xff]), Buffer.from('"}')]);
  world.handler = () => ({ kind: "succeeded", payload });
  world.start();
  await world.clock.advance(1_000);
  assert.equal(world.delivered[0]?.condition, "RetryAttemptsExhausted");
});

async function stopped(world: SmallWorld, engine = world.engine): Promise<void> {
  const stop = engine.stop(1_000);
  await world.clock.advance(10_000);
  await stop;
}

const LARGE = JSON.stringify({ filler: "x".repeat(200) });

/** Every state is too large, and every last invocation fails. */
function tooLargeThenFailing({ window }: Call) {
  return window?.isFinalInvokeForWindow
    ? FAILED
    : ({ kind: "succeeded", payload: Buffer.from(`{"state":${LARGE}}`) } as const);
}

test("every given-up last invocation of a window has an identity of its own", async () => {
  const mapping = { ...WINDOWED, batchSize: 1, retryAttemptsMax: 0, onFailureDestination: "file:x" };
  const world = new SmallWorld(mapping, { windowStateBytesMax: 100 });
  world.append("s1", { arrivalMs: 0 }, { arrivalMs: 1 }, { arrivalMs: 2 }, { arrivalMs: 10_000 });
  world.handler = tooLargeThenFailing;
  world.start();
  await world.clock.advance(1_000);
  assert.equal(world.delivered.filter(({ window }) => window?.isFinalInvokeForWindow).length, 3);
  assert.equal(new Set(world.delivered.map(({ id }) => id)).size, 3);
});

test("a window that is ended early twice without a settled record in between is told twice", async () => {
  const mapping = {
    ...WINDOWED,
    retryAttemptsMax: 2,
    onFailureDestination: "file:x",
    reportBatchItemFailures: true,
  };
  const world = new SmallWorld(mapping, { windowStateBytesMax: 100 });
  world.append("s1", { arrivalMs: 0 });
  const body = `{"state":${LARGE},"batchItemFailures":[{"itemIdentifier":"1"}]}`;
  world.handler = ({ window }) =>
    window?.isFinalInvokeForWindow ? FAILED : { kind: "succeeded", payload: Buffer.from(body) };
  world.start();
  await world.clock.advance(5_000);
  const ends = world.delivered.filter(({ window }) => window?.isFinalInvokeForWindow).map(({ id }) => id);
  assert.equal(ends.length, 2);
  assert.equal(new Set(ends).size, 2);
});

test("windows of two lengths that begin at one moment are told apart", async () => {
  const mapping = { ...WINDOWED, batchSize: 1, retryAttemptsMax: 0, onFailureDestination: "file:x" };
  const world = new SmallWorld(mapping);
  world.append("s1", { arrivalMs: 0 }, { arrivalMs: 10_000 });
  world.handler = ({ window }) => (window?.isFinalInvokeForWindow ? FAILED : answered({ state: 1 }));
  world.start();
  await world.clock.advance(1_000);
  await stopped(world);
  const second = new SmallWorld({ ...mapping, tumblingWindowMs: 5_000 });
  second.append("s1", { arrivalMs: 0 }, { arrivalMs: 10_000 });
  second.handler = world.handler;
  second.start();
  await second.clock.advance(1_000);
  assert.notEqual(world.delivered[0]?.id, second.delivered[0]?.id);
});

test("a window that is opened again by a late record, and gives up all of its records, is told apart", async () => {
  const mapping = { ...WINDOWED, batchSize: 1, retryAttemptsMax: 0, onFailureDestination: "file:x" };
  const world = new SmallWorld(mapping, { windowIdleCloseMs: 1_000 });
  world.append("s1", { arrivalMs: 0 });
  world.handler = () => FAILED;
  world.start();
  await world.clock.advance(20_000);
  world.append("s1", { arrivalMs: 1 });
  await world.clock.advance(20_000);
  const ends = world.delivered.filter(({ window }) => window?.isFinalInvokeForWindow).map(({ id }) => id);
  assert.equal(ends.length, 2);
  assert.equal(new Set(ends).size, 2);
});

test("a last invocation that is given up again after a crash has the same identity", async () => {
  const mapping = { ...WINDOWED, batchSize: 1, retryAttemptsMax: 0, onFailureDestination: "file:x" };
  const world = new SmallWorld(mapping);
  world.append("s1", { arrivalMs: 0 });
  world.handler = ({ window }) => (window?.isFinalInvokeForWindow ? FAILED : answered({ state: 1 }));
  world.start();
  await world.clock.advance(1_000);
  await stopped(world);
  const kept = await world.checkpointOf("s1");
  world.append("s1", { arrivalMs: 10_000 });
  world.start(world.newProcess("process-2"));
  await world.clock.advance(1_000);
  const again = new SmallWorld(mapping);
  again.append("s1", { arrivalMs: 0 }, { arrivalMs: 10_000 });
  assert.ok(kept !== undefined);
  const shard = { shardId: "s1", parentShardIds: [], closed: false };
  await again.store.initialise(again.mapping.uuid, [{ shard, checkpoint: kept }]);
  again.handler = world.handler;
  again.start();
  await again.clock.advance(1_000);
  assert.equal(again.delivered[0]?.id, world.delivered[0]?.id);
});

/** Starts a mapping with other settings on what a world has kept. */
async function updated(world: SmallWorld, mapping: Partial<StreamMapping>): Promise<SmallWorld> {
  await stopped(world);
  const kept = await world.checkpointOf("s1");
  assert.ok(kept !== undefined);
  const next = new SmallWorld(mapping, { windowIdleCloseMs: 1_000 });
  await next.clock.advance(world.clock.monotonic());
  for (const [shardId, records] of world.records) next.records.set(shardId, records);
  const shard = { shardId: "s1", parentShardIds: [], closed: false };
  await next.store.initialise(next.mapping.uuid, [{ shard, checkpoint: { ...kept, revision: 0 } }]);
  return next;
}

/** Start, end, records and state of each call's window. */
function windowsOf(world: SmallWorld) {
  return world.calls.map(({ window, positions }) =>
    window === undefined
      ? [positions]
      : [
          window.startMs - ManualClock.startMs,
          window.endMs - ManualClock.startMs,
          positions,
          window.stateJson,
        ],
  );
}

test("a window that a longer length overtakes is closed by its own, with its own state", async () => {
  const world = new SmallWorld(WINDOWED);
  world.append("s1", { arrivalMs: 0 });
  world.handler = summing;
  world.start();
  await world.clock.advance(1_000);
  const next = await updated(world, { ...WINDOWED, tumblingWindowMs: 60_000 });
  next.append("s1", { arrivalMs: 9_000 }, { arrivalMs: 10_000 });
  next.handler = summing;
  next.start();
  await next.clock.advance(1_000);
  assert.deepEqual(windowsOf(next), [
    [0, 10_000, [2], '{"sum":1}'],
    [0, 10_000, [], '{"sum":3}'],
    [0, 60_000, [3], "{}"],
  ]);
});

test("a window that a shorter length undercuts is closed by its own, with its own state", async () => {
  const world = new SmallWorld({ ...WINDOWED, tumblingWindowMs: 60_000 });
  world.append("s1", { arrivalMs: 0 });
  world.handler = summing;
  world.start();
  await world.clock.advance(1_000);
  const next = await updated(world, { ...WINDOWED, tumblingWindowMs: 1_000 });
  next.append("s1", { arrivalMs: 30_000 }, { arrivalMs: 60_500 });
  next.handler = summing;
  next.start();
  await next.clock.advance(1_000);
  assert.deepEqual(windowsOf(next), [
    [0, 60_000, [2], '{"sum":1}'],
    [0, 60_000, [], '{"sum":3}'],
    [60_000, 61_000, [3], "{}"],
  ]);
});

test("a window that is open when windows are switched off hands its state over, and the rest goes on without", async () => {
  const world = new SmallWorld(WINDOWED);
  world.append("s1", { arrivalMs: 0 });
  world.handler = summing;
  world.start();
  await world.clock.advance(1_000);
  const next = await updated(world, { ...WINDOWED, tumblingWindowMs: 0, parallelizationFactor: 2 });
  next.start();
  next.append("s1", { arrivalMs: 1_000 });
  await next.clock.advance(1_000);
  assert.deepEqual(
    windowsOf(next).toSorted((a, b) => b.length - a.length),
    [[0, 10_000, [], '{"sum":1}'], [[2]]],
  );
  assert.equal(next.calls.find(({ window }) => window !== undefined)?.window?.isFinalInvokeForWindow, true);
  assert.equal((await next.checkpointOf("s1"))?.window, undefined);
});

test("windows that are switched on begin with the next record and no state", async () => {
  const world = new SmallWorld({ batchSize: 2 });
  world.append("s1", { arrivalMs: 0 });
  world.start();
  await world.clock.advance(1_000);
  const next = await updated(world, WINDOWED);
  next.append("s1", { arrivalMs: 1_000 });
  next.handler = summing;
  next.start();
  await next.clock.advance(1_000);
  assert.deepEqual(windowsOf(next)[0], [0, 10_000, [2], "{}"]);
});

const AGED = { ...WINDOWED, recordAgeMsMax: 60_000, onFailureDestination: "file:x" };

test("a last invocation is made at least once, however old the records before it are", async () => {
  const world = new SmallWorld({ ...AGED, tumblingWindowMs: 300_000 }, { windowIdleCloseMs: 60_000 });
  world.append("s1", { arrivalMs: 0 });
  world.handler = summing;
  world.start();
  await world.clock.advance(362_000);
  assert.deepEqual(world.positions(), [[1], []]);
  assert.deepEqual(world.delivered, []);
});

test("a restart does not make a window's last invocation too old", async () => {
  const world = new SmallWorld({ ...AGED, tumblingWindowMs: 120_000 });
  world.append("s1", { arrivalMs: 0 });
  world.handler = summing;
  world.start();
  await world.clock.advance(100_000);
  world.append("s1", {});
  await world.clock.advance(1_000);
  await stopped(world);
  world.start(world.newProcess("process-2"));
  world.append("s1", { arrivalMs: 120_000 });
  await world.clock.advance(10_000);
  assert.deepEqual(world.positions(), [[1], [2], [], [3]]);
  assert.deepEqual(world.delivered, []);
});

test("a last invocation that fails is tried until its own age is over", async () => {
  const world = new SmallWorld(AGED);
  world.append("s1", { arrivalMs: 0 }, { arrivalMs: 10_000 });
  world.handler = (call) => (call.window?.isFinalInvokeForWindow ? FAILED : summing(call));
  world.start();
  await world.clock.advance(59_000);
  assert.equal(world.delivered.length, 0);
  assert.ok(world.calls.length > 3);
  await world.clock.advance(2_000);
  assert.deepEqual(
    world.delivered.map(({ condition, window }) => [condition, window?.isFinalInvokeForWindow]),
    [["RecordAgeExceeded", true]],
  );
  assert.deepEqual(world.positions().at(-1), [2]);
});

test("how long a last invocation was tried goes with the checkpoint to the next process", async () => {
  const world = new SmallWorld(AGED);
  world.append("s1", { arrivalMs: 0 }, { arrivalMs: 10_000 });
  world.handler = (call) => (call.window?.isFinalInvokeForWindow ? FAILED : summing(call));
  world.start();
  await world.clock.advance(40_000);
  await stopped(world);
  world.start(world.newProcess("process-2"));
  await world.clock.advance(45_000);
  assert.deepEqual(
    world.delivered.flatMap(({ condition, window }) => (window?.isFinalInvokeForWindow ? [condition] : [])),
    ["RecordAgeExceeded"],
  );
});
