import { RepeatedLines } from "../lib/repeated-lines.ts";
import { WakeableLoop } from "../lib/wakeable-loop.ts";
import type { NewAsyncItem } from "../model/async-item.ts";
import { describeError } from "../model/errors.ts";
import { CURSOR_PREFIX, type CursorPlace, GONE, readPlace, writePlace } from "./cursor-place.ts";
import { nextTicks, type Tick, type TickPlan } from "./next-ticks.ts";
import { isFirst } from "./rank.ts";
import type { Entry, Scheduled, SchedulerOptions } from "./scheduled.ts";

/** So much later the others try a tick, if its cursor still stands: who is first has crashed, or stands still. */
export const SECOND_TRY_MS = 2_000;
/** Clocks on the wall may jump: nobody sleeps through. */
const LOOK_MS = 1_000;
const PUTS_MAX = 16;
/** Longer than a write takes to come through, or a process to be cut off: nobody has the row any more. */
const GONE_KEPT_MS = 60_000;

type Step =
  | { readonly kind: "wait"; readonly untilMs: number }
  | { readonly kind: "ask" }
  | { readonly kind: "begin" }
  /** No more is to come, and the last tick was enqueued. */
  | { readonly kind: "completed" }
  | { readonly kind: "enqueue"; readonly plan: TickPlan; readonly newest: Tick };

const NEVER = Number.POSITIVE_INFINITY;
/** What is known of a schedule that is new to this process. */
const UNKNOWN = { place: undefined, askedMs: Number.NEGATIVE_INFINITY, wasBegun: false } as const;

/**
 * Enqueues the ticks of schedules. Every process may try each; the write moves the schedule's cursor, so that one
 * succeeds (I37). The cursor holds the generation, too: who begins with a changed schedule fences off all that still
 * have the row before, also where the change is that it is disabled or gone.
 */
export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #entries = new Map<string, Entry>();
  /** Rows that went away, with the place that their cursors were known at. */
  readonly #leaving = new Map<string, string>();
  /** When a cursor was first seen to be gone, by the monotonic clock. */
  readonly #gone = new Map<string, number>();
  readonly #stopping = new AbortController();
  /** Called when what was wanted last is carried out. */
  #onCarriedOut: (() => void)[] = [];
  readonly #lines: RepeatedLines;
  readonly #loop: WakeableLoop;
  #running: Promise<void> = Promise.resolve();
  #isAnswered = true;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#lines = new RepeatedLines(options.clock, options.telemetry);
    this.#loop = new WakeableLoop({
      clock: options.clock,
      signal: this.#stopping.signal,
      pauseMs: () => this.#pauseMs(),
      turn: () => this.#turn(),
    });
  }

  start(): void {
    this.#running = this.#loop.run();
  }

  /**
   * What is to be run from now on, whole. Resolves when nobody who has rows from before enqueues by them any more: a
   * schedule that is disabled, changed or gone has no tick of before behind that.
   */
  want(all: readonly Scheduled[]): Promise<void> {
    const wanted = new Map(all.map((scheduled) => [scheduled.uid, scheduled]));
    for (const [uid, { place }] of this.#entries) {
      if (wanted.has(uid)) continue;
      this.#entries.delete(uid);
      if (place !== undefined) this.#leaving.set(uid, place.text);
    }
    for (const scheduled of all) {
      const known = this.#entries.get(scheduled.uid);
      const isSame = known !== undefined && known.scheduled.generation === scheduled.generation;
      const lookMs = isSame ? known.lookMs : 0;
      const { place, askedMs, wasBegun } = known ?? UNKNOWN;
      // Another process may have begun with this generation before this one knew it: cursors never go back.
      const isBegun = place !== undefined && place.generation >= scheduled.generation;
      const isFenced = isBegun || (isSame && known.isFenced);
      this.#entries.set(scheduled.uid, { scheduled, place, lookMs, askedMs, wasBegun, isFenced });
    }
    this.#loop.wake();
    return new Promise((resolve) => this.#onCarriedOut.push(resolve));
  }

  /** What is under way is waited for. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  #pauseMs(): number {
    const nowMs = this.#options.clock.now();
    if (!this.#isAnswered || this.#leaving.size > 0 || this.#options.members().isCutOff) return LOOK_MS;
    let lookMs = NEVER;
    for (const entry of this.#entries.values()) lookMs = Math.min(lookMs, entry.lookMs);
    return Math.max(1, Math.min(LOOK_MS, lookMs - nowMs));
  }

  async #turn(): Promise<void> {
    try {
      if (this.#entries.size > 0 || this.#leaving.size > 0) await this.#work();
      this.#isAnswered = true;
      this.#tellCarriedOut();
    } catch (error) {
      // Whether it took effect is unknown: cursors say so.
      this.#isAnswered = false;
      for (const entry of this.#entries.values()) entry.place = undefined;
      const message = "ticks of schedules cannot be enqueued for now; trying again";
      this.#lines.write("warn", message, { error: describeError(error) });
    }
  }

  async #work(): Promise<void> {
    if (this.#options.members().isCutOff) return;
    const due = this.#due();
    if (due.some((entry) => this.#stepOf(entry).kind === "ask")) await this.#ask();
    await this.#inTurns(due, (entry) => this.#do(entry));
    await this.#inTurns([...this.#leaving], ([uid, text]) => this.#fenceOff(uid, text));
    await this.#forgetGone();
  }

  #tellCarriedOut(): void {
    if (this.#onCarriedOut.length === 0 || this.#leaving.size > 0) return;
    for (const { isFenced } of this.#entries.values()) if (!isFenced) return;
    const told = this.#onCarriedOut;
    this.#onCarriedOut = [];
    for (const tell of told) tell();
  }

  #due(): readonly Entry[] {
    const nowMs = this.#options.clock.now();
    return [...this.#entries.values()].filter(({ lookMs }) => lookMs <= nowMs);
  }

  async #inTurns<T>(all: readonly T[], work: (each: T) => Promise<void>): Promise<void> {
    for (let from = 0; from < all.length && !this.#stopping.signal.aborted; from += PUTS_MAX) {
      const answers = await Promise.allSettled(all.slice(from, from + PUTS_MAX).map(work));
      for (const answer of answers) if (answer.status === "rejected") throw answer.reason;
    }
  }

  async #ask(): Promise<void> {
    const { queue, clock } = this.#options;
    const askedMs = clock.now();
    const cursors = await queue.cursors(CURSOR_PREFIX);
    for (const entry of this.#entries.values()) {
      const text = cursors.get(CURSOR_PREFIX + entry.scheduled.uid) ?? (entry.wasBegun ? GONE : "");
      if (entry.place?.text !== text) entry.lookMs = 0;
      entry.place = readPlace(text);
      entry.askedMs = askedMs;
      entry.wasBegun = text !== "";
      entry.isFenced = entry.place.generation >= entry.scheduled.generation;
    }
    for (const [name, text] of cursors) {
      if (text === GONE && !this.#gone.has(name)) this.#gone.set(name, clock.monotonic());
    }
  }

  async #do(entry: Entry): Promise<void> {
    // Rows may have changed while others of them were worked on.
    if (this.#entries.get(entry.scheduled.uid) !== entry) return;
    const step = this.#stepOf(entry);
    switch (step.kind) {
      case "wait":
        entry.lookMs = step.untilMs;
        return;
      case "ask":
        // The store was asked a moment ago, and is asked again in the next turn.
        return;
      case "completed":
        entry.lookMs = NEVER;
        this.#options.onCompleted(entry.scheduled);
        return;
      case "begin":
        return await this.#begin(entry);
      case "enqueue":
        return await this.#enqueue(entry, step);
    }
  }

  /** What is to be done about a schedule, as far as this process knows. */
  #stepOf({ scheduled, place, askedMs, refused }: Entry): Step {
    const { clock, members } = this.#options;
    if (place === undefined) return { kind: "ask" };
    if (refused?.text === place.text && clock.now() < refused.untilMs)
      return { kind: "wait", untilMs: refused.untilMs };
    // Somebody knows a newer row than this process does.
    // plant: a-generation-is-missing-in-the-cursor
    if (place.generation > scheduled.generation) return { kind: "wait", untilMs: NEVER };
    // plant: a-disabled-schedule-fences-nobody-off
    if (place.generation < scheduled.generation) return { kind: "begin" };
    if (!scheduled.isEnabled) return { kind: "wait", untilMs: NEVER };
    const nowMs = clock.now();
    const plan = nextTicks(scheduled.timetable, place.atMs, nowMs);
    const { newest, next } = plan;
    if (newest === undefined) {
      if (next === undefined && place.isTick) return { kind: "completed" };
      return { kind: "wait", untilMs: next?.dueMs ?? NEVER };
    }
    const { processId, living } = members();
    const secondMs = newest.dueMs + SECOND_TRY_MS;
    if (!isFirst(scheduled.uid, processId, living)) {
      if (nowMs < secondMs) return { kind: "wait", untilMs: secondMs };
      if (askedMs < secondMs) return { kind: "ask" };
    }
    return { kind: "enqueue", plan, newest };
  }

  /** What was due before the change is over, and nobody who has the row before it enqueues any more. */
  async #begin(entry: Entry): Promise<void> {
    const { scheduled, place } = entry;
    const { generation, timetable } = scheduled;
    const fromMs = Math.max(timetable.anchorMs - 1, place?.atMs ?? Number.NEGATIVE_INFINITY);
    await this.#move(entry, writePlace(generation, fromMs, "begun"), []);
  }

  async #enqueue(entry: Entry, { plan, newest }: Extract<Step, { kind: "enqueue" }>): Promise<void> {
    const { clock, telemetry, ticks } = this.#options;
    const { name, generation, items } = entry.scheduled;
    const place = writePlace(generation, newest.atMs, plan.isFresh ? "tick" : "missed");
    const isMoved = await this.#move(entry, place, plan.isFresh ? items.call(entry.scheduled, newest) : []);
    if (!isMoved) return;
    if (plan.isFresh) ticks.ticked(name, clock.now() - newest.dueMs);
    if (plan.missed === 0) return;
    ticks.missed(name, plan.missed);
    const message = "a schedule was not served in time: ticks were missed";
    telemetry.log("warn", message, { schedule: name, missed: plan.missed, more: plan.isMore });
  }

  /** `false`: somebody else has moved it. */
  async #move(entry: Entry, to: CursorPlace, items: readonly NewAsyncItem[]): Promise<boolean> {
    const { queue } = this.#options;
    const from = entry.place?.text ?? "";
    entry.place = undefined;
    const name = CURSOR_PREFIX + entry.scheduled.uid;
    // plant: the-cursor-is-moved-in-a-second-write
    const answer = await queue.put(items, { name, from, to: to.text });
    if (answer === "stale") {
      // Somebody is about to move it, where the queue needs more than one write for it.
      entry.refused = { text: from, untilMs: this.#options.clock.now() + LOOK_MS };
      return false;
    }
    entry.place = to;
    entry.wasBegun = true;
    entry.isFenced = true;
    entry.lookMs = 0;
    return true;
  }

  async #fenceOff(uid: string, text: string): Promise<void> {
    const name = CURSOR_PREFIX + uid;
    this.#leaving.delete(uid);
    if (text === GONE || this.#entries.has(uid)) return;
    const answer = await this.#options.queue
      .put([], { name, from: text, to: GONE })
      .catch((error: unknown) => {
        this.#leaving.set(uid, text);
        throw error;
      });
    if (answer === "put") this.#gone.set(name, this.#options.clock.monotonic());
    else await this.#fenceOffAgain(uid);
  }

  /** The last tick came between. */
  async #fenceOffAgain(uid: string): Promise<void> {
    const name = CURSOR_PREFIX + uid;
    const text = (await this.#options.queue.cursors(name)).get(name);
    if (text !== undefined && text !== GONE) this.#leaving.set(uid, text);
  }

  /** A name is never used again: once nobody can have its row, nothing is kept of it. */
  async #forgetGone(): Promise<void> {
    const { queue, clock } = this.#options;
    for (const [name, sinceMs] of this.#gone) {
      if (clock.monotonic() - sinceMs < GONE_KEPT_MS) continue;
      this.#gone.delete(name);
      await queue.put([], { name, from: GONE, to: "" });
    }
  }
}
