import { type HookStatus, type Rollout, stepsOf } from "../model/rollout.ts";
import type { Verdict } from "./verdict.ts";

/** Who has not answered for so long has failed (invocation §11). */
const HOOK_MS_MAX = 3_600_000;
const MINUTE_MS = 60_000;
/** A step that wants traffic waits for it so many intervals. */
const PATIENCE_INTERVALS = 2;

/** What whoever steps knows: by a monotonic clock, and by the figures of all processes. */
export interface Observed {
  /** Since this state of the rollout was first seen: after a crash a step takes longer, never shorter. */
  readonly sinceMs: number;
  readonly verdict: Verdict;
}

export type Step =
  /** `why`: for people. */
  | { readonly kind: "wait"; readonly why: string }
  /** Written first, called behind it. */
  | { readonly kind: "call"; readonly fn: string; readonly rollout: Rollout }
  | { readonly kind: "next"; readonly rollout: Rollout }
  | { readonly kind: "succeed"; readonly rollout: Rollout }
  | { readonly kind: "rollBack"; readonly rollout: Rollout };

/** What is to be written next of a rollout that runs, if anything. Pure. */
export function stepRollout(rollout: Rollout, observed: Observed): Step {
  const { verdict } = observed;
  // plant: a-rollout-goes-on-while-its-alarm-is-on
  if (verdict.kind === "bad" && rollout.phase !== "before") return back(rollout, verdict.reason);
  switch (rollout.phase) {
    case "before":
      return hookStep(rollout, rollout.hooks.before, observed, () => firstShift(rollout));
    case "shifting":
      return shiftStep(rollout, observed);
    case "after":
      return hookStep(rollout, rollout.hooks.after, observed, () => succeed(rollout));
  }
}

/** Back to the old version, at once. */
export function rolledBack(rollout: Rollout, status: "Failed" | "Stopped", reason: string): Rollout {
  return { ...rollout, status, reason };
}

/** Between two of its steps, milliseconds. */
export function intervalOf({ plan }: Pick<Rollout, "plan">): number {
  return plan.kind === "allAtOnce" ? 0 : plan.minutes * MINUTE_MS;
}

function shiftStep(rollout: Rollout, { sinceMs, verdict }: Observed): Step {
  const { step, minimumInvocations, requireTraffic } = rollout;
  const intervalMs = intervalOf(rollout);
  // plant: a-step-does-not-wait-for-its-interval
  if (sinceMs < intervalMs) return { kind: "wait", why: "The next step has its time." };
  // plant: figures-that-are-unknown-are-taken-for-good
  if (verdict.kind === "unknown") return { kind: "wait", why: verdict.reason };
  if (verdict.kind === "tooFew") {
    if (sinceMs < intervalMs * PATIENCE_INTERVALS) return { kind: "wait", why: verdict.reason };
    if (requireTraffic) return back(rollout, `${verdict.reason} It requires traffic.`);
    const reason = `Step ${step + 1} was taken with less than ${minimumInvocations} calls a minute to judge by.`;
    return shift({ ...rollout, reason });
  }
  return shift(rollout);
}

function firstShift(rollout: Rollout): Step {
  return shift({ ...rollout, phase: "shifting" });
}

/** Weights and step are one: no crash parts them. */
function shift(rollout: Rollout): Step {
  const step = rollout.step + 1;
  const isWhole = step >= stepsOf(rollout.plan).length;
  const next: Rollout = { ...rollout, step, hook: undefined };
  if (!isWhole) return { kind: "next", rollout: next };
  if (rollout.hooks.after === undefined) return succeed(next);
  return { kind: "next", rollout: { ...next, phase: "after" } };
}

function hookStep(rollout: Rollout, fn: string | undefined, { sinceMs }: Observed, done: () => Step): Step {
  if (fn === undefined) return done();
  const status: HookStatus = rollout.hook?.status ?? "due";
  switch (status) {
    case "due":
      return { kind: "call", fn, rollout };
    case "called":
      if (sinceMs < HOOK_MS_MAX) return { kind: "wait", why: `The function ${fn} has not said how it went.` };
      return back(rollout, `The function ${fn} did not say within an hour how it went.`);
    case "Succeeded":
      return done();
    case "Failed":
      return back(rollout, `The function ${fn} says that it failed.`);
  }
}

function succeed(rollout: Rollout): Step {
  return { kind: "succeed", rollout: { ...rollout, status: "Succeeded" } };
}

function back(rollout: Rollout, reason: string): Step {
  return { kind: "rollBack", rollout: rolledBack(rollout, "Failed", reason) };
}
