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
