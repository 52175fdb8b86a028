import assert from "node:assert/strict";
import { test } from "node:test";
import { answered, type Call, FAILED, SmallWorld } from "./small-world.ts";

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
