import type { ItemError, ItemState } from "../model/redrive.ts";
import type { ItemEnd, ItemTry } from "../ports/parking-store.ts";

/** Where an item of a queue stands; `held` follows from the others. */
export interface QueueEntry {
  readonly seq: number;
  /** So many are its element. */
  readonly bytes: number;
  state: Exclude<ItemState, "held">;
  attempt: number;
  requestId?: string;
  error?: ItemError;
  isTold?: boolean;
}

/**
 * One queue of a redrive as one document, for stores that change one thing at a time: what starts or ends together is
 * written together, however many items it is. What is done and told is a number alone.
 */
export interface ParkedQueue {
  readonly isKeyless: boolean;
  /** In the order of their numbers. */
  readonly entries: QueueEntry[];
  /** Numbers of items that are done and told. */
  readonly over: number[];
}

/** Items by state, and ends that nobody was told. */
export type QueueTally = Readonly<Record<ItemState | "untold", number>>;

export const EMPTY_TALLY: QueueTally = {
  waiting: 0,
  held: 0,
  started: 0,
  done: 0,
  failed: 0,
  uncertain: 0,
  gone: 0,
  untold: 0,
};

/** One that ended, or was ended by who cannot know how. */
const BLOCKING: readonly ItemState[] = ["failed", "uncertain"];
const OPEN: readonly ItemState[] = ["waiting", "started"];

export function isBlocked({ isKeyless, entries }: ParkedQueue): boolean {
  return !isKeyless && entries.some(({ state }) => BLOCKING.includes(state));
}

/** As it is for whoever looks: what waits in a queue that is blocked is held. */
export function stateOf(queue: ParkedQueue, { state }: QueueEntry): ItemState {
  return state === "waiting" && isBlocked(queue) ? "held" : state;
}

export function tallyOf(queue: ParkedQueue): QueueTally {
  const tally: Record<ItemState | "untold", number> = { ...EMPTY_TALLY, done: queue.over.length };
  const waiting = isBlocked(queue) ? "held" : "waiting";
  for (const entry of queue.entries) {
    tally[entry.state === "waiting" ? waiting : entry.state] += 1;
    if (isUntold(entry)) tally.untold += 1;
  }
  return tally;
}

export function isUntold({ state, isTold }: QueueEntry): boolean {
  return isTold !== true && !OPEN.includes(state);
}

/** `before` with what has changed in a queue. */
export function movedTally(before: QueueTally, was: QueueTally, is: QueueTally): QueueTally {
  const moved: Record<ItemState | "untold", number> = { ...before };
  for (const state of Object.keys(EMPTY_TALLY) as (keyof QueueTally)[])
    moved[state] += is[state] - was[state];
  return moved;
}

/** All of them may start by this try: they wait, or were started by it or by one before. */
export function mayStart(queue: ParkedQueue, { seqs, attempt }: ItemTry): boolean {
  return seqs.every((seq) => {
    const entry = entryOf(queue, seq);
    if (entry?.state === "started") return entry.attempt <= attempt;
    return entry !== undefined && stateOf(queue, entry) === "waiting" && entry.attempt < attempt;
  });
}

export function startEntries(queue: ParkedQueue, { seqs, requestId, attempt }: ItemTry): void {
  for (const seq of seqs) {
    const entry = entryOf(queue, seq);
    if (entry !== undefined) Object.assign(entry, { state: "started", requestId, attempt });
  }
}

/** What of these has started ends; an attempt that is said to leave them waiting starts none of them any more. */
export function endEntries(queue: ParkedQueue, ends: readonly ItemEnd[]): void {
  for (const { seq, state, attempt, error } of ends) {
    const entry = entryOf(queue, seq);
    if (entry === undefined) continue;
    if (entry.state === "started" && entry.attempt <= attempt) {
      delete entry.error;
      Object.assign(entry, { state, attempt, ...(error === undefined ? {} : { error }) });
    } else if (state === "waiting" && entry.state === "waiting")
      entry.attempt = Math.max(entry.attempt, attempt);
  }
}

/** Answers how many. */
export function recoverEntries(
  queue: ParkedQueue,
  firstAttempt: number,
  to: "waiting" | "uncertain",
): number {
  const started = queue.entries.filter(({ state, attempt }) => state === "started" && attempt < firstAttempt);
  for (const entry of started) entry.state = to;
  return started.length;
}

export function hasRetriable(queue: ParkedQueue): boolean {
  const { isKeyless, entries } = queue;
  const isLost = !isKeyless && entries.some(({ state }) => state === "failed");
  return !isLost && entries.some(({ state }) => state === "uncertain");
}

export function retryEntries(queue: ParkedQueue): void {
  if (!hasRetriable(queue)) return;
  for (const entry of queue.entries) {
    if (entry.state !== "uncertain") continue;
    entry.state = "waiting";
    delete entry.error;
    delete entry.isTold;
  }
}

/** Answers those that are over: nobody needs their elements any more. */
export function tellEntries(
  queue: ParkedQueue,
  told: readonly { readonly seq: number; readonly state: ItemState }[],
): readonly number[] {
  const over: number[] = [];
  for (const { seq, state } of told) {
    const entry = entryOf(queue, seq);
    if (entry?.state !== state) continue;
    if (state === "done") over.push(seq);
    else entry.isTold = true;
  }
  if (over.length === 0) return over;
  const left = queue.entries.filter(({ seq }) => !over.includes(seq));
  queue.entries.splice(0, queue.entries.length, ...left);
  queue.over.push(...over);
  return over;
}

function entryOf({ entries }: ParkedQueue, seq: number): QueueEntry | undefined {
  return entries.find((entry) => entry.seq === seq);
}
