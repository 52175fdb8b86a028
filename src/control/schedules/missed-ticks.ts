import type { Clock } from "../../ports/clock.ts";
import type { ScheduleTelemetry } from "../../ports/schedule-telemetry.ts";

/** Ticks of one schedule that nobody enqueued in time, as this process saw it. */
export interface MissedTicks {
  readonly ticks: number;
  /** Epoch milliseconds: when that was seen last. */
  readonly lastMs: number;
}

const SCHEDULES_MAX = 1_000;
/** Whoever looks a day later looks at metrics. */
const TOLD_MS = 24 * 3_600_000;

/** Keeps what metrics are told of missed ticks, for people. */
export class MissedTicksBook implements ScheduleTelemetry {
  readonly #inner: ScheduleTelemetry;
  readonly #clock: Pick<Clock, "now">;
  readonly #missed = new Map<string, MissedTicks>();

  constructor(inner: ScheduleTelemetry, clock: Pick<Clock, "now">) {
    this.#inner = inner;
    this.#clock = clock;
  }

  ticked(schedule: string, lagMs: number): void {
    this.#inner.ticked(schedule, lagMs);
  }

  missed(schedule: string, ticks: number): void {
    this.#inner.missed(schedule, ticks);
    const before = this.of(schedule)?.ticks ?? 0;
    this.#missed.delete(schedule);
    this.#missed.set(schedule, { ticks: before + ticks, lastMs: this.#clock.now() });
    const [oldest] = this.#missed.keys();
    if (this.#missed.size > SCHEDULES_MAX && oldest !== undefined) this.#missed.delete(oldest);
  }

  /** `undefined`: none within the last day. */
  of(schedule: string): MissedTicks | undefined {
    const missed = this.#missed.get(schedule);
    return missed !== undefined && this.#clock.now() - missed.lastMs < TOLD_MS ? missed : undefined;
  }
}
