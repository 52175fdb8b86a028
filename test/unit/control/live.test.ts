import assert from "node:assert/strict";
import { test } from "node:test";
import { LiveHistory } from "../../../src/control/live/live-history.ts";
import { shardStretch } from "../../../src/control/live/live-shards.ts";
import { LiveBook } from "../../../src/control/live/live-view.ts";
import type { MappingSnapshot, SeenPart } from "../../../src/control/process-snapshot.ts";
import { sightOfSeen } from "../../../src/control/told-parts.ts";
import type { WholeView } from "../../../src/control/whole-view.ts";
import type { LaneExplanation, ShardExplanation } from "../../../src/engine/explanation.ts";
import { seenProcess } from "./seen-process.ts";

test("a process that begins anew tells no rate of before", () => {
  const history = new LiveHistory();
  const whole = (atMs: number, read: number, processId = "p"): WholeView => ({
    nowMs: atMs,
    problem: undefined,
    processes: [seenProcess(processId, atMs, read)],
  });
  history.note(whole(0, 1_000), 0);
  history.note(whole(1_000, 2_000), 1_000);
  history.note(whole(10_000, 6_000), 10_000);
  history.note(whole(20_000, 10, "q"), 20_000);
  history.note(whole(30_000, 110, "q"), 30_000);
  assert.deepEqual(
    history.of("a").map(({ at, read }) => [at, read]),
    [
      [0, 0],
      [10_000, 500],
      [20_000, 0],
      [30_000, 10],
    ],
  );
});

test("a clock of the host that is set back by an hour holds up neither the history nor the view", async () => {
  let wallMs = 3_600_000;
  let monotonicMs = 0;
  const book = new LiveBook({
    everywhere: async () => ({ nowMs: wallMs, problem: undefined, processes: [seenProcess("p", wallMs, 1)] }),
    mappings: async () => [],
    clock: { monotonic: () => monotonicMs },
  });
  assert.equal((await book.view()).nowMs, 3_600_000);
  wallMs = 0;
  monotonicMs = 6_000;
  assert.equal((await book.view()).nowMs, 0);
  const look = { mayInspect: false, from: 0, max: 10 };
  assert.equal((await book.detail("a", look)).history.length, 2);
});

test("a quarter of an hour is kept", () => {
  const history = new LiveHistory();
  for (let step = 0; step < 1_000; step++)
    history.note(
      { nowMs: step * 5_000, problem: undefined, processes: [seenProcess("p", step * 5_000, step)] },
      step * 5_000,
    );
  assert.equal(history.of("a").length, 180);
  assert.deepEqual(history.of("nobody"), []);
});

test("a lane is idle, waits, runs, is tried again, or is blocked", () => {
  const batch = { ...BATCH, failures: 0 };
  const lanes = [
    laneOf(1, 3),
    laneOf(2, 0, batch),
    laneOf(3, 0, { ...batch, failures: 2, doing: "pausing" }),
    laneOf(4, 9, { ...batch, failures: 9, doing: "pausing" }),
    laneOf(5, 0, { ...batch, doing: "queued" }),
  ];
  const failing = (lane: number, sinceMs: number): SeenPart => ({
    part: `shard-0 lane ${lane}`,
    holdsWork: true,
    sinceMs,
    reasons: [{ code: "functionFails", sinceMs, untilMs: undefined, facts: {} }],
  });
  const words = wordsOf({
    shards: [shardOf("shard-0", 5, lanes)],
    parts: [failing(3, 95_000), failing(4, 0)],
  });
  const { parts } = sightOfSeen(words, 100_000, false);
  const { shards } = shardStretch(words, parts, 6, { from: 0, max: 10 });
  assert.deepEqual(shards[0]?.lanes, ["idle", "waits", "runs", "retries", "blocked", "waits"]);
});

test("shards come in stretches, those that are held up first, then those that are farthest behind", () => {
  const shards = Array.from({ length: 7 }, (_, index) => shardOf(`shard-${index}`, index * 10, []));
  const held: SeenPart = {
    part: "shard-2",
    holdsWork: true,
    sinceMs: 0,
    reasons: [{ code: "sourceDenied", sinceMs: 0, untilMs: undefined, facts: {} }],
  };
  const words = wordsOf({ shards, parts: [held] });
  const { parts } = sightOfSeen(words, 100_000, false);
  const stretch = shardStretch(words, parts, 1, { from: 0, max: 3 });
  assert.deepEqual(
    [stretch.shards.map(({ shardId }) => shardId), stretch.shardsTotal, stretch.lagMaxMs],
    [["shard-2", "shard-6", "shard-5"], 7, 60],
  );
  const rest = shardStretch(words, parts, 1, { from: 5, max: 3 });
  assert.deepEqual([rest.shards.map(({ shardId }) => shardId), rest.shardsFrom], [["shard-1", "shard-0"], 5]);
});

const BATCH = {
  doing: "invoking",
  sinceMs: 0,
  requestId: "r",
  records: 1,
  laterRecords: 0,
  firstRecord: "1",
  lastRecord: "1",
  attempts: 1,
  throttles: 0,
  lastProblem: undefined,
  nextAttemptMs: undefined,
  groups: [],
} as const;

function laneOf(lane: number, waitingRecords: number, batch?: LaneExplanation["batch"]): LaneExplanation {
  return { lane, waitingRecords, idleSinceMs: 0, fillingUntilMs: undefined, batch };
}

function shardOf(shardId: string, lagMs: number, lanes: readonly LaneExplanation[]): ShardExplanation {
  return {
    shardId,
    epoch: 1,
    bufferedRecords: 0,
    bufferedBytes: 0,
    settledRecords: 0,
    checkpointFailures: undefined,
    lagMs,
    offsetLag: undefined,
    caughtUp: false,
    ended: false,
    isLeaseLive: true,
    settled: { kind: "oldest" },
    passedOverRecords: 0,
    reading: "reading",
    readingNow: { doing: "asking", sinceMs: 0, untilMs: 0 },
    readFailures: undefined,
    lanes,
  };
}

function wordsOf({ shards, parts }: { shards: readonly ShardExplanation[]; parts: readonly SeenPart[] }) {
  const process = seenProcess("p", 0, 0);
  const [first] = process.snapshot.mappings;
  assert(first !== undefined);
  const fn = {
    name: "f",
    limit: 1,
    concurrency: 1,
    timeoutMs: 1,
    running: 0,
    waiting: 0,
    ownRunning: 0,
    ownWaiting: 0,
  };
  const explanation = { kind: "stream", function: fn, shards } as const;
  const mapping: MappingSnapshot = { ...first, shards: shards.length, explanation, parts };
  return [{ process, mapping }];
}
