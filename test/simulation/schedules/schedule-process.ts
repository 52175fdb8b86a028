import { newAttemptState } from "../../../src/model/async-item.ts";
import type { AsyncQueue } from "../../../src/ports/async-queue.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import { parseExpression } from "../../../src/schedules/expression.ts";
import type { Scheduled } from "../../../src/schedules/scheduled.ts";
import { Scheduler } from "../../../src/schedules/scheduler.ts";
import { findZone } from "../../../src/schedules/zone.ts";
import { SILENT_TELEMETRY } from "../../unit/engine/stream/small-world.ts";
import { FaultyWay } from "../control/faulty-way.ts";
import { ProcessClock } from "../control/process-clock.ts";
import type { SeededRandom } from "../random.ts";
import type { VirtualTime } from "../virtual-clock.ts";
import { expressionOf, type Meaning } from "./tick-oracle.ts";

/** The row of a schedule. */
export interface ScheduleRow {
  readonly uid: string;
  readonly generation: number;
  readonly isEnabled: boolean;
  readonly anchorMs: number;
  readonly windowMs: number;
  readonly meaning: Meaning;
}

export interface ScheduleProcessOptions {
  readonly name: string;
  readonly time: VirtualTime;
  readonly random: SeededRandom;
  /** What clocks on the wall show when the world begins. */
  readonly beginMs: number;
  readonly faultRate: number;
  readonly rows: () => readonly ScheduleRow[];
  readonly queue: Pick<AsyncQueue, "put" | "cursors">;
  readonly living: () => readonly string[];
  /** Whether it stops by itself when it does not reach the rows. */
  readonly cutsItselfOff: boolean;
  readonly onMissed: (uid: string, ticks: number) => void;
  readonly onCompleted: (uid: string) => void;
}

const LOOK_MS = 1_000;
const CUT_OFF_MS = 10_000;
/** Clocks of processes differ by so much. */
export const SKEW_MS = 200;

/** A process with the real scheduler, which reads rows each second. */
export class ScheduleProcess {
  readonly name: string;
  readonly clock: ProcessClock;
  readonly way: FaultyWay;
  /** When it read the rows that it has carried out, by the world's time. */
  appliedMs = Number.NEGATIVE_INFINITY;
  #heardMs = Number.NEGATIVE_INFINITY;
  readonly #options: ScheduleProcessOptions;
  readonly #scheduler: Scheduler;
  readonly #known = new Map<string, Scheduled>();
  #isStopped = false;

  constructor(options: ScheduleProcessOptions) {
    const { name, time, random, queue, beginMs, living, cutsItselfOff } = options;
    this.#options = options;
    this.name = name;
    this.clock = new ProcessClock(time, random.fork("clock"));
    this.way = new FaultyWay(time, this.clock, random.fork("store"));
    this.way.faultRate = options.faultRate;
    this.way.lateRate = 0.5;
    const { clock } = this;
    const skewMs = random.between(-SKEW_MS, SKEW_MS);
    const wallClock: Clock = {
      now: () => beginMs + skewMs + clock.monotonic(),
      monotonic: () => clock.monotonic(),
      schedule: (delayMs, fire) => clock.schedule(delayMs, fire),
    };
    this.#scheduler = new Scheduler({
      queue: {
        put: (items, cursor) => this.way.call(() => queue.put(items, cursor)),
        cursors: (prefix) => this.way.call(() => queue.cursors(prefix)),
      },
      clock: wallClock,
      members: () => ({
        processId: name,
        living: living(),
        isCutOff: cutsItselfOff && clock.monotonic() - this.#heardMs > CUT_OFF_MS,
      }),
      telemetry: SILENT_TELEMETRY,
      ticks: { ticked: () => undefined, missed: (uid, ticks) => options.onMissed(uid, ticks) },
      onCompleted: ({ uid }) => options.onCompleted(uid),
    });
    this.#scheduler.start();
    void this.#look();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#scheduler.stop();
  }

  async #look(): Promise<void> {
    while (!this.#isStopped) {
      const askedMs = this.clock.monotonic();
      const rows = await this.way.call(async () => this.#options.rows()).catch(() => undefined);
      if (rows !== undefined) {
        this.#heardMs = askedMs;
        void this.#scheduler.want(rows.map((row) => this.#scheduledOf(row))).then(() => {
          this.appliedMs = Math.max(this.appliedMs, askedMs);
        });
      }
      await new Promise<void>((resolve) => void this.clock.schedule(LOOK_MS, resolve));
    }
  }

  #scheduledOf(row: ScheduleRow): Scheduled {
    const known = this.#known.get(row.uid);
    if (known?.generation === row.generation) return known;
    const scheduled = scheduledOf(row);
    this.#known.set(row.uid, scheduled);
    return scheduled;
  }
}

function scheduledOf({ uid, generation, isEnabled, anchorMs, windowMs, meaning }: ScheduleRow): Scheduled {
  const expression = parseExpression(expressionOf(meaning));
  const zone = findZone(meaning.kind === "rate" ? "UTC" : meaning.zone);
  if (expression === undefined || zone === undefined)
    throw new Error(`no schedule: ${expressionOf(meaning)}`);
  return {
    uid,
    name: uid,
    generation,
    isEnabled,
    timetable: { uid, expression, zone, anchorMs, isDueAtAnchor: true, windowMs },
    items: ({ atMs }) => [
      {
        id: `${uid} ${generation} ${atMs}`,
        kind: "invoke",
        lane: "f:fn",
        qualifier: "",
        body: Buffer.alloc(0),
        state: newAttemptState(0),
        visibleInMs: 0,
      },
    ],
  };
}
