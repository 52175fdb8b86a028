import assert from "node:assert/strict";
import { test } from "node:test";
import { SourceOutages } from "../../../../src/engine/stream/source-outages.ts";
import { RepeatedLines } from "../../../../src/lib/repeated-lines.ts";
import type { LogFields } from "../../../../src/ports/telemetry.ts";
import { ManualClock, SILENT_TELEMETRY } from "./small-world.ts";

const LIMITS = { backoffBaseMs: 1_000, backoffCapMs: 60_000 };
const NO_STOP = new AbortController().signal;
const RANDOM = { next: () => 0.5, int: () => 0, uuid: () => "" };

function outagesOf(clock: ManualClock): SourceOutages {
  return new SourceOutages(clock, RANDOM);
}

test("shards that fail together at an endpoint are one failure, and try again together", async () => {
  const clock = new ManualClock();
  const outages = outagesOf(clock);
  const news = Array.from({ length: 200 }, () => outages.failed("broker:9092", LIMITS));
  assert.deepEqual(news.filter(Boolean).length, 1);
  let awake = 0;
  for (let shard = 0; shard < 200; shard++) void outages.pause("broker:9092", NO_STOP).then(() => awake++);
  await clock.advance(499);
  assert.equal(awake, 0);
  await clock.advance(1);
  assert.equal(awake, 200);
  assert.equal(outages.failed("broker:9092", LIMITS), false);
  void outages.pause("broker:9092", NO_STOP).then(() => awake++);
  await clock.advance(999);
  assert.equal(awake, 200);
  await clock.advance(1);
  assert.equal(awake, 201);
});

test("the first shard that is read again wakes all others of the place, and of no other place", async () => {
  const clock = new ManualClock();
  const outages = outagesOf(clock);
  const woken: string[] = [];
  for (const place of ["a", "a", "b"]) {
    for (let tries = 0; tries < 8; tries++) {
      outages.failed(place, LIMITS);
      await clock.advance(70_000);
    }
    outages.failed(place, LIMITS);
    void outages.pause(place, NO_STOP).then(() => woken.push(place));
  }
  await clock.advance(1);
  assert.ok((outages.worked("a") ?? 0) > 0);
  await clock.advance(1);
  assert.deepEqual(woken, ["a", "a"]);
  assert.equal(outages.worked("a"), undefined);
  assert.equal(outages.failed("a", LIMITS), true);
});

test("a pause ends with a stop and leaves no timer behind", async () => {
  const clock = new ManualClock();
  const outages = outagesOf(clock);
  outages.failed("a", LIMITS);
  const stop = new AbortController();
  const pause = outages.pause("a", stop.signal);
  stop.abort();
  await pause;
  assert.equal(clock.pendingCalls, 0);
  await outages.pause("a", stop.signal);
  await outages.pause("elsewhere", NO_STOP);
});

test("a timer that fires early costs another look, and no standstill", async () => {
  const clock = new ManualClock();
  const early = {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    schedule: (ms: number, fire: () => void) => clock.schedule(Math.max(0, ms - 2), fire),
  };
  const outages = new SourceOutages(early, RANDOM);
  outages.failed("a", LIMITS);
  let tries = 0;
  const loop = async () => {
    while (tries < 5) {
      await outages.pause("a", NO_STOP);
      tries++;
      outages.failed("a", LIMITS);
    }
  };
  void loop();
  await clock.advance(60_000);
  assert.equal(tries, 5);
});

test("of lines that come again and again a few a minute are written, and how many were left out", async () => {
  const clock = new ManualClock();
  const written: (readonly [string, LogFields])[] = [];
  const telemetry = {
    ...SILENT_TELEMETRY,
    log: (_: string, message: string, fields: LogFields) => written.push([message, fields]),
  };
  const lines = new RepeatedLines(clock, telemetry);
  for (let shard = 0; shard < 200; shard++) lines.write("warn", "not renewed", { shardId: `t-${shard}` });
  lines.write("warn", "not read", {});
  assert.deepEqual(
    written.map(([message, { shardId }]) => [message, shardId]),
    [
      ["not renewed", "t-0"],
      ["not renewed", "t-1"],
      ["not renewed", "t-2"],
      ["not read", undefined],
    ],
  );
  await clock.advance(60_000);
  lines.write("warn", "not renewed", { shardId: "t-7" });
  lines.write("warn", "not renewed", { shardId: "t-8" });
  assert.deepEqual(
    written.slice(4).map(([, fields]) => fields),
    [{ shardId: "t-7", linesLeftOut: 197 }, { shardId: "t-8" }],
  );
});
