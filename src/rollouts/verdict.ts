import type { RolloutAlarms } from "../model/rollout.ts";
import type { CallFigures } from "../ports/call-figures.ts";
import type { AlarmState } from "./queried-alarms.ts";
import type { KnownFigures } from "./shared-figures.ts";

/** What the figures of the new version say of it. `reason`: for people. */
export type Verdict =
  | { readonly kind: "good" }
  | { readonly kind: "bad"; readonly reason: string }
  | { readonly kind: "tooFew"; readonly reason: string }
  /** Some process that lives has not said anything lately: unknown is not good. */
  | { readonly kind: "unknown"; readonly reason: string };

/** Judges the calls of the last minute: what some processes say is enough to condemn, only what all say to acquit. */
export function judge(
  known: KnownFigures,
  alarms: RolloutAlarms,
  minimumInvocations: number,
  queried: AlarmState = "off",
): Verdict {
  const reason =
    fault(known.figures, alarms, minimumInvocations) ?? ageFault(known, alarms) ?? queriedFault(queried);
  if (reason !== undefined) return { kind: "bad", reason };
  if (queried === "unknown") {
    return {
      kind: "unknown",
      reason: "Prometheus does not say whether the alarm of the rollout's query is on.",
    };
  }
  if (!known.isWhole) {
    return { kind: "unknown", reason: "A process that lives has not said lately how its calls went." };
  }
  const { calls } = known.figures;
  if (calls >= minimumInvocations) return { kind: "good" };
  return { kind: "tooFew", reason: `There were ${calls} calls in the last minute.` };
}

function fault(figures: CallFigures, alarms: RolloutAlarms, minimumInvocations: number): string | undefined {
  const { calls, errors, throttles } = figures;
  // plant: a-single-failure-rolls-back
  if (calls < Math.max(1, minimumInvocations)) return undefined;
  const over = (what: string, value: number, most: number | undefined) =>
    most !== undefined && value > most ? `${what}, of ${calls} calls in the last minute.` : undefined;
  const p99Ms = quantile(figures, 0.99);
  return (
    over(`${errors} errors (more than ${percent(alarms.errorRate)})`, errors / calls, alarms.errorRate) ??
    over(
      `${throttles} throttles (more than ${percent(alarms.throttleRate)})`,
      throttles / calls,
      alarms.throttleRate,
    ) ??
    over(`A 99th percentile of ${Math.round(p99Ms)} ms (above ${alarms.p99Ms} ms)`, p99Ms, alarms.p99Ms)
  );
}

/** Also with few calls: those that hang are not over. */
function ageFault(
  { iteratorAgeMs = 0 }: KnownFigures,
  { iteratorAgeMs: most }: RolloutAlarms,
): string | undefined {
  if (most === undefined || iteratorAgeMs <= most) return undefined;
  return `The oldest record that is not settled is ${iteratorAgeMs} ms old (above ${most} ms).`;
}

function queriedFault(queried: AlarmState): string | undefined {
  return queried === "on" ? "Prometheus answers that the alarm of the rollout's query is on." : undefined;
}

function percent(share: number | undefined): string {
  return `${Math.round((share ?? 0) * 10_000) / 100} %`;
}

/** Width of a place of the histogram, as a factor. */
export const DURATION_STEP = 1.2;

/** Milliseconds: the upper end of the place in which the quantile lies, 20 % above it at most. */
export function quantile({ durations }: CallFigures, part: number): number {
  const total = [...durations.values()].reduce((sum, count) => sum + count, 0);
  let rest = Math.ceil(total * part);
  for (const [place, count] of [...durations].toSorted(([a], [b]) => a - b)) {
    rest -= count;
    if (rest <= 0) return DURATION_STEP ** (place + 1) - 1;
  }
  return 0;
}
