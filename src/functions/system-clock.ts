import type { Clock } from "../ports/clock.ts";

/** The machine's own time: what a target runs on when it is given no other clock. */
export const SYSTEM_CLOCK: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  schedule(delayMs, fire) {
    const timer = setTimeout(fire, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
};
