import type { SimProcess } from "../world/process.ts";
import type { Checker } from "./checker.ts";

/** Clocks of processes, and what a lease may run on for its owner behind its end. */
const LATE_SHARE = 1.2;

/**
 * No attempt on a key starts once it is parked: none by who parked it, and by no other process when what it may still
 * have held of the shard has run out.
 */
export const parkedIsolation: Checker = {
  id: "K4",
  title: "isolation of parked keys",
  check({ history, mapping, report }) {
    const { leaseDurationMs } = history.scenario.settings;
    const parked = new Map<string, { readonly at: number; readonly process: SimProcess }>();
    for (const event of mapping.events) {
      if (event.kind === "secured" && event.isNew) parked.set(event.key, event);
      if (event.kind !== "attemptStarted") continue;
      const { attempt } = event;
      for (const { key, position } of attempt.records) {
        const since = parked.get(key);
        if (since === undefined) continue;
        const lateMs = since.process === attempt.process ? 0 : leaseDurationMs * LATE_SHARE;
        if (event.at <= since.at + lateMs) continue;
        report(event.at, `attempt ${attempt.id} has ${position} of ${key}, parked at ${since.at.toFixed(1)}`);
        return;
      }
    }
  },
};
