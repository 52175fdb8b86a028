import type { Demand } from "../../control/demand/demand.ts";
import { RepeatedLines } from "../../lib/repeated-lines.ts";
import { WakeableLoop } from "../../lib/wakeable-loop.ts";
import { describeError } from "../../model/errors.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import { type Metric, needOf } from "./need.ts";
import type { Trigger } from "./trigger.ts";

export interface ScalerWatchOptions {
  /** @throws MillraceError when the store cannot be asked */
  readonly look: () => Promise<Demand>;
  readonly clock: Clock;
  readonly telemetry: Pick<Telemetry, "log">;
  readonly onLook?: (outcome: "read" | "failed", demand: Demand | undefined, tookMs: number) => void;
}

/** What a trigger is answered. */
export interface Answer {
  readonly isActive: boolean;
  readonly reasons: readonly string[];
  readonly metrics: readonly Metric[];
}

/** How soon what comes is seen: from zero on within five seconds, with a look that takes its time. */
const LOOK_MS = 1_500;
/** Older than this, nobody knows what there is to do by now. */
const STALE_MS = 15_000;
/** Objects that are scaled; those that were not asked for longest are forgotten. */
const TRIGGERS_MAX = 1_000;

/** Looks again and again what there is to do, and says it to triggers. Zero only where nothing is known to be there. */
export class ScalerWatch {
  readonly #options: ScalerWatchOptions;
  readonly #stopping = new AbortController();
  readonly #loop: WakeableLoop;
  readonly #lines: RepeatedLines;
  readonly #listeners = new Set<() => void>();
  /** By trigger: when it was last seen to have something to do, by the monotonic clock. */
  readonly #busyMs = new Map<string, number>();
  readonly #triggers = new Map<string, Trigger>();
  #demand: Demand | undefined;
  #seenMs = Number.NEGATIVE_INFINITY;
  #running: Promise<void> = Promise.resolve();

  constructor(options: ScalerWatchOptions) {
    this.#options = options;
    const { clock, telemetry } = options;
    this.#lines = new RepeatedLines(clock, telemetry);
    const { signal } = this.#stopping;
    this.#loop = new WakeableLoop({ clock, signal, pauseMs: () => LOOK_MS, turn: () => this.#turn() });
  }

  start(): void {
    this.#running = this.#loop.run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#listeners.clear();
    await this.#running;
  }

  /** Something was seen at all; before that everything is active. */
  get isReady(): boolean {
    return this.#demand !== undefined;
  }

  answer(trigger: Trigger): Answer {
    const { clock } = this.#options;
    const demand = this.#demand;
    if (demand === undefined) return UNKNOWN;
    const key = this.#keep(trigger);
    const { reasons, metrics } = needOf(demand, trigger, clock.now());
    const nowMs = clock.monotonic();
    // plant: what-was-seen-long-ago-is-gone-by
    if (nowMs - this.#seenMs > STALE_MS)
      return { isActive: true, reasons: [...reasons, "the store cannot be asked"], metrics };
    if (reasons.length > 0) this.#busyMs.set(key, nowMs);
    // Where no process lives nobody can have taken what is seen no more.
    // plant: zero-comes-with-the-first-look-that-sees-nothing
    const isQuiet = demand.processes.length === 0 || nowMs - this.#sinceMs(key) >= trigger.quietMs;
    if (reasons.length > 0 || isQuiet) return { isActive: reasons.length > 0, reasons, metrics };
    return { isActive: true, reasons: ["there was something to do a moment ago"], metrics };
  }

  /** Each trigger that asks, with what it is answered now. */
  told(): readonly { readonly trigger: Trigger; readonly answer: Answer }[] {
    return [...this.#triggers.values()].map((trigger) => ({ trigger, answer: this.answer(trigger) }));
  }

  /** Called after each look. Returns how to end it. */
  onLook(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Never rejects. */
  async #turn(): Promise<void> {
    const { look, clock, onLook } = this.#options;
    const beganMs = clock.monotonic();
    try {
      const demand = await look();
      this.#demand = demand;
      // What is seen is of then: a look may take long.
      this.#seenMs = beganMs;
      this.#note(demand);
      onLook?.("read", demand, clock.monotonic() - beganMs);
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      const message = "what there is to do could not be read; nothing is scaled to zero";
      this.#lines.write("warn", message, { error: describeError(error) });
      onLook?.("failed", undefined, clock.monotonic() - beganMs);
    }
    for (const listener of [...this.#listeners]) listener();
  }

  /** Also what comes and goes between two questions of a trigger keeps it from zero for its time. */
  #note(demand: Demand): void {
    const { clock } = this.#options;
    for (const [key, trigger] of this.#triggers)
      if (needOf(demand, trigger, clock.now()).reasons.length > 0) this.#busyMs.set(key, clock.monotonic());
    for (const problem of demand.unsure)
      this.#lines.write("warn", "what waits cannot be asked; it is taken to be something", {
        error: problem,
      });
  }

  #sinceMs(key: string): number {
    const known = this.#busyMs.get(key);
    if (known !== undefined) return known;
    // One that is new here may have been busy before.
    this.#busyMs.set(key, this.#options.clock.monotonic());
    return this.#options.clock.monotonic();
  }

  #keep(trigger: Trigger): string {
    const key = JSON.stringify(trigger);
    this.#triggers.delete(key);
    this.#triggers.set(key, trigger);
    const [oldest] = this.#triggers.keys();
    if (this.#triggers.size > TRIGGERS_MAX && oldest !== undefined) {
      this.#triggers.delete(oldest);
      this.#busyMs.delete(oldest);
    }
    return key;
  }
}

const UNKNOWN: Answer = { isActive: true, reasons: ["nothing was seen yet"], metrics: [] };
