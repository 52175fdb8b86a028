import type { Clock } from "../../../src/ports/clock.ts";

/** A clock that stands until it is told to go on. */
export interface ManualClock extends Clock {
  advance(ms: number): void;
  readonly scheduledCalls: number;
}

export function createManualClock(): ManualClock {
  let time = 0;
  const scheduled = new Set<{ readonly at: number; readonly fire: () => void }>();
  return {
    now: () => time,
    monotonic: () => time,
    schedule(delayMs, fire) {
      const entry = { at: time + delayMs, fire };
      scheduled.add(entry);
      return { cancel: () => void scheduled.delete(entry) };
    },
    advance(ms) {
      const end = time + ms;
      for (;;) {
        const due = [...scheduled].filter((entry) => entry.at <= end).sort((a, b) => a.at - b.at)[0];
        if (due === undefined) break;
        scheduled.delete(due);
        time = due.at;
        due.fire();
      }
      time = end;
    },
    get scheduledCalls() {
      return scheduled.size;
    },
  };
}
