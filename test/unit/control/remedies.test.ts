import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { remedyOf, runbookOf } from "../../../src/control/remedies.ts";
import { StandstillBook } from "../../../src/control/standstill-book.ts";
import type { Engine, MappingStatus, QueueExplanation } from "../../../src/engine/engine.ts";
import { isNoReason, REASON_CODES } from "../../../src/model/reason.ts";
import { createTelemetry } from "../../../src/telemetry/telemetry.ts";
import { createManualClock } from "../functions/manual-clock.ts";

const RUNBOOK = readFileSync(new URL("../../../docs/runbook.md", import.meta.url), "utf8");

test("each reason says what is in the way and what to do, and has a section of its own in the runbook", () => {
  const headings = new Set(
    [...RUNBOOK.matchAll(/^#+ (\w+)$/gm)].map(([, heading]) => heading?.toLowerCase()),
  );
  for (const code of REASON_CODES) {
    const { says, toDo } = remedyOf({ code, sinceMs: undefined, untilMs: undefined, facts: {} });
    assert(says.length > 0 && toDo.length > 0, code);
    if (!isNoReason(code)) assert(headings.has(runbookOf(code).split("#")[1]), `${code} has no section`);
  }
});

const STATUS: MappingStatus = {
  uuid: "u",
  name: "orders",
  state: "Enabled",
  lastProcessingResult: "OK",
  oldestAgeMs: 0,
  shards: [],
  caughtUp: false,
};

function createBook(explain: () => QueueExplanation | undefined, status: () => MappingStatus = () => STATUS) {
  const clock = createManualClock();
  const logged: string[] = [];
  const telemetry = createTelemetry({
    log: (level, message, { reason }) => void logged.push(`${level} ${reason} ${message}`),
    processMetrics: false,
  });
  const engine = { explain } as unknown as Engine;
  const book = new StandstillBook({ engine, status: () => [status()], clock, telemetry });
  const pass = (ms: number) => {
    for (let passed = 0; passed < ms; passed += 1_000) clock.advance(1_000);
  };
  return { book, logged, pass, clock };
}

function queueOf(settledMessages: number, isFailing: boolean, nowMs: number): QueueExplanation {
  const failures = { count: 9, lastProblem: "503", fault: "passing" } as const;
  return {
    kind: "queue",
    function: {
      name: "orders",
      limit: 1,
      concurrency: 1,
      timeoutMs: 3_000,
      running: 0,
      waiting: 0,
      ownRunning: 0,
      ownWaiting: 0,
    },
    batchesMax: 5,
    runningBatches: 0,
    waitingMessages: 0,
    settledMessages,
    settling: 0,
    isStopping: false,
    fillingUntilMs: undefined,
    receiving: {
      receives: isFailing ? 0 : 2,
      idleSinceMs: nowMs,
      failures: isFailing ? failures : undefined,
      nextMs: isFailing ? nowMs + 500 : undefined,
    },
    batches: [],
    waitingGroups: [],
    failedMessages: [],
  };
}

test("a part that brings nothing to an end for half a minute is told once with its reason, and forgotten when it goes on", () => {
  let isFailing = true;
  const { book, logged, pass, clock } = createBook(() => queueOf(3, isFailing, clock.now()));
  pass(30_000);
  assert.deepEqual([book.standing("u"), logged], [[], []]);
  pass(60_000);
  assert.deepEqual(logged, ["warn sourceUnavailable a part of a mapping holds work and makes no progress"]);
  const [standing] = book.standstills("u");
  assert.equal(standing?.reason, "sourceUnavailable");
  assert(standing.seconds > 60, String(standing.seconds));
  isFailing = false;
  pass(10_000);
  assert.deepEqual([book.standing("u"), book.standstills("u")], [[], []]);
  isFailing = true;
  pass(60_000);
  assert.equal(logged.length, 2);
});

test("a part that brings something to an end now and then does not stand still, however often it fails", () => {
  let settled = 0;
  const { book, logged, pass, clock } = createBook(() => queueOf(settled, true, clock.now()));
  for (; settled < 20; settled++) pass(20_000);
  assert.deepEqual([book.standing("u"), logged], [[], []]);
});

test("a mapping that cannot be started, and one that stopped on a defect, stand still with that reason", () => {
  let status: MappingStatus = { ...STATUS, state: "Creating", problem: "There is no such stream." };
  const { book, pass } = createBook(
    () => undefined,
    () => status,
  );
  pass(60_000);
  assert.deepEqual(
    book.standstills("u").map(({ reason }) => reason),
    ["cannotStart"],
  );
  status = { ...STATUS, state: "Failed", problem: "It throws.", problemReason: "notReady" };
  pass(60_000);
  assert.deepEqual(
    book.standstills("u").map(({ reason }) => reason),
    ["notReady"],
  );
  status = { ...STATUS, state: "Failed" };
  pass(60_000);
  assert.deepEqual(
    book.standstills("u").map(({ reason }) => reason),
    ["failed"],
  );
});
