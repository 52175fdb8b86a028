import type { Clock, ScheduledCall } from "../ports/clock.ts";

/** What `setTimeout` can wait; it fires at once for more. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

/** The machine's own time. Pending calls keep the process alive. */
export function createSystemClock(): Clock {
  return {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    schedule,
  };
}

/** A delay may have passed while it was worked out; Node prints a warning for one below 0. */
function schedule(wantedMs: number, fire: () => void): ScheduledCall {
  const delayMs = Math.max(0, wantedMs);
  if (delayMs <= TIMEOUT_MS_MAX) {
    const timer = setTimeout(fire, delayMs);
    return { cancel: () => clearTimeout(timer) };
  }
  let rest: ScheduledCall | undefined;
  const timer = setTimeout(() => {
    rest = schedule(delayMs - TIMEOUT_MS_MAX, fire);
  }, TIMEOUT_MS_MAX);
  return {
    cancel: () => {
      clearTimeout(timer);
      rest?.cancel();
    },
  };
}
