import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * `MILLRACE_TEST_OUTAGES=full`: 0.1, 1, 3 and 30 seconds, eight processes, twenty times, and the return is held against
 * `BACK_MS_MAX`; `MILLRACE_TEST_OUTAGE_MS`, `_PROCESSES` and `_TIMES` make it smaller, as `npm run outages` does, which
 * prints a table. Otherwise what suits every build: short ones, two processes, once.
 */
const isFull = process.env["MILLRACE_TEST_OUTAGES"] === "full";
const given = (what: string) => process.env[`MILLRACE_TEST_OUTAGE_${what}`];
const BACK_MS_MAX = 10_000;
/** Stops a test that hangs. */
const WAIT_MS_MAX = 120_000;

export const OUTAGE_PLAN = {
  outagesMs: isFull ? (given("MS") ?? "100,1000,3000,30000").split(",").map(Number) : [100, 1_000, 3_000],
  processes: isFull ? Number(given("PROCESSES") ?? 8) : 2,
  times: isFull ? Number(given("TIMES") ?? 20) : 1,
  /** A part of the names of those that are taken away. */
  subject: given("SUBJECT") ?? "",
  backMsMax: isFull ? BACK_MS_MAX : Number.POSITIVE_INFINITY,
};
/** What is taken away, by the file of its tests. */
export const AWAY = {
  "source-outages.test.ts": [
    "a Kinesis that does not answer",
    "a DynamoDB stream that does not answer",
    "an SQS that cannot be reached",
    "a Kafka that stands still",
    "a local stream's file that is not there",
    "a local queue's file that is not there",
  ],
  "store-outages.test.ts": [
    "a PostgreSQL that does not answer",
    "a DynamoDB that does not answer",
    "an SQLite file that is locked",
    "an SQLite file that is not there",
  ],
} as const;
export type AwaySource = (typeof AWAY)["source-outages.test.ts"][number];
export type AwayStore = (typeof AWAY)["store-outages.test.ts"][number];

/** All that is taken of one subject: each length under load and idle. */
const PLAYS = OUTAGE_PLAN.times * OUTAGE_PLAN.outagesMs.length * 2;
export const OUTAGE_HANG = { timeout: PLAYS * 2 * WAIT_MS_MAX };

/** From so long an outage on the state has to say what is wrong: calls that hang are told when their time is up. */
export const TOLD_MS = 30_000;

export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + WAIT_MS_MAX;
  while (!(await holds())) {
    assert.ok(performance.now() < endMs, `within ${WAIT_MS_MAX} ms there was not: ${what}`);
    await sleep(10);
  }
}

/** Adds until the function that it returns is called. */
export function feeding(add: () => void | Promise<void>): () => Promise<void> {
  let isOn = true;
  const fed = (async () => {
    while (isOn) {
      await add();
      await sleep(20);
    }
  })();
  return async () => {
    isOn = false;
    await fed;
  };
}

/** One outage, and what became of it. */
export interface OutageTold {
  /** What was away. */
  readonly subject: string;
  readonly outageMs: number;
  readonly load: "load" | "idle";
  /** From its return until all was done and durable. */
  readonly backMs: number;
  readonly repeated: number;
  readonly records: number;
  /** What states and explanations said meanwhile. */
  readonly said: readonly string[];
}

const TOLD = "outage ";

export function tellOutage(t: TestContext, told: OutageTold): void {
  t.diagnostic(`${TOLD}${JSON.stringify(told)}`);
}

/** What `tellOutage` has told; `undefined`: it is another line. */
export function outageTold(line: string): OutageTold | undefined {
  return line.startsWith(TOLD) ? JSON.parse(line.slice(TOLD.length)) : undefined;
}
