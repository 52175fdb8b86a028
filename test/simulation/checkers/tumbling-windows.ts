import { knownArrivalMs } from "../../../src/model/arrival.ts";
import type { Attempt, Delivered, LeaseMoved, MappingHistory } from "../history.ts";
import { countOf } from "../world/responses.ts";
import type { Checker, Trial } from "./checker.ts";

/** Clocks of processes drift, and a timer is not the moment that it was set for. */
const AGE_SLACK_MS = 50;

/**
 * Streams §6.1: windows are aligned, hold the records of their time, hand their state from one invocation to the next
 * and over restarts and updates, and end with one invocation without records before the next window begins. That one is
 * given up only when it was made and failed: by the mapping's retries, or when it has been tried for as long as its
 * record age.
 */
export const tumblingWindows: Checker = {
  id: "windows",
  title: "tumbling windows",
  check(trial) {
    const { mapping } = trial;
    if (!windowLengths(mapping).some((lengthMs) => lengthMs > 0)) return;
    const open = new Map<string, Open>();
    const discards: Discards = new Map();
    for (const event of mapping.events) {
      if (event.kind === "leaseMoved" && event.move === "acquired") {
        open.set(event.shard.shardId, resumed(event));
        discards.delete(event.shard.shardId);
      } else if (event.kind === "attemptStarted") {
        const window = openFor(open, event.attempt);
        if (window !== undefined) checkStart(trial, event.attempt, window);
      } else if (event.kind === "attemptTold") {
        const window = openFor(open, event.attempt);
        if (window !== undefined) follow(event.attempt, window);
      } else if (event.kind === "delivered") checkIdentity(trial, event, discards);
    }
  },
};

/** All lengths that the mapping has had; 0: it had none. */
export function windowLengths({ mapping, windowUpdates }: MappingHistory): readonly number[] {
  return [mapping.tumblingWindowMs, ...windowUpdates];
}

/** The window that an owner of a shard has open. */
interface Open {
  readonly owner: string;
  /** `undefined`: none. */
  window: { readonly startMs: number; readonly endMs: number } | undefined;
  /** What the state counts; "large" for one that is too large. */
  count: number | "large";
  /** How long its last invocation had been tried before this owner. */
  triedForMs: number;
  /** When this owner first tried it, on the world's clock. */
  triedFrom: number | undefined;
  /** Tries of this owner that failed and count as retries. */
  failures: number;
}

function resumed({ process, epoch, checkpoint }: LeaseMoved): Open {
  const kept = checkpoint?.window;
  const window =
    kept?.lengthMs === undefined ? undefined : { startMs: kept.startMs, endMs: kept.startMs + kept.lengthMs };
  return {
    owner: `${process.ordinal}/${epoch}`,
    window,
    count: countIn(kept?.stateJson ?? "{}"),
    triedForMs: kept?.triedForMs ?? 0,
    triedFrom: undefined,
    failures: 0,
  };
}

function openFor(open: ReadonlyMap<string, Open>, { process, epoch, shard }: Attempt): Open | undefined {
  const window = open.get(shard.shardId);
  return window?.owner === `${process.ordinal}/${epoch}` ? window : undefined;
}

function countIn(stateJson: string): number | "large" {
  return countOf(stateJson) ?? "large";
}

function checkStart({ mapping, report }: Trial, attempt: Attempt, open: Open): void {
  const { window, records, startedAt } = attempt;
  const lengths = windowLengths(mapping);
  const say = (what: string) => report(startedAt, `attempt ${attempt.id} ${what}`);
  const mayBeOver = open.window !== undefined && mayBeGivenUp(mapping, open, startedAt);
  if (window === undefined) {
    if (!lengths.includes(0)) say("has no window");
    else if (open.window !== undefined && !mayBeOver) say("has no window, and one is open");
    open.window = undefined;
    return;
  }
  const lengthMs = window.endMs - window.startMs;
  if (!lengths.includes(lengthMs) || window.startMs % lengthMs !== 0) say("is not aligned");
  if (window.isFinalInvokeForWindow && records.length > 0) say("is final and has records");
  if (records.some(({ arrivalMs }) => (knownArrivalMs(arrivalMs) ?? 0) >= window.endMs))
    say("has records of a later window");
  const count = countIn(window.stateJson);
  const isSame = open.window?.startMs === window.startMs && open.window.endMs === window.endMs;
  if (isSame) {
    if (count !== open.count && !(mayBeOver && count === 0))
      say(`has a state of ${count}, not ${open.count}`);
  } else {
    if (count !== 0) say(`begins a window with a state of ${count}`);
    if (open.window !== undefined && !mayBeOver) {
      say("begins a window before the last one has had its final invocation");
    }
  }
  if (!isSame || !window.isFinalInvokeForWindow) forgetTries(open);
  if (window.isFinalInvokeForWindow) open.triedFrom ??= startedAt - open.triedForMs;
  open.window = { startMs: window.startMs, endMs: window.endMs };
  open.count = count;
}

function forgetTries(open: Open): void {
  open.triedForMs = 0;
  open.triedFrom = undefined;
  open.failures = 0;
}

/** What has not been tried is not given up, and what has been only by the mapping's own word. */
function mayBeGivenUp({ mapping }: MappingHistory, open: Open, now: number): boolean {
  const { retryAttemptsMax, recordAgeMsMax } = mapping;
  if (retryAttemptsMax !== undefined && open.failures > retryAttemptsMax) return true;
  if (recordAgeMsMax === undefined) return false;
  const triedForMs = open.triedFrom === undefined ? open.triedForMs : now - open.triedFrom;
  return triedForMs > 0 && triedForMs >= recordAgeMsMax * 0.99 - AGE_SLACK_MS;
}

function follow(attempt: Attempt, open: Open): void {
  const { window, told, toldProcessed, toldCounts } = attempt;
  if (window === undefined) return;
  const isSuccess = told === "succeeded" && !toldCounts;
  if (!window.isFinalInvokeForWindow) {
    if (!isSuccess) return;
    if (attempt.plan === "window state oversized") open.count = "large";
    else if (open.count !== "large") open.count += toldProcessed.length;
  } else if (isSuccess) {
    if (!window.isWindowTerminatedEarly) open.window = undefined;
    open.count = 0;
    forgetTries(open);
  } else if (toldCounts) open.failures++;
}

/** Of each shard's present owner, by the document's id: the request that it was about. */
type Discards = Map<string, Map<string, string>>;

/**
 * Destinations drop what they have by its id: two last invocations that an owner gives up are never one. The next
 * owner, which an update makes of the same process, may give up the same one again.
 */
function checkIdentity({ report }: Trial, { record, process, at }: Delivered, discards: Discards): void {
  if (record.window?.isFinalInvokeForWindow !== true) return;
  const { shardId } = record.batch;
  const ofShard = discards.get(shardId) ?? new Map<string, string>();
  discards.set(shardId, ofShard);
  const key = `${process.ordinal} ${record.id}`;
  const known = ofShard.get(key);
  if (known !== undefined && known !== record.requestId) {
    report(at, `two given-up last invocations have the id ${record.id}`);
  }
  ofShard.set(key, record.requestId);
}
