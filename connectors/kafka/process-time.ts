import { randomUUID } from "node:crypto";
import type { Clock } from "../../src/ports/clock.ts";
import type { Random } from "../../src/ports/random.ts";

/** The machine's time and chance; timers do not keep the process alive. */
export const PROCESS_CLOCK: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  schedule(delayMs, fire) {
    const timer = setTimeout(fire, delayMs);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};

export const PROCESS_RANDOM: Random = { next: () => Math.random(), uuid: () => randomUUID() };
