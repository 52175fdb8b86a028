import type { ScheduleExpression } from "./expression.ts";
import { uniformHash } from "./rank.ts";
import type { Zone } from "./zone.ts";

/** What of a schedule says when it is due. */
export interface Timetable {
  /** The row's: it moves ticks within a flexible window. */
  readonly uid: string;
  readonly expression: ScheduleExpression;
  readonly zone: Zone;
  /** Since when it stands as it does: what a rate is counted from, unless it has a start. Epoch milliseconds. */
  readonly anchorMs: number;
  /** Whether a rate is due at its anchor already (schedules), or one period later (rules). */
  readonly isDueAtAnchor: boolean;
  readonly startMs?: number | undefined;
  readonly endMs?: number | undefined;
  /** Ticks are put off by less than this, each by its own. 0: they are due when they say. */
  readonly windowMs: number;
}

/** A moment that a schedule means, and when it is due: behind it where the schedule has a flexible window. */
export interface Tick {
  readonly atMs: number;
  readonly dueMs: number;
}

/** What is to be done about a schedule now. */
export interface TickPlan {
  /** The newest tick that is due; those before it are not worth an invocation any more. */
  readonly newest: Tick | undefined;
  /** Whether it is young enough to be enqueued, or has been missed as well. */
  readonly isFresh: boolean;
  /** How many ticks were passed over, `newest` among them unless it is fresh. */
  readonly missed: number;
  /** More were missed than anybody counts. */
  readonly isMore: boolean;
  /** The first tick that is not due yet; `undefined`: no more is to come. */
  readonly next: Tick | undefined;
}

/** A tick that is older is not made good for: an engine that was down starts no storm when it comes back. */
export const CATCH_UP_MS = 5 * 60_000;
/** More missed ticks are not counted: a schedule of each minute was not served for a week. */
const MISSED_MAX = 10_000;
/** Wall times in a row that no clock shows: a zone that leaves out a whole day has this many minutes. */
const SKIPPED_MAX = 1_500;

/** What of the ticks behind the cursor is due, and what comes then. Pure. */
export function nextTicks(timetable: Timetable, cursorMs: number, nowMs: number): TickPlan {
  let newest: Tick | undefined;
  let passed = 0;
  let next = tickAfter(timetable, cursorMs);
  while (next !== undefined && next.dueMs <= nowMs) {
    newest = next;
    passed += 1;
    // What is left is not counted, and looked for where it may still be fresh.
    const from =
      passed === MISSED_MAX ? Math.max(next.atMs, nowMs - CATCH_UP_MS - timetable.windowMs) : next.atMs;
    next = tickAfter(timetable, from);
  }
  const isFresh = newest !== undefined && nowMs - newest.dueMs <= CATCH_UP_MS;
  return { newest, isFresh, missed: passed - (isFresh ? 1 : 0), isMore: passed > MISSED_MAX, next };
}

/** The ticks that are to come, for people. */
export function ticksToCome(timetable: Timetable, afterMs: number, ticksMax: number): readonly Tick[] {
  const ticks: Tick[] = [];
  let tick = tickAfter(timetable, afterMs);
  while (tick !== undefined && ticks.length < ticksMax) {
    ticks.push(tick);
    tick = tickAfter(timetable, tick.atMs);
  }
  return ticks;
}

function tickAfter(timetable: Timetable, afterMs: number): Tick | undefined {
  const atMs = momentAfter(timetable, afterMs);
  if (atMs === undefined) return undefined;
  return { atMs, dueMs: atMs + putOff(timetable, atMs) };
}

/** A window ends where the next tick begins, so that ticks are due in their order. */
function putOff(timetable: Timetable, atMs: number): number {
  const { uid, windowMs } = timetable;
  if (windowMs === 0) return 0;
  const following = momentAfter(timetable, atMs);
  const windowNow = following === undefined ? windowMs : Math.min(windowMs, following - atMs);
  return Math.floor(uniformHash(`${uid} ${atMs}`) * windowNow);
}

/** Start and end do not bound what is due once only, as on AWS. */
function momentAfter(timetable: Timetable, afterMs: number): number | undefined {
  const { expression, startMs, endMs } = timetable;
  if (expression.kind === "at") {
    const atMs = timetable.zone.instantOf(expression.wallMs);
    return atMs !== undefined && atMs > afterMs ? atMs : undefined;
  }
  const fromMs = startMs === undefined ? afterMs : Math.max(afterMs, startMs - 1);
  const atMs =
    expression.kind === "rate"
      ? rateAfter(timetable, expression.periodMs, fromMs)
      : cronAfter(timetable, fromMs);
  return atMs === undefined || (endMs !== undefined && atMs > endMs) ? undefined : atMs;
}

function rateAfter(
  { startMs, anchorMs, isDueAtAnchor }: Timetable,
  periodMs: number,
  afterMs: number,
): number {
  const firstMs = startMs ?? (isDueAtAnchor ? anchorMs : anchorMs + periodMs);
  if (afterMs < firstMs) return firstMs;
  return firstMs + (Math.floor((afterMs - firstMs) / periodMs) + 1) * periodMs;
}

/** A wall time that clocks leave out is no tick; one that they show twice is one, the first time. */
function cronAfter({ expression, zone }: Timetable, afterMs: number): number | undefined {
  if (expression.kind !== "cron") return undefined;
  let wallMs = expression.pattern.nextAfter(zone.wallAt(afterMs));
  for (let skipped = 0; wallMs !== undefined && skipped < SKIPPED_MAX; skipped += 1) {
    // plant: a-doubled-hour-is-meant-twice
    const atMs = zone.instantOf(wallMs);
    if (atMs !== undefined && atMs > afterMs) return atMs;
    wallMs = expression.pattern.nextAfter(wallMs);
  }
  return undefined;
}
