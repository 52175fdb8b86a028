import assert from "node:assert/strict";
import { test } from "node:test";
import { planOf, type Rollout, shareOf, stepsOf } from "../../../src/model/rollout.ts";
import { stepRollout } from "../../../src/rollouts/step-rollout.ts";
import { judge, type Verdict } from "../../../src/rollouts/verdict.ts";

const GOOD: Verdict = { kind: "good" };
const BAD: Verdict = { kind: "bad", reason: "30 errors." };
const UNKNOWN: Verdict = { kind: "unknown", reason: "A process is silent." };
const TOO_FEW: Verdict = { kind: "tooFew", reason: "There were 3 calls in the last minute." };
const MINUTE_MS = 60_000;

const CANARY: Rollout = {
  id: "d-AAAAAAAAA",
  from: "1",
  to: "2",
  plan: { kind: "canary", percent: 10, minutes: 5 },
  alarms: { errorRate: 0.01 },
  minimumInvocations: 20,
  requireTraffic: false,
  hooks: {},
  status: "InProgress",
  phase: "before",
  step: 0,
  startedMs: 0,
};
const SHIFTING: Rollout = { ...CANARY, phase: "shifting", step: 1 };

for (const [name, plan] of [
  ["AllAtOnce", { kind: "allAtOnce" }],
  ["CodeDeployDefault.LambdaAllAtOnce", { kind: "allAtOnce" }],
  ["CodeDeployDefault.LambdaCanary10Percent5Minutes", { kind: "canary", percent: 10, minutes: 5 }],
  ["Canary10Percent10Minutes", { kind: "canary", percent: 10, minutes: 10 }],
  ["Canary10Percent15Minutes", { kind: "canary", percent: 10, minutes: 15 }],
  ["Canary10Percent30Minutes", { kind: "canary", percent: 10, minutes: 30 }],
  ["CodeDeployDefault.LambdaLinear10PercentEvery1Minute", { kind: "linear", percent: 10, minutes: 1 }],
  ["Linear10PercentEvery10Minutes", { kind: "linear", percent: 10, minutes: 10 }],
  ["Linear0PercentEvery1Minute", undefined],
  ["Canary", undefined],
  ["", undefined],
] as const) {
  test(`${name || "nothing"} names ${plan === undefined ? "no plan" : JSON.stringify(plan)}`, () => {
    assert.deepEqual(planOf(name), plan);
  });
}

test("a canary has two steps, a linear plan as many as it takes, and each ends with all traffic", () => {
  assert.deepEqual(stepsOf({ kind: "canary", percent: 10, minutes: 5 }), [10, 100]);
  assert.deepEqual(
    stepsOf({ kind: "linear", percent: 10, minutes: 1 }),
    [10, 20, 30, 40, 50, 60, 70, 80, 90, 100],
  );
  assert.deepEqual(stepsOf({ kind: "linear", percent: 30, minutes: 1 }), [30, 60, 90, 100]);
  assert.deepEqual(stepsOf({ kind: "allAtOnce" }), [100]);
});

test("a rollout without a hook takes its first step at once, whatever is known of the version", () => {
  for (const verdict of [GOOD, UNKNOWN, TOO_FEW, BAD]) {
    const step = stepRollout(CANARY, { sinceMs: 0, verdict });
    assert.equal(step.kind, "next");
    assert.ok(step.kind === "next" && shareOf(step.rollout) === 0.1);
  }
});

test("a step waits for its interval, and for figures that are known", () => {
  const at = (sinceMs: number, verdict: Verdict) => stepRollout(SHIFTING, { sinceMs, verdict }).kind;
  assert.equal(at(5 * MINUTE_MS - 1, GOOD), "wait");
  assert.equal(at(5 * MINUTE_MS, GOOD), "succeed");
  assert.equal(at(500 * MINUTE_MS, UNKNOWN), "wait");
});

test("an alarm sends all traffic back at once, in the midst of an interval too", () => {
  const step = stepRollout(SHIFTING, { sinceMs: 1, verdict: BAD });
  assert.ok(step.kind === "rollBack");
  assert.deepEqual(
    [step.rollout.status, step.rollout.reason, shareOf(step.rollout)],
    ["Failed", "30 errors.", 0],
  );
});

test("without traffic a step waits for two intervals, and then goes on with a remark, or back where traffic is required", () => {
  const at = (rollout: Rollout, minutes: number) =>
    stepRollout(rollout, { sinceMs: minutes * MINUTE_MS, verdict: TOO_FEW });
  assert.equal(at(SHIFTING, 9.9).kind, "wait");
  const on = at(SHIFTING, 10);
  assert.ok(on.kind === "succeed" && on.rollout.reason?.includes("less than 20 calls"));
  assert.equal(at({ ...SHIFTING, requireTraffic: true }, 10).kind, "rollBack");
});

test("a hook before all traffic is called once, waited for an hour, and keeps all traffic away when it fails", () => {
  const rollout: Rollout = { ...CANARY, hooks: { before: "check" } };
  const at = (hook: Rollout["hook"], sinceMs = 0) =>
    stepRollout({ ...rollout, hook }, { sinceMs, verdict: UNKNOWN });
  assert.deepEqual(at(undefined), { kind: "call", fn: "check", rollout: { ...rollout, hook: undefined } });
  assert.equal(at({ executionId: "e", status: "called" }, 3_599_999).kind, "wait");
  assert.equal(at({ executionId: "e", status: "called" }, 3_600_000).kind, "rollBack");
  const failed = at({ executionId: "e", status: "Failed" });
  assert.ok(failed.kind === "rollBack" && shareOf(failed.rollout) === 0);
  const fine = at({ executionId: "e", status: "Succeeded" });
  assert.ok(fine.kind === "next" && fine.rollout.hook === undefined && shareOf(fine.rollout) === 0.1);
});

test("a hook after all traffic is asked before the end, and sends all of it back when it fails", () => {
  const rollout: Rollout = { ...SHIFTING, hooks: { after: "smoke" } };
  const whole = stepRollout(rollout, { sinceMs: 5 * MINUTE_MS, verdict: GOOD });
  assert.ok(whole.kind === "next" && whole.rollout.phase === "after" && shareOf(whole.rollout) === 1);
  const ended = (status: "Succeeded" | "Failed") =>
    stepRollout({ ...whole.rollout, hook: { executionId: "e", status } }, { sinceMs: 0, verdict: GOOD }).kind;
  assert.equal(ended("Succeeded"), "succeed");
  assert.equal(ended("Failed"), "rollBack");
  assert.equal(stepRollout(whole.rollout, { sinceMs: 0, verdict: BAD }).kind, "rollBack");
});

const figures = (calls: number, errors: number, throttles = 0, durations: [number, number][] = []) => ({
  calls,
  errors,
  throttles,
  durations: new Map(durations),
});
const QUIET = { former: figures(0, 0), iteratorAgeMs: undefined };
const ALARMS = { errorRate: 0.01, throttleRate: 0.05, p99Ms: 100 };

for (const [what, known, isWhole, kind] of [
  ["19 failures of 19 calls", figures(19, 19), true, "tooFew"],
  ["1 failure of 20 calls", figures(20, 1), true, "bad"],
  ["1 failure of 100 calls, which is not above a hundredth", figures(100, 1), true, "good"],
  ["2 failures of 100 calls", figures(100, 2), true, "bad"],
  ["2 failures of 100 calls while a process is silent", figures(100, 2), false, "bad"],
  ["100 good calls while a process is silent", figures(100, 0), false, "unknown"],
  ["6 throttles of 100 calls", figures(100, 0, 6), true, "bad"],
  ["no call", figures(0, 0), true, "tooFew"],
  [
    "100 calls of 1.2^20 ms",
    figures(100, 0, 0, [
      [20, 98],
      [40, 2],
    ]),
    true,
    "bad",
  ],
  [
    "100 calls of which one is slow",
    figures(100, 0, 0, [
      [20, 99],
      [40, 1],
    ]),
    true,
    "good",
  ],
] as const) {
  test(`${what}: ${kind}`, () => {
    assert.equal(judge({ ...QUIET, figures: known, isWhole }, ALARMS, 20).kind, kind);
  });
}

for (const [what, alarms, known, alarm, kind] of [
  [
    "a record that waits longer than it may",
    { iteratorAgeMs: 1_000 },
    { iteratorAgeMs: 1_001 },
    "off",
    "bad",
  ],
  [
    "a record that waits as long as it may",
    { iteratorAgeMs: 1_000 },
    { iteratorAgeMs: 1_000 },
    "off",
    "good",
  ],
  ["an alias that reads no stream", { iteratorAgeMs: 1_000 }, { iteratorAgeMs: undefined }, "off", "good"],
  ["an old record that no alarm asks for", {}, { iteratorAgeMs: 1e9 }, "off", "good"],
  ["a query whose alarm is on", {}, QUIET, "on", "bad"],
  ["a query that nobody answers", {}, QUIET, "unknown", "unknown"],
] as const) {
  test(`${what}: ${kind}`, () => {
    const all = { ...QUIET, ...known, figures: figures(100, 0), isWhole: true };
    assert.equal(judge(all, alarms, 20, alarm).kind, kind);
  });
}

test("an old record and an alarm of a query count also before there were calls enough", () => {
  const few = { ...QUIET, iteratorAgeMs: 5_000, figures: figures(1, 0), isWhole: true };
  assert.equal(judge(few, { iteratorAgeMs: 1_000 }, 20).kind, "bad");
  assert.equal(judge(few, {}, 20, "on").kind, "bad");
});
