import assert from "node:assert/strict";
import { test } from "node:test";
import type {
  BatchExplanation,
  FunctionExplanation,
  LaneExplanation,
  QueueExplanation,
  ShardExplanation,
} from "../../../src/engine/explanation.ts";
import { reasonsOf } from "../../../src/engine/reasons.ts";
import type { ReasonCode } from "../../../src/model/reason.ts";

const NOW_MS = 1_000_000;
const FN: FunctionExplanation = {
  name: "orders",
  limit: 10,
  concurrency: 10,
  timeoutMs: 3_000,
  running: 0,
  waiting: 0,
  ownRunning: 0,
  ownWaiting: 0,
};
const SHARD: ShardExplanation = {
  shardId: "s",
  epoch: 1,
  bufferedRecords: 5,
  bufferedBytes: 500,
  settledRecords: 7,
  checkpointFailures: undefined,
  lagMs: 1_000,
  offsetLag: undefined,
  caughtUp: false,
  ended: false,
  isLeaseLive: true,
  settled: { kind: "after", position: "9" },
  passedOverRecords: 0,
  reading: "reading",
  readingNow: { doing: "asking", sinceMs: NOW_MS, untilMs: NOW_MS },
  readFailures: undefined,
  lanes: [],
};
const LANE: LaneExplanation = {
  lane: 0,
  waitingRecords: 0,
  idleSinceMs: NOW_MS - 60_000,
  fillingUntilMs: undefined,
  batch: undefined,
};
const BATCH: BatchExplanation = {
  doing: "invoking",
  sinceMs: NOW_MS - 1_000,
  requestId: "r",
  records: 5,
  laterRecords: 0,
  firstRecord: "10",
  lastRecord: "14",
  attempts: 1,
  failures: 0,
  throttles: 0,
  lastProblem: undefined,
  nextAttemptMs: undefined,
  groups: [],
};
const QUEUE: QueueExplanation = {
  kind: "queue",
  function: FN,
  batchesMax: 5,
  runningBatches: 0,
  waitingMessages: 0,
  settledMessages: 3,
  settling: 0,
  isStopping: false,
  fillingUntilMs: undefined,
  receiving: { receives: 2, idleSinceMs: NOW_MS - 60_000, failures: undefined, nextMs: undefined },
  batches: [],
  waitingGroups: [],
  failedMessages: [],
};

function ofShard(shard: Partial<ShardExplanation>): readonly ReasonCode[] {
  const explanation = { kind: "stream", function: FN, shards: [{ ...SHARD, ...shard }] } as const;
  return reasonsOf(explanation, NOW_MS)
    .filter(({ part }) => part === "s")
    .flatMap(({ reasons }) => reasons.map(({ code }) => code));
}

function ofLane(lane: Partial<LaneExplanation>): readonly ReasonCode[] {
  const explanation = {
    kind: "stream",
    function: FN,
    shards: [{ ...SHARD, lanes: [{ ...LANE, ...lane }] }],
  } as const;
  return reasonsOf(explanation, NOW_MS)
    .filter(({ part }) => part === "s lane 0")
    .flatMap(({ reasons }) => reasons.map(({ code }) => code));
}

function ofQueue(queue: Partial<QueueExplanation>): readonly ReasonCode[] {
  return reasonsOf({ ...QUEUE, ...queue }, NOW_MS).flatMap(({ reasons }) => reasons.map(({ code }) => code));
}

test("a read that was asked for just now is progress, one that is not answered is the source's silence", () => {
  assert.deepEqual(ofShard({}), ["progressing"]);
  const readingNow = { doing: "asking", sinceMs: NOW_MS - 20_000, untilMs: NOW_MS - 20_000 } as const;
  assert.deepEqual(ofShard({ readingNow }), ["sourceSilent"]);
  assert.deepEqual(ofShard({ readingNow, caughtUp: true }), ["caughtUp"]);
  const longAgo = { ...readingNow, sinceMs: NOW_MS - 31_000 };
  assert.deepEqual(ofShard({ readingNow: longAgo, caughtUp: true }), ["sourceSilent"]);
});

test("a reader that has ended, or that has slept past its moment, is one that nobody can explain", () => {
  const sinceMs = NOW_MS - 60_000;
  assert.deepEqual(ofShard({ readingNow: { doing: "nothing", sinceMs, untilMs: sinceMs } }), ["unknown"]);
  const pausing = { doing: "pausing", sinceMs, untilMs: NOW_MS - 40_000 } as const;
  assert.deepEqual(ofShard({ readingNow: pausing }), ["unknown"]);
  assert.deepEqual(ofShard({ readingNow: { ...pausing, untilMs: NOW_MS + 1 } }), ["progressing"]);
});

test("a shard that is drained is being stopped, and what fails meanwhile is told beside that", () => {
  assert.deepEqual(ofShard({ reading: "stopped" }), ["stopping"]);
  assert.deepEqual(ofShard({ reading: "stopped", checkpointFailures: 3 }), ["checkpointFails", "stopping"]);
});

for (const [fault, code] of [
  ["throttled", "sourceThrottled"],
  ["denied", "sourceDenied"],
  ["credentials", "sourceDenied"],
  ["notFound", "sourceGone"],
  ["passing", "sourceUnavailable"],
  ["clock", "sourceUnavailable"],
] as const) {
  test(`a source that fails as ${fault} is ${code}, of a stream and of a queue`, () => {
    const failures = { count: 3, lastProblem: "no", fault };
    assert.deepEqual(ofShard({ reading: "failing", readFailures: failures }), [code]);
    const receiving = { receives: 0, idleSinceMs: NOW_MS, failures, nextMs: NOW_MS + 500 };
    assert.deepEqual(ofQueue({ receiving }), [code]);
  });
}

test("a queue whose next try lies in the past receives for ever nothing, and nobody can say why", () => {
  const failures = { count: 1, lastProblem: "503", fault: "passing" } as const;
  const receiving = { receives: 0, idleSinceMs: NOW_MS - 60_000, failures, nextMs: NOW_MS - 60_000 };
  assert.deepEqual(ofQueue({ receiving }), ["sourceUnavailable", "unknown"]);
  assert.deepEqual(ofQueue({ receiving: { ...receiving, nextMs: undefined } }), [
    "sourceUnavailable",
    "unknown",
  ]);
});

test("a queue that neither receives nor holds anything is one that nobody can explain", () => {
  const receiving = { ...QUEUE.receiving, receives: 0 };
  assert.deepEqual(ofQueue({ receiving }), ["unknown"]);
  assert.deepEqual(ofQueue({ receiving, batchesMax: 0 }), ["waitsForPlace"]);
  assert.deepEqual(ofQueue({ receiving, isStopping: true }), ["stopping"]);
});

test("a queue whose receives failed long ago and that stops, has no place or is full of batches says that", () => {
  const failures = { count: 3, lastProblem: "503", fault: "passing" } as const;
  const receiving = { receives: 0, idleSinceMs: NOW_MS - 60_000, failures, nextMs: undefined };
  assert.deepEqual(ofQueue({ receiving, isStopping: true }), ["stopping"]);
  assert.deepEqual(ofQueue({ receiving, batchesMax: 0 }), ["waitsForPlace"]);
  assert.deepEqual(ofQueue({ receiving, share: { places: 0, most: 4 } }), ["sharedMaximumTaken"]);
  assert.deepEqual(ofQueue({ receiving, runningBatches: 8, batchesMax: 2 }), ["readingFull"]);
});

test("messages that wait say for what, or that nobody knows", () => {
  const waiting = { waitingMessages: 4, runningBatches: 1 };
  assert.deepEqual(ofQueue({ ...waiting, fillingUntilMs: NOW_MS + 5_000 }), ["progressing", "fillingBatch"]);
  assert.deepEqual(ofQueue(waiting), ["progressing", "groupBusy"]);
  assert.deepEqual(ofQueue({ ...waiting, runningBatches: 5 }), ["progressing", "waitsForPlace"]);
  assert.deepEqual(ofQueue({ ...waiting, fillingUntilMs: NOW_MS - 60_000 }), ["progressing", "unknown"]);
});

test("records that wait without a batch are forgotten by their lane, unless it fills one", () => {
  assert.deepEqual(ofLane({ waitingRecords: 3 }), ["unknown"]);
  assert.deepEqual(ofLane({ waitingRecords: 3, idleSinceMs: NOW_MS }), ["progressing"]);
  assert.deepEqual(ofLane({ waitingRecords: 3, fillingUntilMs: NOW_MS + 300_000 }), ["fillingBatch"]);
  assert.deepEqual(ofLane({ waitingRecords: 3, fillingUntilMs: NOW_MS - 30_000 }), ["unknown"]);
  assert.deepEqual(ofLane({}), ["windowOpen"]);
});

for (const [what, batch, code] of [
  ["runs", {}, "functionRuns"],
  [
    "runs again after a failure",
    { lastProblem: "TypeError", failure: "functionFails", attempts: 2 },
    "functionFails",
  ],
  // Its function had ten seconds to start, three to run, and one more.
  ["runs past its time-out since its function had to start", { sinceMs: NOW_MS - 14_000 }, "functionRuns"],
  ["runs long past its time-out", { sinceMs: NOW_MS - 60_000 }, "unknown"],
  ["waits for its next attempt", { doing: "pausing", nextAttemptMs: NOW_MS + 9_000 }, "functionFails"],
  ["was to be tried again a minute ago", { doing: "pausing", nextAttemptMs: NOW_MS - 60_000 }, "unknown"],
  ["waits for its turn", { doing: "queued" }, "atConcurrency"],
  ["is done and is taken off its queue", { doing: "settling" }, "progressing"],
  [
    "is not taken off its queue for long",
    { doing: "settling", sinceMs: NOW_MS - 11_000 },
    "sourceUnavailable",
  ],
  ["waits for a store that takes no checkpoint", { doing: "undurable" }, "checkpointFails"],
  ["is handed to the destination", { doing: "discarding" }, "progressing"],
  [
    "a destination does not answer for long",
    { doing: "discarding", sinceMs: NOW_MS - 11_000 },
    "destinationUnavailable",
  ],
] as const) {
  test(`a batch that ${what}: ${code}`, () => {
    assert.deepEqual(ofLane({ batch: { ...BATCH, ...batch } }), [code]);
  });
}

test("a batch that waits for its lease says so until the lease is renewed", () => {
  const lanes = [{ ...LANE, batch: { ...BATCH, doing: "leaseless" as const } }];
  const codesOf = (isLeaseLive: boolean) =>
    reasonsOf({ kind: "stream", function: FN, shards: [{ ...SHARD, isLeaseLive, lanes }] }, NOW_MS)
      .filter(({ part }) => part === "s lane 0")
      .flatMap(({ reasons }) => reasons.map(({ code }) => code));
  assert.deepEqual(codesOf(false), ["leaseNotRenewed"]);
  assert.deepEqual(codesOf(true), ["progressing"]);
});

test("a store that takes no checkpoint and a lease that is not renewed are told beside the reading", () => {
  const codes = ofShard({ checkpointFailures: 4, isLeaseLive: false, reading: "full" });
  assert.deepEqual(codes, ["leaseNotRenewed", "checkpointFails", "readingFull"]);
});

test("a shard that is read well and whose lane says why it waits has nothing more to explain", () => {
  const holdsWork = (shard: Partial<ShardExplanation>, batch: Partial<BatchExplanation>) => {
    const lanes = [{ ...LANE, batch: { ...BATCH, ...batch } }];
    const shards = [{ ...SHARD, lanes, ...shard }];
    const [part] = reasonsOf({ kind: "stream", function: FN, shards }, NOW_MS);
    return part?.holdsWork;
  };
  const failing = { doing: "pausing", nextAttemptMs: NOW_MS + 9_000, lastProblem: "throttled" } as const;
  assert.equal(holdsWork({}, failing), false);
  assert.equal(holdsWork({}, { doing: "starting" }), true, "neither of them says why");
  assert.equal(holdsWork({ isLeaseLive: false }, failing), true, "the shard has a reason of its own");
  assert.equal(holdsWork({ lanes: [] }, {}), true, "what is read is nowhere");
});

test("a source that has more and does not give it holds it back; what is merely behind is not called so", () => {
  const held = { lagMs: 0, bufferedRecords: 0, offsetLag: 5 } as const;
  assert.deepEqual(ofShard(held), ["sourceHoldsBack"]);
  assert.deepEqual(ofShard({ ...held, lagMs: 1 }), ["progressing"]);
  assert.deepEqual(ofShard({ ...held, bufferedRecords: 1 }), ["progressing"]);
  assert.deepEqual(ofShard({ ...held, offsetLag: undefined }), ["progressing"]);
});
