import assert from "node:assert/strict";
import { test } from "node:test";
import type { ExplainedMapping } from "../../../src/control/explained-mapping.ts";
import { explanationLines } from "../../../src/control/explanation-text.ts";
import type { BatchExplanation, FunctionExplanation, ShardExplanation } from "../../../src/engine/engine.ts";
import { initialCheckpoint } from "../../../src/model/checkpoint.ts";
import { createTelemetry } from "../../../src/telemetry/telemetry.ts";
import { ControlWorld, QUEUE_SPEC, STREAM_SPEC } from "./control-world.ts";

const NOW_MS = Date.UTC(2026, 0, 1, 12);
const FUNCTION: FunctionExplanation = {
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
  shardId: "s1",
  epoch: 3,
  bufferedRecords: 0,
  bufferedBytes: 0,
  settledRecords: 0,
  checkpointFailures: undefined,
  lagMs: 0,
  offsetLag: undefined,
  caughtUp: true,
  ended: false,
  isLeaseLive: true,
  settled: { kind: "after", position: "9" },
  passedOverRecords: 0,
  reading: "reading",
  readFailures: undefined,
  readingNow: { doing: "asking", sinceMs: NOW_MS, untilMs: NOW_MS },
  lanes: [],
};
const BATCH: BatchExplanation = {
  doing: "pausing",
  sinceMs: NOW_MS - 1_500,
  requestId: "r",
  records: 10,
  laterRecords: 5,
  firstRecord: "10",
  lastRecord: "19",
  attempts: 4,
  failures: 3,
  throttles: 0,
  lastProblem: "TypeError",
  nextAttemptMs: NOW_MS + 3_200,
  groups: [],
};

function explained(here: Partial<ShardExplanation>, rest: Partial<ExplainedMapping> = {}): ExplainedMapping {
  return {
    nowMs: NOW_MS,
    uuid: "u",
    name: "orders-stream",
    state: "Enabled",
    lastProcessingResult: "OK",
    source: "arn",
    processId: "me",
    isRunningHere: true,
    hasFilter: false,
    environments: undefined,
    totals: createTelemetry({ log: () => undefined, processMetrics: false }).totals("m").counters,
    function: FUNCTION,
    queue: undefined,
    problem: undefined,
    isFine: true,
    reasons: [],
    parts: [],
    processes: [],
    errors: { errors: [], leftOut: 0 },
    shards: [
      {
        shardId: "s1",
        owner: "me",
        isOwnerHere: true,
        handoverTo: undefined,
        parentShardIds: [],
        checkpoint: { kind: "oldest" },
        isEnded: false,
        here: { ...SHARD, ...here },
      },
    ],
    ...rest,
  };
}

test("says of a shard that all is well, in few lines", () => {
  assert.deepEqual(explanationLines(explained({}), undefined), [
    "orders-stream (u): Enabled, last result: OK",
    "  source: arn",
    "  function orders: 0 of at most 10 invocations run",
    "  since this process began: 0 read, 0 given up without a destination, 0 handed to the failure destination",
    "",
    "s1",
    "  owner: me (this process), epoch 3",
    "  settled: up to 9",
    "  caught up; 0 records read and not settled",
  ]);
});

const SITUATIONS: readonly (readonly [what: string, mapping: ExplainedMapping, line: RegExp])[] = [
  [
    "a blocked batch",
    explained({
      lanes: [{ lane: 2, waitingRecords: 20, idleSinceMs: NOW_MS, fillingUntilMs: undefined, batch: BATCH }],
    }),
    /^ {2}lane 2: BLOCKED: batch of 10 records from 10 to 19 waits for its next attempt for 1\.5 s, in 3\.2 s at 12:00:03; 4 attempts, 3 failures that count; last: TypeError; 5 records of the same batch come after it; request r; 20 records wait behind it$/,
  ],
  [
    "a batch that waits for its turn",
    explained({
      lanes: [
        {
          lane: 0,
          waitingRecords: 0,
          idleSinceMs: NOW_MS,
          fillingUntilMs: undefined,
          batch: {
            ...BATCH,
            doing: "queued",
            lastProblem: undefined,
            nextAttemptMs: undefined,
            laterRecords: 0,
          },
        },
      ],
    }),
    /^ {2}lane 0: batch of 10 records .* waits for its turn, since the function is at its concurrency/,
  ],
  [
    "a batch that is being filled",
    explained({
      lanes: [
        { lane: 0, waitingRecords: 3, idleSinceMs: NOW_MS, fillingUntilMs: NOW_MS + 500, batch: undefined },
      ],
    }),
    /^ {2}lane 0: a batch of 3 records is filled for 500 ms more$/,
  ],
  [
    "a lag",
    explained({ caughtUp: false, lagMs: 90_000, offsetLag: 12 }),
    /^ {2}behind: 90\.0 s, 12 records at the last read; /,
  ],
  ["a full window", explained({ reading: "full" }), /^ {2}READING STOPPED: /],
  [
    "reading that fails",
    explained({ readFailures: { count: 3, lastProblem: "gone", fault: "notFound" } }),
    /^ {2}READING FAILS, 3 times since it last worked: gone$/,
  ],
  ["a lease that ran out", explained({ isLeaseLive: false }), /LEASE NOT RENEWED/],
  [
    "a function at its concurrency, now less than it may be",
    explained(
      {},
      { function: { ...FUNCTION, limit: 4, running: 4, ownRunning: 1, waiting: 7, ownWaiting: 2 } },
    ),
    /^ {2}function orders: 4 of at most 4 for now \(of 10\) invocations run, 1 of them this mapping's: AT ITS CONCURRENCY; 7 batches wait for their turn, 2 of them this mapping's$/,
  ],
  [
    "a function that nothing may start of",
    explained({}, { function: { ...FUNCTION, limit: 0, concurrency: 0, shut: "zeroConcurrency" } }),
    /^ {2}function orders: NOTHING STARTS: the function's reserved concurrency is 0/,
  ],
  [
    "a function that waits for places that others have taken",
    explained({}, { function: { ...FUNCTION, account: { limit: 3, running: 3 } } }),
    /invocations run; ALL UNRESERVED PLACES ARE TAKEN \(3 of 3, by functions that reserve none\)$/,
  ],
  [
    "what the filter drops",
    explained({ passedOverRecords: 8 }, { hasFilter: true }),
    /^ {2}passed over: 8 records that the filter drops/,
  ],
];

for (const [what, mapping, line] of SITUATIONS) {
  test(`says of a shard: ${what}`, () => {
    const lines = explanationLines(mapping, undefined);
    assert(
      lines.some((each) => line.test(each)),
      lines.join("\n"),
    );
  });
}

test("says of a partition that another process has that it is not here", () => {
  const lines = explanationLines(explained({}, { shards: [] }), "orders-7");
  assert.equal(lines.at(-1), "  Nothing of orders-7 is in the hands of this process.");
});

test("says who has a shard, which is ended, and which waits for its parents", async () => {
  const world = new ControlWorld();
  const { plane } = await world.start("a");
  const { uuid } = (await plane.mappings.create(STREAM_SPEC, true, {})).resource.mapping;
  const checkpoint = initialCheckpoint({ kind: "oldest" });
  const shards = [
    { shardId: "child", parentShardIds: ["ended", "theirs"], closed: false },
    { shardId: "ended", parentShardIds: [], closed: true },
    { shardId: "theirs", parentShardIds: [], closed: false },
  ];
  await world.progress.initialise(
    uuid,
    shards.map((shard) => ({ shard, checkpoint: { ...checkpoint, ended: shard.shardId === "ended" } })),
  );
  const row = (await world.progress.list(uuid)).find(({ shardId }) => shardId === "theirs");
  assert(row !== undefined);
  await world.progress.acquire(uuid, "theirs", "process-b", row);
  await world.pass(2_000);
  const { text } = await plane.explain(uuid, undefined);
  assert.deepEqual(text.slice(text.indexOf("child") - 1), [
    "",
    "child",
    "  owner: nobody",
    "  settled: nothing, from the oldest record on",
    "  It waits for ended and theirs to end.",
    "",
    "ended",
    "  ended: all of it is processed",
    "  settled: nothing, from the oldest record on",
    "",
    "theirs",
    "  owner: process-b",
    "  settled: nothing, from the oldest record on",
    "  Ask that process for more.",
  ]);
  const { shards: chosen } = await plane.explain(uuid, "theirs");
  assert.deepEqual(
    chosen.map(({ shardId }) => shardId),
    ["theirs"],
  );
  await assert.rejects(plane.explain(uuid, "nothing"), { fault: "ResourceNotFoundException" });
});

test("a queue's mapping that does not run here is explained by that", async () => {
  const world = new ControlWorld();
  const { plane } = await world.start("a");
  const { uuid } = (await plane.mappings.create(QUEUE_SPEC, false, {})).resource.mapping;
  const { text, queue } = await plane.explain(uuid, "group");
  assert.equal(queue, undefined);
  assert(text.includes("  It does not run in this process."), text.join("\n"));
});
