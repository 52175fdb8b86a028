import assert from "node:assert/strict";
import { test } from "node:test";
import { MillraceError } from "../../../../src/model/errors.ts";
import { FAILED, SmallWorld, SUCCEEDED } from "./small-world.ts";

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/**
 * Nothing, a default, before all time, seconds, microseconds and nanoseconds in place of milliseconds, beyond any date.
 */
const ABSURD = [undefined, 0, -1, -1e18, 1_790_000_000, 1_790_000_000_000_000, 1.79e18, 1e300, Number.NaN];

/** In which minutes and hours pass: its idle shard is read every ten seconds. */
function longWorld(...[mapping]: ConstructorParameters<typeof SmallWorld>): SmallWorld {
  const world = new SmallWorld(mapping);
  world.idleReadMs = 10_000;
  return world;
}

for (const aheadMs of [25 * HOUR_MS, -25 * HOUR_MS]) {
  test(`fresh records are delivered when the host's clock is ${aheadMs / HOUR_MS} hours ahead of the source's`, async () => {
    const world = new SmallWorld({ recordAgeMsMax: MINUTE_MS, onFailureDestination: "file:x" });
    world.clock.wallOffsetMs = aheadMs;
    world.appendMany("s1", 3);
    world.start();
    await world.clock.advance(1_000);
    assert.deepEqual(world.positions(), [[1, 2, 3]]);
    assert.deepEqual([world.delivered.length, world.count("expired_events")], [0, 0]);
  });
}

test("a record that is too old by the source's clock is given up, though the host's clock is hours behind", async () => {
  const world = new SmallWorld({ recordAgeMsMax: MINUTE_MS, onFailureDestination: "file:x" });
  world.clock.wallOffsetMs = -25 * HOUR_MS;
  world.append("s1", { arrivalMs: -MINUTE_MS }, {});
  world.start();
  await world.clock.advance(1_000);
  assert.deepEqual(world.positions(), [[2]]);
  assert.equal(world.delivered[0]?.condition, "RecordAgeExceeded");
});

test("a host's clock that jumps ages no record that is being retried", async () => {
  const world = longWorld({ recordAgeMsMax: 10 * MINUTE_MS, onFailureDestination: "file:x" });
  world.appendMany("s1", 1);
  world.handler = () => FAILED;
  world.start();
  await world.clock.advance(MINUTE_MS);
  world.clock.wallOffsetMs = 48 * HOUR_MS;
  await world.clock.advance(8 * MINUTE_MS);
  assert.equal(world.delivered.length, 0);
  await world.clock.advance(MINUTE_MS);
  assert.equal(world.delivered[0]?.condition, "RecordAgeExceeded");
});

test("where answers carry no date a record's age counts from its first read", async () => {
  const world = longWorld({ recordAgeMsMax: MINUTE_MS, onFailureDestination: "file:x" });
  world.hasDates = false;
  world.append("s1", { arrivalMs: -25 * HOUR_MS });
  world.handler = () => FAILED;
  world.start();
  await world.clock.advance(MINUTE_MS - 1);
  assert.ok(world.calls.length > 1);
  assert.equal(world.delivered.length, 0);
  await world.clock.advance(1);
  assert.equal(world.delivered[0]?.condition, "RecordAgeExceeded");
});

for (const toldMs of ABSURD) {
  test(`a record that arrived at ${toldMs} is delivered, and no age gives it up`, async () => {
    const world = longWorld({ recordAgeMsMax: MINUTE_MS, onFailureDestination: "file:x" });
    world.append("s1", { toldMs }, { toldMs });
    world.handler = () => (world.clock.monotonic() < 20 * MINUTE_MS ? FAILED : SUCCEEDED);
    world.start();
    await world.clock.advance(22 * MINUTE_MS);
    assert.equal(world.delivered.length, 0);
    assert.deepEqual((await world.checkpointOf("s1"))?.resume, { kind: "after", position: "2" });
    assert.ok(Number.isFinite(world.engine.status()[0]?.oldestAgeMs));
    for (const value of world.observations.get("iterator_age_seconds") ?? []) assert.ok(value < 3 * HOUR_MS);
  });

  test(`a record that arrived at ${toldMs} opens and closes tumbling windows like its neighbours`, async () => {
    const world = new SmallWorld({ tumblingWindowMs: 10_000, retryAttemptsMax: 0 });
    world.append("s1", { arrivalMs: 1 }, { toldMs }, { arrivalMs: 10_001 });
    world.handler = () => ({ kind: "succeeded", payload: Buffer.from('{"state":{}}') });
    world.start();
    await world.clock.advance(1_000);
    assert.deepEqual(world.positions().flat(), [1, 2, 3]);
    assert.deepEqual((await world.checkpointOf("s1"))?.resume, { kind: "after", position: "3" });
  });
}

test("a record that is older than any retention is delivered as long as the source gives it", async () => {
  const world = new SmallWorld();
  world.append("s1", { arrivalMs: -400 * 24 * HOUR_MS });
  world.start();
  await world.clock.advance(1_000);
  assert.deepEqual(world.positions(), [[1]]);
  assert.equal(world.count("expired_events"), 0);
});

test("a record that the source said once to have lost goes on being tried when it serves it after all", async () => {
  const world = longWorld();
  let asked = 0;
  world.stillServes = async () => ++asked !== 1;
  world.appendMany("s1", 1);
  world.handler = () => (world.clock.monotonic() < 10 * MINUTE_MS ? FAILED : SUCCEEDED);
  world.start();
  await world.clock.advance(12 * MINUTE_MS);
  assert.ok(asked > 2);
  assert.equal(world.count("expired_events"), 0);
  assert.deepEqual((await world.checkpointOf("s1"))?.resume, { kind: "after", position: "1" });
});

test("a source that cannot be asked ends no retries, and holds up none", async () => {
  const world = longWorld();
  world.stillServes = () => new Promise(() => {});
  world.appendMany("s1", 1);
  world.handler = () => FAILED;
  world.start();
  await world.clock.advance(HOUR_MS);
  const hung = world.calls.length;
  assert.ok(hung > 60, `${hung} attempts`);
  world.handler = () => SUCCEEDED;
  await world.clock.advance(MINUTE_MS);
  assert.equal(world.count("expired_events"), 0);
});

test("a source that fails when it is asked ends no retries", async () => {
  const world = longWorld();
  world.stillServes = () =>
    Promise.reject(new MillraceError("ERR_MILLRACE_SOURCE_NOT_FOUND", "There is no such stream just now."));
  world.appendMany("s1", 1);
  world.handler = () => FAILED;
  world.start();
  await world.clock.advance(HOUR_MS);
  assert.equal(world.count("expired_events"), 0);
});

test("of a batch only the records that the source serves no more are given up", async () => {
  const world = longWorld();
  world.appendMany("s1", 7);
  world.handler = () => FAILED;
  world.start();
  await world.clock.advance(MINUTE_MS / 2);
  world.trimmedTo.set("s1", 3);
  await world.clock.advance(3 * MINUTE_MS);
  assert.equal(world.count("expired_events"), 3);
  assert.deepEqual(world.positions().at(-1), [4, 5, 6, 7]);
  assert.deepEqual((await world.checkpointOf("s1"))?.resume, { kind: "after", position: "3" });
});

test("a source is asked for a record once a minute, and only for one that is retried", async () => {
  const world = longWorld({ batchSize: 1 });
  const asked: string[] = [];
  world.stillServes = async (_, position) => {
    asked.push(position);
    return true;
  };
  world.appendMany("s1", 2);
  world.handler = ({ positions }) => (positions[0] === 2 ? FAILED : SUCCEEDED);
  world.start();
  await world.clock.advance(10 * MINUTE_MS + 1_000);
  assert.ok(asked.length >= 8 && asked.length <= 10, `asked ${asked.length} times in ten minutes`);
  assert.deepEqual(new Set(asked), new Set(["2"]));
});

test("an idle shard closes its tumbling window by the source's clock, though the host's is hours behind", async () => {
  const world = longWorld({ tumblingWindowMs: 10_000 });
  world.clock.wallOffsetMs = -25 * HOUR_MS;
  world.append("s1", { arrivalMs: 0 });
  world.handler = () => ({ kind: "succeeded", payload: Buffer.from('{"state":{}}') });
  world.start();
  await world.clock.advance(2 * MINUTE_MS);
  assert.equal(world.calls.at(-1)?.window?.isFinalInvokeForWindow, true);
});
