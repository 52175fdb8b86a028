import assert from "node:assert/strict";
import { test } from "node:test";
import { type Causes, causeLines, ranges } from "../../../src/control/cause-text.ts";
import { findNamed } from "../../../src/control/find-named.ts";
import type { MappingSnapshot, ProcessSnapshot } from "../../../src/control/process-snapshot.ts";
import { isBad, sightOf } from "../../../src/control/told-parts.ts";
import type { ProcessStanding, WholeView } from "../../../src/control/whole-view.ts";
import type { BatchExplanation, StreamExplanation } from "../../../src/engine/engine.ts";
import type { FunctionErrorEntry } from "../../../src/model/function-error.ts";
import { reason } from "../../../src/model/reason.ts";
import { createTelemetry } from "../../../src/telemetry/telemetry.ts";

const NOW_MS = Date.UTC(2026, 0, 1, 12, 15, 7);
const SHARD = "shardId-000000000002";
const { counters } = createTelemetry({ log: () => undefined, processMetrics: false }).totals("m");
const ERROR: FunctionErrorEntry = {
  id: "e7f3",
  function: "orders",
  errorType: "TypeError",
  message: "no price for order 1",
  stack:
    "TypeError: no price for order 1\n    at price (file:///home/lin/orders.ts:14:9)\n    at handler (node:x)",
  logTail: undefined,
  count: 9,
  firstSeenMs: NOW_MS - 60_000,
  lastSeenMs: NOW_MS,
  lastRequestId: "r",
  sample: {},
  version: undefined,
};
const BATCH: BatchExplanation = {
  doing: "pausing",
  sinceMs: NOW_MS - 8_000,
  requestId: "r",
  records: 1,
  laterRecords: 0,
  firstRecord: "10",
  lastRecord: "10",
  attempts: 9,
  failures: 9,
  throttles: 0,
  lastProblem: "TypeError",
  lastErrorId: "e7f3",
  failure: "functionFails",
  key: "ada",
  nextAttemptMs: NOW_MS + 22_000,
  groups: [],
};
const STREAM: StreamExplanation = {
  kind: "stream",
  function: {
    name: "orders",
    limit: 10,
    concurrency: 10,
    timeoutMs: 3_000,
    running: 0,
    waiting: 0,
    ownRunning: 0,
    ownWaiting: 0,
  },
  shards: [
    {
      shardId: SHARD,
      epoch: 1,
      bufferedRecords: 213,
      bufferedBytes: 1,
      settledRecords: 0,
      checkpointFailures: undefined,
      lagMs: 0,
      oldestAgeMs: 840_000,
      offsetLag: undefined,
      caughtUp: false,
      ended: false,
      isLeaseLive: true,
      settled: { kind: "after", position: "9" },
      passedOverRecords: 0,
      reading: "reading",
      readFailures: undefined,
      readingNow: { doing: "asking", sinceMs: NOW_MS, untilMs: NOW_MS },
      lanes: [{ lane: 1, waitingRecords: 212, idleSinceMs: NOW_MS, fillingUntilMs: undefined, batch: BATCH }],
    },
  ],
};
const MAPPING: MappingSnapshot = {
  uuid: "u",
  name: "orders",
  source: "arn",
  functionName: "orders",
  state: "Enabled",
  lastProcessingResult: "OK",
  oldestAgeMs: 0,
  caughtUp: false,
  counters,
  invocations: 0,
  explanation: STREAM,
  shards: 4,
  shardsLeftOut: 0,
  parts: [
    {
      part: `${SHARD} lane 1`,
      holdsWork: true,
      sinceMs: NOW_MS - 840_000,
      reasons: [
        reason("functionFails", {
          untilMs: NOW_MS + 22_000,
          facts: { attempts: 9, problem: "TypeError", errorId: "e7f3" },
        }),
      ],
    },
  ],
  partsLeftOut: 0,
  errors: { errors: [ERROR], leftOut: 0 },
};

function wordOf(
  processId: string,
  mapping: MappingSnapshot,
  {
    standing = "lives",
    ageMs = 0,
    isHere = false,
  }: { standing?: ProcessStanding; ageMs?: number; isHere?: boolean } = {},
) {
  const snapshot: ProcessSnapshot = {
    form: 1,
    processId,
    beatsAs: processId,
    startedMs: 0,
    atMs: NOW_MS - ageMs,
    isEnded: standing === "ended",
    mappings: [mapping],
    mappingsLeftOut: 0,
  };
  return { snapshot, isHere, standing, ageMs };
}

function linesOf(processes: WholeView["processes"], mayInspect = true): readonly string[] {
  const sight = sightOf("u", { nowMs: NOW_MS, processes, problem: undefined }, mayInspect);
  const causes: Causes = {
    nowMs: NOW_MS,
    name: "orders",
    kind: "stream",
    state: "Enabled",
    reasons: [],
    lanes: 10,
    mayInspect,
    ...sight,
  };
  return causeLines(causes);
}

test("says of a shard that stands still how far it is behind, since when, the error with its place, what waits and what to do", () => {
  assert.deepEqual(linesOf([wordOf("me", MAPPING, { isHere: true })]), [
    "orders: 1 of 4 shards stands still",
    "  shardId-000000000002 lane 1  14 min behind, nothing settled since 12:01:07",
    '    because  key "ada" fails: TypeError: no price for order 1   (e7f3, 9 attempts, next in 22 s)      at price (orders.ts:14)',
    "    waiting  212 records behind it in lane 1; lanes 0, 2–9 go on",
    "    do       Mend and deploy the function. To let others pass, set maximumRetryAttempts, bisect and a failure destination. · docs/runbook.md#functionfails",
  ]);
});

test("neither the key nor a text of the function is told to who may not inspect", () => {
  const text = linesOf([wordOf("me", MAPPING, { isHere: true })], false).join("\n");
  assert.doesNotMatch(text, /ada|no price|orders\.ts/);
  assert.match(text, /because {2}one key fails: TypeError {3}\(e7f3, 9 attempts/);
});

test("what a process that was killed said last is told as its word, with its age and its end, until another has the shard", () => {
  const killed = wordOf("host-1", MAPPING, { standing: "gone", ageMs: 40_000 });
  const [, line] = linesOf([
    wordOf("me", { ...MAPPING, parts: [], explanation: { ...STREAM, shards: [] } }),
    killed,
  ]);
  assert.match(line ?? "", /in host-1, which is gone: killed or cut off; as of 40 s ago$/);
  const taken = linesOf([wordOf("me", { ...MAPPING, parts: [] }, { isHere: true }), killed]);
  assert.deepEqual(taken, ["orders: fine, 4 shards"]);
});

test("an error of two processes is one, with the sum of both", () => {
  const view = { nowMs: NOW_MS, problem: undefined };
  const processes = [wordOf("a", MAPPING), wordOf("b", MAPPING, { standing: "gone", ageMs: 9_000 })];
  const { errors } = sightOf("u", { ...view, processes }, true);
  assert.deepEqual(
    errors.errors.map(({ id, count, message }) => [id, count, message]),
    [["e7f3", 18, "no price for order 1"]],
  );
});

test("a broker that has divided its shards among more than this store's processes is told, once all have settled", () => {
  const divided = (sinceMs: number, listed: number): MappingSnapshot => ({
    ...MAPPING,
    parts: [],
    explanation: { ...STREAM, listed, division: { kind: "divided", sinceMs } },
  });
  const codes = (mapping: MappingSnapshot) =>
    sightOf(
      "u",
      { nowMs: NOW_MS, processes: [wordOf("a", mapping)], problem: undefined },
      true,
    ).parts.flatMap((part) => part.reasons.map(({ code }) => code));
  assert.deepEqual(codes(divided(NOW_MS - 60_000, 6)), ["storesDiffer"]);
  assert.deepEqual(codes(divided(NOW_MS - 1_000, 6)), []);
  assert.deepEqual(codes(divided(NOW_MS - 60_000, 4)), []);
});

test("what waits for a moment under load is not bad before it has stood still for half a minute", () => {
  const waiting = (sinceMs: number) => {
    const part = { part: SHARD, holdsWork: true, sinceMs, reasons: [reason("atConcurrency")] };
    const view = {
      nowMs: NOW_MS,
      processes: [wordOf("a", { ...MAPPING, parts: [part] })],
      problem: undefined,
    };
    return sightOf("u", view, true).parts.map(isBad);
  };
  assert.deepEqual(waiting(NOW_MS - 5_000), [false]);
  assert.deepEqual(waiting(NOW_MS - 31_000), [true]);
});

test("lanes are told as ranges", () => {
  assert.equal(ranges([0, 2, 3, 4, 9]), "0, 2–4, 9");
});

test("a mapping is found by its name, its UUID, or how it alone begins; what several begin with is told", () => {
  const mappings = [
    { uuid: "11111111-0000-4000-8000-000000000001", name: "orders" },
    { uuid: "12222222-0000-4000-8000-000000000002", name: "orders-eu" },
    { uuid: "33333333-0000-4000-8000-000000000003", name: "billing" },
  ];
  const nameOf = (wanted: string) => findNamed(wanted, mappings).name;
  assert.deepEqual(["orders", "orders-", "bil", "1111", "33333333-0000-4000-8000-000000000003"].map(nameOf), [
    "orders",
    "orders-eu",
    "billing",
    "orders",
    "billing",
  ]);
  assert.throws(() => nameOf("ord"), {
    fault: "InvalidParameterValueException",
    message: /orders, orders-eu/,
  });
  for (const nobody of ["nope", ""])
    assert.throws(() => nameOf(nobody), { fault: "ResourceNotFoundException" });
});
