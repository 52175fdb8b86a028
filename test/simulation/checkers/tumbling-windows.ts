import type { Attempt, MappingHistory } from "../history.ts";
import type { SimShard } from "../world/stream.ts";
import type { Checker, Trial } from "./checker.ts";

/**
 * Streams §6.1: windows are aligned, hold the records of their time, hand their state from one invocation to the next and
 * over restarts, and end with one invocation without records before the next window begins.
 */
export const tumblingWindows: Checker = {
  id: "windows",
  title: "tumbling windows",
  check(trial) {
    const { mapping } = trial;
    if (mapping.mapping.tumblingWindowMs === 0) return;
    const open = new Map<SimShard, Open>();
    for (const event of mapping.events) {
      if (event.kind === "leaseMoved" && event.move === "acquired") {
        const kept = event.checkpoint?.window;
        const startMs = kept?.startMs;
        const owner = `${event.process.ordinal}/${event.epoch}`;
        open.set(event.shard, {
          owner,
          startMs,
          count: countIn(kept?.stateJson ?? "{}"),
          mayBeOver: canAge(mapping),
        });
      } else if (event.kind === "attemptStarted") {
        const window = openFor(open, event.attempt);
        if (window !== undefined) checkStart(trial, event.attempt, window);
      } else if (event.kind === "attemptTold") {
        const window = openFor(open, event.attempt);
        if (window !== undefined) follow(event.attempt, window, mapping);
      }
    }
  },
};

/** The window that an owner of a shard has open. */
interface Open {
  readonly owner: string;
  /** `undefined`: none. */
  startMs: number | undefined;
  /** What the state counts; "large" for one that is too large. */
  count: number | "large";
  /** It may have been given up, which nobody sees. */
  mayBeOver: boolean;
}

function openFor(open: ReadonlyMap<SimShard, Open>, { process, epoch, shard }: Attempt): Open | undefined {
  const window = open.get(shard);
  return window?.owner === `${process.ordinal}/${epoch}` ? window : undefined;
}

function countIn(stateJson: string): number | "large" {
  if (stateJson === "{}") return 0;
  const match = /^\{"n":(\d+)\}$/.exec(stateJson);
  return match === null ? "large" : Number(match[1]);
}

function checkStart({ mapping, report }: Trial, attempt: Attempt, open: Open): void {
  const { window, records, startedAt } = attempt;
  const lengthMs = mapping.mapping.tumblingWindowMs;
  const say = (what: string) => report(startedAt, `attempt ${attempt.id} ${what}`);
  if (window === undefined) {
    say("has no window");
    return;
  }
  if (window.startMs % lengthMs !== 0 || window.endMs - window.startMs !== lengthMs) say("is not aligned");
  if (window.isFinalInvokeForWindow && records.length > 0) say("is final and has records");
  if (records.some(({ arrivalMs }) => arrivalMs >= window.endMs)) say("has records of a later window");
  const count = countIn(window.stateJson);
  if (open.startMs === window.startMs || open.startMs === undefined) {
    const expected = open.startMs === undefined ? 0 : open.count;
    if (count !== expected && !open.mayBeOver) say(`has a state of ${count}, not ${expected}`);
  } else if (!open.mayBeOver) {
    say("begins a window before the last one has had its final invocation");
  }
  open.startMs = window.startMs;
  open.count = count;
  open.mayBeOver = false;
}

/** A final invocation that is too old is given up without being made. */
function canAge({ mapping, retentionMs }: MappingHistory): boolean {
  return mapping.recordAgeMsMax !== undefined || retentionMs !== undefined;
}

function follow(attempt: Attempt, open: Open, mapping: MappingHistory): void {
  const { window, told, toldProcessed, toldCounts } = attempt;
  if (window === undefined) return;
  const isSuccess = told === "succeeded" && !toldCounts;
  if (isSuccess && !window.isFinalInvokeForWindow) {
    if (attempt.plan === "window state oversized") open.count = "large";
    else if (open.count !== "large") open.count += toldProcessed.length;
  } else if (isSuccess) {
    if (!window.isWindowTerminatedEarly) open.startMs = undefined;
    open.count = 0;
  }
  // A final invocation that fails may have been the last try.
  const mayBeGivenUp =
    window.isFinalInvokeForWindow && !isSuccess && mapping.mapping.retryAttemptsMax !== undefined;
  open.mayBeOver = canAge(mapping) || mayBeGivenUp;
}
