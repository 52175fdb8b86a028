import type { TraceEvent } from "../load/browser/browser.ts";

/** One drawing of a page: what its scripts did for it, and the layout that it made necessary. Milliseconds. */
export interface Drawing {
  readonly scriptMs: number;
  readonly layoutMs: number;
}

const FRAME = "FireAnimationFrame";
/** The last is where the page reads what the server sends: promises, in no call of a function. */
const SCRIPT = new Set([
  FRAME,
  "FunctionCall",
  "EvaluateScript",
  "RunMicrotasks",
  "TimerFire",
  "BlinkScheduler_PerformMicrotaskCheckpoint",
]);
/** Garbage that scripts leave is theirs. */
const GARBAGE = new Set(["MinorGC", "MajorGC"]);
const LAYOUT = new Set(["Layout", "UpdateLayoutTree", "RecalculateStyles", "PrePaint"]);
const MICROSECONDS = 1_000;

/**
 * Divides what the page's main thread did into its drawings. One ends with the layout behind its animation frame; what
 * scripts do from then on, such as reading what the server sends, is for the next one.
 */
export function drawingsOf(events: readonly TraceEvent[]): readonly Drawing[] {
  const thread = mainThread(events);
  const own = events
    .filter(({ ph, pid, tid, name }) => ph === "X" && `${pid}/${tid}` === thread && isCounted(name))
    .toSorted((a, b) => a.ts - b.ts || (b.dur ?? 0) - (a.dur ?? 0));
  const drawings: Drawing[] = [];
  let now = { scriptMs: 0, layoutMs: 0 };
  let isDrawn = false;
  let coveredUntil = 0;
  for (const { name, ts, dur = 0 } of own) {
    // What stands within another step, such as a layout that a script has asked for, is in that one's time already.
    if (ts < coveredUntil) continue;
    coveredUntil = ts + dur;
    if (isDrawn && !LAYOUT.has(name)) {
      drawings.push(now);
      now = { scriptMs: 0, layoutMs: 0 };
      isDrawn = false;
    }
    if (LAYOUT.has(name)) now.layoutMs += dur / MICROSECONDS;
    else now.scriptMs += dur / MICROSECONDS;
    if (name === FRAME) isDrawn = true;
  }
  return drawings;
}

function isCounted(name: string): boolean {
  return SCRIPT.has(name) || GARBAGE.has(name) || LAYOUT.has(name);
}

/** Of all pages' main threads the one that fired most animation frames. */
function mainThread(events: readonly TraceEvent[]): string {
  const frames = new Map<string, number>();
  for (const { name, pid, tid } of events) {
    if (name === FRAME) frames.set(`${pid}/${tid}`, (frames.get(`${pid}/${tid}`) ?? 0) + 1);
  }
  const [busiest] = [...frames].toSorted(([, a], [, b]) => b - a);
  if (busiest === undefined) throw new Error("The trace has no animation frame: the page drew nothing.");
  return busiest[0];
}
