/** How a new version takes the traffic of an alias over (invocation §11). */
export type RolloutPlan =
  | { readonly kind: "allAtOnce" }
  /** So much at first, everything behind so many minutes. */
  | { readonly kind: "canary"; readonly percent: number; readonly minutes: number }
  /** So much at first, and so much more every so many minutes. */
  | { readonly kind: "linear"; readonly percent: number; readonly minutes: number };

/** What the new version may not do: above any of these its rollout goes back. Over the last minute. */
export interface RolloutAlarms {
  /** Share of calls that fail, 0 to 1. */
  readonly errorRate?: number | undefined;
  /** Share of calls that its target refuses for lack of capacity, 0 to 1. */
  readonly throttleRate?: number | undefined;
  /** 99 of 100 calls end within this time, milliseconds. */
  readonly p99Ms?: number | undefined;
  /** No record of a stream that the alias's mappings read waits longer than this, milliseconds. */
  readonly iteratorAgeMs?: number | undefined;
  /** In PromQL; on while Prometheus answers with anything, as a rule of alerts is. */
  readonly prometheusQuery?: string | undefined;
}

export interface RolloutHooks {
  /** Functions of the same store. Before any traffic: when it fails, none comes. */
  readonly before?: string | undefined;
  /** With all traffic: when it fails, all of it goes back. */
  readonly after?: string | undefined;
}

/** What a rollout is to do. */
export interface RolloutOrder {
  readonly plan: RolloutPlan;
  readonly alarms: RolloutAlarms;
  /** Calls of the last minute without which nothing is judged. */
  readonly minimumInvocations: number;
  /** Without so many calls it goes back instead of on. */
  readonly requireTraffic: boolean;
  readonly hooks: RolloutHooks;
}

export type RolloutStatus = "InProgress" | "Succeeded" | "Failed" | "Stopped";

export type HookStatus = "due" | "called" | "Succeeded" | "Failed";

/** A rollout as its alias's row keeps it: one that runs, or the last one that ended. */
export interface Rollout extends RolloutOrder {
  /** `d-` and nine letters and digits. */
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly status: RolloutStatus;
  readonly phase: "before" | "shifting" | "after";
  /** Steps of the plan that have been taken; 0: no traffic has moved. */
  readonly step: number;
  /** The one of this phase. */
  readonly hook?: { readonly executionId: string; readonly status: HookStatus } | undefined;
  /** Epoch milliseconds, for people. */
  readonly startedMs: number;
  readonly endedMs?: number | undefined;
  /** Why it went back, or what was odd: for people. */
  readonly reason?: string | undefined;
}

export const ALARMS_DEFAULT: RolloutAlarms = { errorRate: 0.01 };
export const MINIMUM_INVOCATIONS_DEFAULT = 20;

/** Percent of the traffic that the new version has with each step, up to 100. */
export function stepsOf(plan: RolloutPlan): readonly number[] {
  if (plan.kind === "allAtOnce") return [100];
  if (plan.kind === "canary") return [plan.percent, 100];
  const steps: number[] = [];
  for (let percent = plan.percent; percent < 100; percent += plan.percent) steps.push(percent);
  return [...steps, 100];
}

/** Share of the traffic that the new version has now, 0 to 1. */
export function shareOf({ plan, step, status }: Pick<Rollout, "plan" | "step" | "status">): number {
  if (status === "Succeeded") return 1;
  // plant: a-roll-back-leaves-its-weight
  return status === "InProgress" && step > 0 ? (stepsOf(plan)[step - 1] ?? 100) / 100 : 0;
}

const NAMED = /^(?:CodeDeployDefault\.Lambda)?(Canary|Linear)(\d{1,2})Percent(?:Every)?(\d{1,4})Minutes?$/;
const MINUTES_MAX = 2_880;

/** AWS's ready configurations, and others of their form; `undefined`: it is none. */
export function planOf(name: string): RolloutPlan | undefined {
  if (/^(CodeDeployDefault\.Lambda)?AllAtOnce$/.test(name)) return { kind: "allAtOnce" };
  const found = NAMED.exec(name);
  if (found === null) return undefined;
  const [percent, minutes] = [Number(found[2]), Number(found[3])];
  if (percent < 1 || minutes < 1 || minutes > MINUTES_MAX) return undefined;
  return { kind: found[1] === "Canary" ? "canary" : "linear", percent, minutes };
}
