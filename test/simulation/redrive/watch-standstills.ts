import type { PartReasons } from "../../../src/engine/engine.ts";
import { isNoReason } from "../../../src/model/reason.ts";
import type { ProcessClock } from "../control/process-clock.ts";
import type { VirtualTime } from "../virtual-clock.ts";

export interface WatchedProcess {
  readonly name: string;
  readonly time: VirtualTime;
  readonly clock: ProcessClock;
  parts(): readonly PartReasons[];
  violated(what: string): void;
}

const LOOK_MS = 2_000;
/** So long without progress and without a word. Shorter than in a process, so that a run sees enough of it. */
const STANDS_MS = 20_000;

/** S1 of redrives: one that has brought nothing to an end for a while says why, and never that nobody knows. */
export function watchStandstills({ name, time, clock, parts, violated }: WatchedProcess): void {
  const seen = new Map<string, { readonly progress: string; readonly sinceMs: number }>();
  const look = () => {
    if (clock.isDead) return;
    time.schedule(LOOK_MS, look);
    // While it stands still nobody can ask it.
    if (clock.isPaused || time.now - clock.resumedMs < LOOK_MS) return seen.clear();
    const working = parts().filter(({ holdsWork }) => holdsWork);
    for (const known of seen.keys()) if (!working.some(({ part }) => part === known)) seen.delete(known);
    for (const { part, progress, reasons } of working) {
      const given = reasons.map(({ code }) => code).filter((code) => !isNoReason(code));
      const known = seen.get(part);
      // What was in the way until now has just passed: it goes on from here.
      if (known?.progress !== progress || (given.length > 0 && !given.includes("unknown"))) {
        seen.set(part, { progress, sinceMs: time.now });
        continue;
      }
      if (time.now - known.sinceMs >= STANDS_MS)
        violated(`S1: ${part} stands in ${name} and says ${given.join() || "nothing"}`);
    }
  };
  time.schedule(LOOK_MS, look);
}
