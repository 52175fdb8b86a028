/** Where a schedule's cursor stands: what was made of its last tick, and for which of its generations. */
export interface CursorPlace {
  /** As the store has it; empty: no process has begun with this schedule. */
  readonly text: string;
  /** 0: there was none yet; Infinity: the schedule is gone. */
  readonly generation: number;
  /** No tick at or before this moment is to come any more. */
  readonly atMs: number;
  /** Whether its last tick was enqueued: neither missed nor passed over by a change. */
  readonly isTick: boolean;
}

/** Names of cursors begin with this; the schedule's `uid` follows. */
export const CURSOR_PREFIX = "schedule/";

/** The schedule was deleted: whoever still has its row enqueues nothing. */
export const GONE = "gone";

const FORM = /^(\d+):(-?\d+)(m|b|)$/;

export function readPlace(text: string): CursorPlace {
  const [, generation, atMs, mark] = FORM.exec(text) ?? [];
  if (text === "") return { text, generation: 0, atMs: Number.NEGATIVE_INFINITY, isTick: false };
  // What a later version has written is not gone behind.
  if (generation === undefined || atMs === undefined)
    return { text, generation: Number.POSITIVE_INFINITY, atMs: Number.POSITIVE_INFINITY, isTick: false };
  return { text, generation: Number(generation), atMs: Number(atMs), isTick: mark === "" };
}

/** `missed`: all up to here were. `begun`: the generation begins here. */
export function writePlace(generation: number, atMs: number, kind: "tick" | "missed" | "begun"): CursorPlace {
  const mark = { tick: "", missed: "m", begun: "b" }[kind];
  const wholeMs = Math.floor(atMs);
  const text = `${generation}:${wholeMs}${mark}`;
  return { text, generation, atMs: wholeMs, isTick: kind === "tick" };
}
