import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  type AttemptResult,
  ageEndMs,
  decideAttempt,
  type Ending,
} from "../../../../src/engine/async/attempt-decision.ts";
import type { AttemptState, LastAttempt } from "../../../../src/model/async-item.ts";
import { newAttemptState } from "../../../../src/model/async-item.ts";
import type { InvokeConfig } from "../../../../src/model/invoke-config.ts";

const ACCEPTED = 1_700_000_000_000;
const LAST: LastAttempt = { statusCode: 200, functionError: "Unhandled", message: "boom" };
const GONE: LastAttempt = { statusCode: 404, message: "Function not found: arn" };
const LIMITED: LastAttempt = { statusCode: 429, message: "Rate Exceeded." };
const FAILED: AttemptResult = { kind: "failed", last: LAST };
const MISSING: AttemptResult = { kind: "failed", last: GONE };
const held = (pauseMs: number): AttemptResult => ({ kind: "held", last: LIMITED, pauseMs });

interface Row {
  readonly sentence: string;
  readonly state?: Partial<AttemptState>;
  readonly result: AttemptResult;
  readonly config?: InvokeConfig;
  /** Since the event was accepted. */
  readonly afterMs?: number;
  readonly ending: Ending;
}

const once = { runs: 1, functionErrors: 1, last: LAST };
const twice = { runs: 2, functionErrors: 2, last: LAST };
const state = (change: Partial<AttemptState>): AttemptState => ({ ...newAttemptState(ACCEPTED), ...change });
const again = (change: Partial<AttemptState>, delayMs: number): Ending => ({
  kind: "retry",
  state: state(change),
  delayMs,
});
const gaveUp = (
  condition: Extract<Ending, { kind: "giveUp" }>["condition"],
  attempts: number,
  last?: LastAttempt,
): Ending => ({ kind: "giveUp", condition, attempts, last });

const TABLE: readonly Row[] = [
  { sentence: "a success ends the event", result: { kind: "succeeded" }, ending: { kind: "succeeded" } },
  {
    sentence: "what did not start is given back as it was",
    result: { kind: "notStarted" },
    ending: { kind: "release" },
  },
  { sentence: "the first function error waits a minute", result: FAILED, ending: again(once, 60_000) },
  { sentence: "the second waits two", state: once, result: FAILED, ending: again(twice, 120_000) },
  {
    sentence: "the third ends it, by default",
    state: twice,
    result: FAILED,
    ending: gaveUp("RetriesExhausted", 3, LAST),
  },
  {
    sentence: "without retries the first ends it",
    result: FAILED,
    config: { maximumRetryAttempts: 0 },
    ending: gaveUp("RetriesExhausted", 1, LAST),
  },
  {
    sentence: "with an age of a minute the first error ends it at once: a retry would come too late",
    result: FAILED,
    config: { maximumEventAgeSeconds: 60 },
    afterMs: 1,
    ending: gaveUp("EventAgeExceeded", 1, LAST),
  },
  {
    sentence: "with an age of 90 seconds there is one retry",
    result: FAILED,
    config: { maximumEventAgeSeconds: 90 },
    afterMs: 1,
    ending: again(once, 60_000),
  },
  {
    sentence: "and no second",
    state: once,
    result: FAILED,
    config: { maximumEventAgeSeconds: 90 },
    afterMs: 60_002,
    ending: gaveUp("EventAgeExceeded", 2, LAST),
  },
  {
    sentence: "retries are asked before the age",
    state: twice,
    result: FAILED,
    config: { maximumEventAgeSeconds: 60 },
    afterMs: 90_000,
    ending: gaveUp("RetriesExhausted", 3, LAST),
  },
  {
    sentence: "a function that is gone counts as an error",
    result: MISSING,
    ending: again({ runs: 1, functionErrors: 1, last: GONE }, 60_000),
  },
  {
    sentence: "and is given up after as many",
    state: { runs: 2, functionErrors: 2, last: GONE },
    result: MISSING,
    ending: gaveUp("RetriesExhausted", 3, GONE),
  },
  {
    sentence: "a throttle waits, and counts as no attempt",
    result: held(1_000),
    ending: again({ throttles: 1, last: LIMITED }, 1_000),
  },
  {
    sentence: "throttles use up no retry, however many",
    state: { throttles: 40, last: LIMITED },
    result: held(300_000),
    ending: again({ throttles: 41, last: LIMITED }, 300_000),
  },
  {
    sentence: "throttles begin anew behind a run",
    state: { throttles: 5, last: LIMITED },
    result: FAILED,
    ending: again(once, 60_000),
  },
  {
    sentence: "what was throttled until its age ended has count 0 and status 429",
    state: { throttles: 7, last: LIMITED },
    result: held(200_000),
    config: { maximumEventAgeSeconds: 300 },
    afterMs: 150_000,
    ending: gaveUp("EventAgeExceeded", 0, LIMITED),
  },
  {
    sentence: "what ran before it was throttled shows its last run",
    state: { ...once, throttles: 7 },
    result: held(200_000),
    config: { maximumEventAgeSeconds: 300 },
    afterMs: 150_000,
    ending: gaveUp("EventAgeExceeded", 1, LAST),
  },
  {
    sentence: "what aged in the queue unseen has status 429",
    result: { kind: "aged" },
    ending: gaveUp("EventAgeExceeded", 0, LIMITED),
  },
  {
    sentence: "what aged behind a run shows that",
    state: once,
    result: { kind: "aged" },
    ending: gaveUp("EventAgeExceeded", 1, LAST),
  },
  {
    sentence: "without reserved concurrency it ends at once, and nothing answered",
    result: { kind: "zeroConcurrency" },
    ending: gaveUp("ZeroReservedConcurrency", 0),
  },
  {
    sentence: "a chain that was cut ends at once",
    result: { kind: "recursion", last: { statusCode: 400 } },
    ending: gaveUp("RecursiveInvocation", 0, { statusCode: 400 }),
  },
];

describe("what becomes of an asynchronous event behind an attempt", () => {
  for (const { sentence, state: change = {}, result, config = {}, afterMs = 0, ending } of TABLE) {
    test(sentence, () => {
      assert.deepEqual(decideAttempt(state(change), result, config, ACCEPTED + afterMs), ending);
    });
  }

  test("the age ends six hours after the acceptance, by default", () => {
    assert.equal(ageEndMs(state({}), {}), ACCEPTED + 21_600_000);
  });
});
