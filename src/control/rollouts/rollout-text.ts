import { stepsOf } from "../../model/rollout.ts";
import type { CallFigures } from "../../ports/call-figures.ts";
import type { RolloutEvent } from "../../resources/rollout-history.ts";
import type { RolloutSight } from "../../rollouts/rollout-sight.ts";
import { quantile } from "../../rollouts/verdict.ts";
import type { RolloutView } from "./rollout-control.ts";

/** Why a rollout stands where it stands, or how it ended, and what it is judged by: a line each, for people. */
export function rolloutLines(view: RolloutView): readonly string[] {
  return [
    standing(view),
    ...(view.status === "InProgress" ? [waiting(view)] : []),
    ...(view.sight === undefined ? [] : figureLines(view, view.sight)),
    ...view.events.map(eventLine),
  ];
}

function standing({
  status,
  fn,
  alias,
  from,
  to,
  share,
  step,
  plan,
  reason,
  endedMs,
  phase,
}: RolloutView): string {
  const name = `${fn}:${alias}`;
  const at = endedMs === undefined ? "" : ` at ${new Date(endedMs).toISOString()}`;
  switch (status) {
    case "InProgress": {
      const odd = reason === undefined ? "" : ` ${reason}`;
      if (phase === "before") return `Version ${to} has no traffic of ${name} yet.`;
      return `Version ${to} has ${percent(share)} of the traffic of ${name}: step ${step} of ${stepsOf(plan).length}.${odd}`;
    }
    case "Succeeded":
      return `Version ${to} has all traffic of ${name}${at}.${reason === undefined ? "" : ` ${reason}`}`;
    case "Failed":
      return `All traffic of ${name} went back to version ${from}${at}: ${reason ?? "nobody said why."}`;
    case "Stopped":
      return `All traffic of ${name} went back to version ${from}${at}: ${reason ?? "somebody stopped it."}`;
  }
}

function waiting({ sight }: RolloutView): string {
  if (sight === undefined) return "This process has not looked at it yet.";
  const { waitsFor, nextStepMs } = sight;
  if (waitsFor === undefined) return "It takes a step now.";
  const rest = nextStepMs > 0 ? ` The next step is due in ${Math.ceil(nextStepMs / 1_000)} s.` : "";
  return `It stands there because of this: ${waitsFor}${rest}`;
}

function figureLines(
  { from, to }: RolloutView,
  { figures, former, iteratorAgeMs }: RolloutSight,
): readonly string[] {
  const age =
    iteratorAgeMs === undefined ? [] : [`The oldest record that is not settled is ${iteratorAgeMs} ms old.`];
  return [`In a minute: ${callsText(to, figures)}; ${callsText(from, former)}.`, ...age];
}

function callsText(version: string, figures: CallFigures): string {
  const { calls, errors, throttles } = figures;
  if (calls === 0) return `no calls of version ${version}`;
  const slow = Math.round(quantile(figures, 0.99));
  return `${calls} calls of version ${version}, ${errors} failed, ${throttles} throttled, 99 % within ${slow} ms`;
}

function eventLine({ atMs, to, share, status, reason }: RolloutEvent): string {
  const why = reason === undefined ? "" : `: ${reason}`;
  return `${new Date(atMs).toISOString()}  version ${to} has ${percent(share)}, ${status}${why}`;
}

function percent(share: number): string {
  return `${Math.round(share * 1_000) / 10} %`;
}
