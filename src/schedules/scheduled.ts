import type { NewAsyncItem } from "../model/async-item.ts";
import type { AsyncQueue } from "../ports/async-queue.ts";
import type { Clock } from "../ports/clock.ts";
import type { ScheduleTelemetry } from "../ports/schedule-telemetry.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import type { CursorPlace } from "./cursor-place.ts";
import type { Tick, Timetable } from "./next-ticks.ts";

/** A schedule as this process knows it. */
export interface Scheduled {
  /** Its row's: never that of another schedule, also of one that is long gone. */
  readonly uid: string;
  /** For people, and a label of metrics. */
  readonly name: string;
  /** Rises with every change of it. */
  readonly generation: number;
  readonly isEnabled: boolean;
  readonly timetable: Timetable;
  /** What a tick is to its targets. */
  items(tick: Tick): readonly NewAsyncItem[];
}

export interface SchedulerOptions {
  readonly queue: Pick<AsyncQueue, "put" | "cursors">;
  readonly clock: Clock;
  /** Names of the processes that live, this one among them: who tries first. */
  readonly members: () => SchedulerMembers;
  readonly telemetry: Pick<Telemetry, "log">;
  readonly ticks: ScheduleTelemetry;
  /** No more ticks are to come, and the last one was enqueued. May come again. */
  readonly onCompleted: (scheduled: Scheduled) => void;
}

export interface SchedulerMembers {
  readonly processId: string;
  readonly living: readonly string[];
  /** What this process knows of the rows may be over. */
  readonly isCutOff: boolean;
}

/** Where a process stands with a schedule. */
export interface Entry {
  readonly scheduled: Scheduled;
  /** `undefined`: the store has to be asked. */
  place: CursorPlace | undefined;
  /** When there is something to do, by the wall clock. */
  lookMs: number;
  /** The wall time of the last answer of the store. */
  askedMs: number;
  /** Its cursor was seen to stand somewhere: where it does no more, the schedule is gone and forgotten. */
  wasBegun: boolean;
  /** A process has begun with this generation, or a newer one. */
  isFenced: boolean;
  /** A write from this place was stale: before `untilMs` it would be again, where the place still stands. */
  refused?: { readonly text: string; readonly untilMs: number } | undefined;
}
