import type { Clock, ScheduledCall } from "../../../src/ports/clock.ts";
import type { ShardProgress } from "../../../src/ports/progress-store.ts";
import type { SeededRandom } from "../random.ts";
import { timerErrorMs, type VirtualTime } from "../virtual-clock.ts";
import { abortedError, CallUnderWay, type WorldCall } from "./call-under-way.ts";
import { EPOCH_MS, type SimShard } from "./stream.ts";

export interface ProcessClockPlan {
  /** How far its wall clock is ahead of the source's, in milliseconds. */
  readonly wallOffsetMs: number;
  /** How fast its clocks run against the world's: 1.001 gains one millisecond a second. */
  readonly rate: number;
}

/** A lease as its holder may believe in it: from its own clock and the answers that reached it. */
export interface BelievedLease {
  readonly epoch: number;
  /** Its own monotonic time when it sent the last acquire or renewal that was confirmed. */
  confirmedLocalMs: number;
}

export interface LeaseSighting {
  readonly epoch: number;
  readonly counter: number;
  readonly owner: string | undefined;
  readonly sinceLocalMs: number;
}

/** The ports give a call this long to end after an abort; shorter ones simply end. */
const ABORT_MS_MAX = 900;

/** Looks at the clock between two events: no honest engine comes near. */
const LOOKS_MAX = 200_000;

/** Lists of rows that are kept of each mapping. */
export const LISTS_KEPT = 4;

export interface LateTimer {
  readonly dueAt: number;
  readonly lateMs: number;
}

/** A mapping of a stream was stopped in a process, and begun there with other settings. */
export interface MappingUpdate {
  readonly uuid: string;
  readonly at: number;
  /** `undefined`: what runs of it is still drained. */
  begunAt: number | undefined;
}

type State = "running" | "paused" | "dead";

/**
 * One process that runs an engine: its clocks, and the gate through which all that reaches it must pass. While it is
 * paused nothing fires; when it goes on, all that is overdue fires. When it crashes nothing fires ever again, and what
 * it has asked of others goes on without it.
 */
export class SimProcess {
  readonly ordinal: number;
  readonly owner: string;
  readonly clock: Clock;
  readonly random: SeededRandom;
  readonly bornAt: number;
  /** Leases that it may believe to hold, by `mapping/shard`. */
  readonly leases = new Map<string, BelievedLease>();
  /** The newest epoch that it gave up or was told to have lost, by `mapping/shard`. */
  readonly leasesGivenUp = new Map<string, number>();
  /** When it began anew with a mapping, by its UUID; else it has it since it was born. */
  readonly begunAt = new Map<string, number>();
  /** Of mappings of streams, in the order in which they were asked for. */
  readonly updates: MappingUpdate[] = [];
  /** How its last try to read a shard, or to begin to, has ended, by `mapping/shard`. */
  readonly reads = new Map<string, "worked" | "failed">();
  /** Rows of a mapping as it was told them last, by its UUID: the newest list last. */
  readonly listed = new Map<string, readonly (readonly ShardProgress[])[]>();
  /** The log of the last records that it gave the function, by `mapping/shard`. */
  readonly lastLogs = new Map<string, SimShard>();
  /** When it first saw the counter of a lease as it last saw it, by `mapping/shard`, in its own monotonic time. */
  readonly sights = new Map<string, LeaseSighting>();
  state: State = "running";
  /** Dies when it makes the call of this ordinal: between two awaits, where no timer ever stands. */
  crashAtCall: number | undefined;
  calls = 0;
  diedAt: number | undefined;
  stopCalledAt: number | undefined;
  stopResolvedAt: number | undefined;
  /** World time until which a stop waits for what runs; for ever when nobody stops it. */
  drainDeadline = Number.POSITIVE_INFINITY;
  /** When shards were given away though batches of theirs still ran: of a hand-over, or of a stop. */
  readonly drainsPassed: number[] = [];
  /** Timers set, and neither fired nor cancelled. */
  readonly timers: ProcessTimer[] = [];
  onDeath: () => void = () => {};
  onCallAfterStop: () => void = () => {};
  onSpin: () => void = () => {};
  /** Timers that were set to come later than is usual, in world time. */
  readonly lateTimers: LateTimer[] = [];
  /** How late a timer is beyond what is usual: a busy loop, a machine that sleeps. */
  delayOfTimer: () => number = () => 0;
  #looks = 0;
  #looksAtEvent = -1;
  readonly #time: VirtualTime;
  readonly #rate: number;
  #wallOffsetMs: number;
  #held: (() => void)[] = [];

  constructor(
    ordinal: number,
    owner: string,
    time: VirtualTime,
    random: SeededRandom,
    plan: ProcessClockPlan,
  ) {
    this.ordinal = ordinal;
    this.owner = owner;
    this.random = random;
    this.bornAt = time.now;
    this.#time = time;
    this.#rate = plan.rate;
    this.#wallOffsetMs = plan.wallOffsetMs;
    this.clock = {
      now: () => {
        this.#checkSpin();
        return Math.floor(EPOCH_MS + this.#time.now + this.#wallOffsetMs);
      },
      monotonic: () => {
        this.#checkSpin();
        return this.localMs();
      },
      schedule: (delayMs, fire) => this.#schedule(delayMs, fire),
    };
  }

  /** Its monotonic time. It runs on through a pause, as a machine's does. */
  localMs(): number {
    return this.localAt(this.#time.now);
  }

  localAt(worldMs: number): number {
    return (worldMs - this.bornAt) * this.#rate + 1_000;
  }

  /**
   * Promise jobs that beget promise jobs would never let the next event happen, and no scheduler could stop them.
   * Whoever spins looks at the clock, and is stopped there.
   */
  #checkSpin(): void {
    if (this.#looksAtEvent !== this.#time.fired) {
      this.#looksAtEvent = this.#time.fired;
      this.#looks = 0;
    }
    if (++this.#looks <= LOOKS_MAX) return;
    this.onSpin();
    throw new Error(`${this.owner} looked at its clock ${LOOKS_MAX} times and let no time pass`);
  }

  jumpWallClock(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }

  /** Lets an event in: now, later when paused, never when dead. */
  enter(fire: () => void): void {
    if (this.state === "running") fire();
    else if (this.state === "paused") this.#held.push(fire);
  }

  /** A call to the world, answered through the gate. A call of a dead process is never answered. */
  call<T>(call: WorldCall<T>): Promise<T> {
    const { signal } = call;
    if (signal?.aborted === true) return Promise.reject(abortedError());
    return new Promise((resolve, reject) => {
      if (!this.admitsCall()) return;
      const underWay = new CallUnderWay<T>(this, this.#time, call, resolve, reject);
      this.#time.schedule(call.travelMs, () => underWay.arrive());
      if (signal !== undefined && call.travelMs + call.replyMs > ABORT_MS_MAX) {
        signal.addEventListener("abort", () => underWay.answer(), { once: true });
      }
    });
  }

  /** Counts a call to the world, and dies at the planned one. False: the call does not leave the process. */
  admitsCall(): boolean {
    if (this.state === "dead") return false;
    if (this.stopResolvedAt !== undefined) this.onCallAfterStop();
    this.calls++;
    if (this.calls !== this.crashAtCall) return true;
    this.die();
    return false;
  }

  die(): void {
    if (this.state === "dead") return;
    this.state = "dead";
    this.diedAt = this.#time.now;
    this.#held = [];
    for (const timer of [...this.timers]) timer.cancel();
    this.onDeath();
  }

  pause(): void {
    if (this.state === "running") this.state = "paused";
  }

  /**
   * What was held back fires at once: in the order in which it fell due, or the replies of others before the timers.
   */
  resume(): void {
    if (this.state !== "paused") return;
    this.state = "running";
    const held = this.#held;
    this.#held = [];
    let delayMs = 0;
    for (const fire of held) {
      delayMs += 0.001;
      this.#time.schedule(delayMs, () => this.enter(fire));
    }
  }

  #schedule(delayMs: number, fire: () => void): ScheduledCall {
    const timer = new ProcessTimer(this.timers, fire);
    if (this.state === "dead") return timer;
    const errorMs = timerErrorMs(this.random);
    const lateMs = this.delayOfTimer();
    const dueMs = Math.max(0, delayMs) / this.#rate;
    const afterMs = Math.max(0.001, dueMs + (errorMs + lateMs));
    if (lateMs > 0) this.lateTimers.push({ dueAt: this.#time.now + dueMs, lateMs });
    timer.start(this.#time.schedule(afterMs, () => this.#enterTimer(timer)));
    return timer;
  }

  /** As `enter`, with no function made for each of them: most find the process running. */
  #enterTimer(timer: ProcessTimer): void {
    if (this.state === "running") timer.fire();
    else if (this.state === "paused") this.#held.push(() => timer.fire());
  }
}

class ProcessTimer implements ScheduledCall {
  /** Of its process: they are many, and come and go with each call. */
  readonly #all: ProcessTimer[];
  /** Its place among them; -1: it has not begun, or has ended. */
  #place = -1;
  readonly #fire: () => void;
  #pending: ScheduledCall | undefined;

  constructor(all: ProcessTimer[], fire: () => void) {
    this.#all = all;
    this.#fire = fire;
  }

  start(pending: ScheduledCall): void {
    this.#pending = pending;
    this.#place = this.#all.push(this) - 1;
  }

  cancel(): void {
    this.#pending?.cancel();
    this.#end();
  }

  fire(): void {
    if (this.#end()) this.#fire();
  }

  /** True for the one that ends it. */
  #end(): boolean {
    this.#pending = undefined;
    const place = this.#place;
    if (place === -1) return false;
    this.#place = -1;
    const last = this.#all.pop();
    if (last === undefined || last === this) return true;
    this.#all[place] = last;
    last.#place = place;
    return true;
  }
}
