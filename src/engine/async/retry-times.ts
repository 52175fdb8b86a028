import type { Random } from "../../ports/random.ts";

/** After the i-th function error the event waits for i minutes. */
const ERROR_PAUSE_MS = 60_000;
const THROTTLE_PAUSE_MS_MAX = 300_000;
const DOUBLINGS_MAX = 20;
/** Throttled events do not come back all at once. */
const JITTER = 0.2;

export function errorPauseMs(errors: number): number {
  // plant: the-second-retry-comes-as-soon-as-the-first
  return errors * ERROR_PAUSE_MS;
}

/** 1 s, doubled up to 5 minutes; longer where the target asks for it. `throttles` counts from 1. */
export function throttlePauseMs(throttles: number, retryAfterMs: number | undefined, random: Random): number {
  const doublings = Math.min(throttles - 1, DOUBLINGS_MAX);
  const pauseMs = Math.min(THROTTLE_PAUSE_MS_MAX, 1_000 * 2 ** doublings);
  const spread = 1 - JITTER + 2 * JITTER * random.next();
  return Math.max(retryAfterMs ?? 0, Math.round(pauseMs * spread));
}
