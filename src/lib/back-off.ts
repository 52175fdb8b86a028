import { hasErrorCode } from "../model/errors.ts";
import type { Random } from "../ports/random.ts";

export interface BackoffLimits {
  readonly backoffBaseMs: number;
  readonly backoffCapMs: number;
}

/** Doublings beyond this leave every cap behind; keeps 2ⁿ finite. */
const DOUBLINGS_MAX = 30;

/** Full jitter: anything from 0 to base × 2ⁿ, capped. `failures` counts from 1. */
export function backoffMs(failures: number, limits: BackoffLimits, random: Random): number {
  const doublings = Math.min(failures - 1, DOUBLINGS_MAX);
  const ceilingMs = Math.min(limits.backoffCapMs, limits.backoffBaseMs * 2 ** doublings);
  // plant: chance-comes-from-outside
  return random.next() * ceilingMs;
}

/** What is only away is asked again soon: it must not be noticed late that it is back. */
const AWAY_CAP_MS = 5_000;

/** The limits of the next try behind a source's error. */
export function limitsAfter(error: unknown, limits: BackoffLimits): BackoffLimits {
  if (!hasErrorCode(error, "ERR_MILLRACE_SOURCE_UNAVAILABLE")) return limits;
  return { ...limits, backoffCapMs: Math.min(limits.backoffCapMs, AWAY_CAP_MS) };
}
