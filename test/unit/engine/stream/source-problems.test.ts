import assert from "node:assert/strict";
import { test } from "node:test";
import { SourceProblems } from "../../../../src/engine/stream/source-problems.ts";
import { MillraceError } from "../../../../src/model/errors.ts";
import { SmallWorld } from "./small-world.ts";

const UNREACHABLE = new MillraceError("ERR_MILLRACE_SOURCE_UNAVAILABLE", "nothing answers at 127.0.0.1:1");

class LoginError extends Error {
  readonly processingResult = "SASL authentication failed";
}

test("wrong credentials are told at once, in AWS's words, whatever error carries them", () => {
  const problems = new SourceProblems();
  const cause = new LoginError("no");
  problems.failed("", new MillraceError("ERR_MILLRACE_STORE_UNAVAILABLE", "the group", { cause }), 0);
  assert.equal(problems.current, "SASL authentication failed");
  problems.worked("");
  assert.equal(problems.current, undefined);
});

test("what passes by itself is no problem, what stays is one until it works again", () => {
  const problems = new SourceProblems();
  for (let failures = 0; failures < 2; failures++) problems.failed("s1", UNREACHABLE, 0);
  assert.equal(problems.current, undefined);
  problems.failed("s1", UNREACHABLE, 0);
  assert.match(problems.current ?? "", /^PROBLEM: .*nothing answers at 127\.0\.0\.1:1/);
  problems.worked("s2");
  assert.notEqual(problems.current, undefined);
  problems.worked("s1");
  assert.equal(problems.current, undefined);
});

test("what has failed for ten seconds is a problem, however few tries that were, since tries may hang", () => {
  const problems = new SourceProblems();
  problems.failed("s1", UNREACHABLE, 5_000);
  problems.failed("s2", UNREACHABLE, 14_000);
  assert.equal(problems.current, undefined);
  problems.failed("s1", UNREACHABLE, 15_000);
  assert.match(problems.current ?? "", /^PROBLEM: /);
  problems.worked("s1");
  problems.failed("s1", UNREACHABLE, 16_000);
  assert.equal(problems.current, undefined);
});

test("a try that hung for ten seconds is a problem at once", () => {
  const problems = new SourceProblems();
  problems.failed("s1", UNREACHABLE, 60_000, 9_000);
  assert.equal(problems.current, undefined);
  problems.failed("s2", UNREACHABLE, 60_000, 10_000);
  assert.match(problems.current ?? "", /^PROBLEM: /);
});

test("throttles are no problem, however many", () => {
  const problems = new SourceProblems();
  const throttle = new MillraceError("ERR_MILLRACE_SOURCE_THROTTLED", "slower");
  for (let failures = 0; failures < 10; failures++) problems.failed("s1", throttle, 0);
  assert.equal(problems.current, undefined);
});

test("a mapping says why its source cannot be read, and that it can be again", async () => {
  const world = new SmallWorld();
  world.append("s1", {});
  world.readFailure = new LoginError("no");
  world.start();
  await world.clock.advance(1_000);
  assert.equal(world.engine.status()[0]?.lastProcessingResult, "SASL authentication failed");
  world.readFailure = undefined;
  await world.clock.advance(60_000);
  assert.equal(world.engine.status()[0]?.lastProcessingResult, "OK");
});

test("what fails is told until the source is heard again, not until a read that heard nothing", async () => {
  const world = new SmallWorld();
  const result = () => world.engine.status()[0]?.lastProcessingResult;
  world.readFailure = UNREACHABLE;
  world.start();
  await world.clock.advance(60_000);
  world.readFailure = undefined;
  for (let reads = 0; reads < 200; reads++) {
    world.tellNext = { nothingHeard: true };
    await world.clock.advance(50);
  }
  assert.match(result() ?? "", /^PROBLEM: .*nothing answers at 127\.0\.0\.1:1/);
  world.tellNext = undefined;
  await world.clock.advance(1_000);
  assert.equal(result(), "No records processed");
});

test("a listing that fails on is told, though the shards that are known go on: new ones are not found", async () => {
  const world = new SmallWorld();
  const result = () => world.engine.status()[0]?.lastProcessingResult;
  world.start();
  world.append("s1", {});
  await world.clock.advance(1_000);
  const { listing } = world;
  world.listing = async () => {
    throw new MillraceError("ERR_MILLRACE_SOURCE_UNAVAILABLE", "ListShards is denied");
  };
  await world.clock.advance(5 * 60_000);
  world.append("s1", {});
  await world.clock.advance(1_000);
  assert.equal(world.calls.length, 2);
  assert.match(result() ?? "", /^PROBLEM: .*ListShards is denied/);
  world.listing = listing;
  await world.clock.advance(60_000);
  assert.equal(result(), "OK");
});

test("a source that answers nothing for ten seconds and then fails is a problem at once", async () => {
  const world = new SmallWorld();
  const result = () => world.engine.status()[0]?.lastProcessingResult;
  world.idleReadMs = 1_000;
  world.start();
  for (let reads = 0; reads < 24; reads++) {
    world.tellNext = { nothingHeard: true };
    await world.clock.advance(500);
  }
  world.readFailure = UNREACHABLE;
  await world.clock.advance(1_000);
  assert.match(result() ?? "", /^PROBLEM: .*nothing answers at 127\.0\.0\.1:1/);
});

test("leases that cannot be renewed are told, though all else answers: nothing starts soon", async () => {
  const world = new SmallWorld();
  const result = () => world.engine.status()[0]?.lastProcessingResult;
  world.start();
  world.append("s1", {});
  await world.clock.advance(1_000);
  const renew = world.store.renew;
  world.store.renew = async () => {
    throw new MillraceError("ERR_MILLRACE_STORE_UNAVAILABLE", "the group's coordinator is away");
  };
  await world.clock.advance(20_000);
  assert.match(result() ?? "", /^PROBLEM: .*the group's coordinator is away/);
  world.store.renew = renew;
  await world.clock.advance(20_000);
  assert.equal(result(), "OK");
});

const never = () => new Promise<never>(() => {});

test("a read, or an opening, that is not answered for thirty seconds is told, though nothing has failed", async () => {
  for (const what of ["openReader", "read"] as const) {
    const world = new SmallWorld();
    const result = () => world.engine.status()[0]?.lastProcessingResult;
    const deployment = world.deployment();
    const { openReader } = deployment.source;
    const silent = async (...call: Parameters<typeof openReader>) => ({
      ...(await openReader(...call)),
      read: never,
    });
    world.engine.start({
      ...deployment,
      source: { ...deployment.source, openReader: what === "read" ? silent : never },
    });
    await world.clock.advance(29_000);
    assert.equal(result(), "No records processed");
    await world.clock.advance(2_000);
    assert.match(result() ?? "", /^PROBLEM: the source has not answered for 3\d s/);
  }
});

test("a listing or a store that never answers is told within two minutes", async () => {
  for (const hang of [
    (world: SmallWorld) => {
      world.listing = never;
    },
    (world: SmallWorld) => {
      world.store.list = never;
    },
  ]) {
    const world = new SmallWorld();
    hang(world);
    world.start();
    await world.clock.advance(100_000);
    const { lastProcessingResult } = world.engine.status()[0] ?? {};
    assert.match(lastProcessingResult ?? "", /^PROBLEM: the source or the store has not answered/);
  }
});
