import type { NewAsyncItem } from "../../../src/model/async-item.ts";
import type { CursorMove } from "../../../src/ports/async-queue.ts";
import { CATCH_UP_MS } from "../../../src/schedules/next-ticks.ts";
import { type ScheduleRow, SKEW_MS } from "./schedule-process.ts";
import { MINUTE_MS, momentsOf } from "./tick-oracle.ts";

/** A generation of a schedule, with the moments of its beginning and end by the world's wall clock. */
interface Generation {
  readonly row: ScheduleRow;
  readonly sinceMs: number;
  untilMs: number;
  /** Ticks that were enqueued, and when. */
  readonly items: Map<number, number>;
  /** Where its cursor began, and stands. */
  begunMs: number | undefined;
  lastMs: number | undefined;
}

/** What was sent may come through so much later. */
const IN_FLIGHT_MS = 16_000;
/** Changes are carried out within it, once all is healed. */
const LATE_MS = 120_000;
/** A tick that was due so lately may still be on its way. */
const ON_ITS_WAY_MS = 15_000;

/**
 * Judges what was put into the queue by what schedules mean (I37). A change of a schedule may leave out the tick that
 * is due at that moment.
 */
export class TickJudge {
  readonly violations: string[] = [];
  enqueued = 0;
  skipped = 0;
  readonly #generations = new Map<string, Generation[]>();
  /** Processes crash, but no write fails: no tick may be passed over. */
  readonly #isExact: boolean;
  /** Rows that ended before were changed by all who live. */
  #appliedMs = Number.NEGATIVE_INFINITY;

  constructor(isExact: boolean) {
    this.#isExact = isExact;
  }

  /** `undefined`: the schedule is deleted. */
  onRow(uid: string, row: ScheduleRow | undefined, nowMs: number): void {
    const all = this.#generations.get(uid) ?? [];
    const before = all.at(-1);
    if (before !== undefined) before.untilMs = Math.min(before.untilMs, nowMs);
    if (row !== undefined)
      all.push({
        row,
        sinceMs: nowMs,
        untilMs: Number.POSITIVE_INFINITY,
        items: new Map(),
        begunMs: undefined,
        lastMs: undefined,
      });
    this.#generations.set(uid, all);
  }

  /** A write has taken effect. */
  onPut(items: readonly NewAsyncItem[], cursor: CursorMove | undefined, nowMs: number): void {
    for (const { id } of items) this.#onItem(id, nowMs);
    if (cursor === undefined) return;
    const uid = cursor.name.slice(cursor.name.indexOf("/") + 1);
    const [, generation, atMs, mark] = /^(\d+):(-?\d+)([mb]?)$/.exec(cursor.to) ?? [];
    if (generation === undefined) return;
    const found = this.#of(uid, Number(generation));
    if (found === undefined) return;
    if (mark === "b") found.begunMs = Number(atMs);
    found.lastMs = Number(atMs);
  }

  /** All living processes have acted on rows of this moment, and what they sent before has come through. */
  onApplied(sinceMs: number): void {
    this.#appliedMs = Math.max(this.#appliedMs, sinceMs - IN_FLIGHT_MS);
  }

  /** At quiescence: what was due has come. */
  end(nowMs: number): void {
    if (this.#appliedMs < nowMs - LATE_MS) this.#violated("changes of schedules are not carried out");
    for (const [uid, all] of this.#generations) for (const each of all) this.#judgeWhole(uid, each, nowMs);
  }

  #onItem(id: string, nowMs: number): void {
    this.enqueued++;
    const [uid = "", generation, tick] = id.split(" ");
    const [number, atMs] = [Number(generation), Number(tick)];
    const found = this.#of(uid, number);
    if (found === undefined) {
      this.#violated(`an item of no schedule: ${id}`);
      return;
    }
    if (found.items.has(atMs)) this.#violated(`a tick is enqueued twice: ${name(found, atMs)}`);
    found.items.set(atMs, nowMs);
    if (atMs < found.row.anchorMs || !this.#means(found, atMs))
      this.#violated(`a tick that the schedule does not mean: ${name(found, atMs)}`);
    if (nowMs < atMs - SKEW_MS) this.#violated(`a tick is enqueued before it is due: ${name(found, atMs)}`);
    const lateMs = nowMs - atMs - found.row.windowMs;
    if (lateMs > CATCH_UP_MS + IN_FLIGHT_MS)
      this.#violated(`a tick is enqueued too late: ${name(found, atMs)}`);
    if (!found.row.isEnabled) this.#violated(`a tick of a disabled schedule: ${name(found, atMs)}`);
    const newer = (this.#generations.get(uid) ?? []).find(
      ({ row, begunMs }) => row.generation > number && begunMs !== undefined,
    );
    if (newer !== undefined)
      this.#violated(`a tick of an older generation than ${newer.row.generation}: ${name(found, atMs)}`);
    if (found.untilMs < this.#appliedMs)
      this.#violated(`a tick of a row that every process has changed: ${name(found, atMs)}`);
  }

  /** Each of its ticks was enqueued, or a newer one was due when its turn came. */
  #judgeWhole(uid: string, generation: Generation, nowMs: number): void {
    const { row, items, begunMs, untilMs } = generation;
    if (!row.isEnabled) return;
    const isLast = untilMs === Number.POSITIVE_INFINITY;
    const toMs = isLast ? nowMs - ON_ITS_WAY_MS - row.windowMs : (generation.lastMs ?? 0);
    if (begunMs === undefined) {
      if (isLast) this.#violated(`nobody begins with ${uid} generation ${row.generation}`);
      return;
    }
    const fromMs = Math.max(row.anchorMs, begunMs + 1);
    const meant = [...momentsOf(row.meaning, row.anchorMs, fromMs, toMs)];
    const left = meant.filter((atMs) => !items.has(atMs));
    this.skipped += left.length;
    if (this.#isExact && left.length > 0)
      this.#violated(`ticks are not enqueued: ${left.map((atMs) => name(generation, atMs)).join(", ")}`);
    // Behind the place of the cursor nothing was passed over by anybody.
    const open = left.filter((atMs) => atMs > (generation.lastMs ?? 0));
    if (isLast && open.length > 0)
      this.#violated(`ticks are left open: ${open.map((atMs) => name(generation, atMs)).join(", ")}`);
  }

  #means({ row }: Generation, atMs: number): boolean {
    return momentsOf(row.meaning, row.anchorMs, atMs, atMs + 1).has(atMs);
  }

  #of(uid: string, generation: number): Generation | undefined {
    return this.#generations.get(uid)?.find(({ row }) => row.generation === generation);
  }

  #violated(what: string): void {
    this.violations.push(`I37: ${what}`);
  }
}

function name({ row }: Generation, atMs: number): string {
  return `${row.uid} generation ${row.generation} at ${new Date(Math.floor(atMs / MINUTE_MS) * MINUTE_MS).toISOString()}`;
}
