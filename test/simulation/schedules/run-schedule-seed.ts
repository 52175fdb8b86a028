import type { NewAsyncItem } from "../../../src/model/async-item.ts";
import type { CursorMove } from "../../../src/ports/async-queue.ts";
import { createMemoryAsyncQueue } from "../../../src/stores/memory-async-queue.ts";
import { SeededRandom } from "../random.ts";
import { VirtualTime } from "../virtual-clock.ts";
import { ScheduleProcess, type ScheduleRow } from "./schedule-process.ts";
import { TickJudge } from "./tick-judge.ts";
import { type Meaning, MINUTE_MS, wallAt } from "./tick-oracle.ts";

export interface ScheduleRun {
  readonly violations: readonly string[];
  /** What happened, so that a run in which nothing did is seen. */
  readonly counts: Readonly<Record<keyof typeof COUNTS, number>>;
}

const COUNTS = {
  enqueued: 0,
  skipped: 0,
  missed: 0,
  stale: 0,
  crashes: 0,
  pauses: 0,
  cuts: 0,
  changes: 0,
  disablings: 0,
  deletions: 0,
  completions: 0,
};

export interface ScheduleWorldOptions {
  readonly seed: number;
  readonly schedules: number;
  readonly minutes: number;
  /** Processes crash, and nothing else happens: each tick has to be enqueued once. */
  readonly isExact: boolean;
  /** All of them once a minute. */
  readonly isUniform?: boolean;
}

const PROCESSES = 4;
const HEALED_MS = 6 * MINUTE_MS;
/** Who does not cut itself off stands still for less than a cursor is kept of what is gone. */
const PAUSE_MS_MAX = 55_000;
/** Others take a process that has crashed for living so long. */
const GONE_MS = 15_000;
/** Before clocks are turned: one hour comes twice, or is left out. */
const BEGINNINGS = [
  Date.UTC(2026, 9, 25, 0, 20),
  Date.UTC(2026, 2, 29, 0, 20),
  Date.UTC(2026, 3, 4, 14, 20),
  Date.UTC(2026, 5, 1, 12),
] as const;
const ZONES = ["Europe/Berlin", "Australia/Lord_Howe", "UTC"] as const;
const ALL_HOURS = Array.from({ length: 24 }, (_, hour) => hour);

/** Processes with one store enqueue the ticks of schedules that somebody changes (I37). */
export async function runScheduleSeed(seed: number): Promise<ScheduleRun> {
  const isExact = seed % 4 === 0;
  return await runScheduleWorld({ seed, schedules: isExact ? 16 : 10, minutes: 75, isExact });
}

export async function runScheduleWorld(options: ScheduleWorldOptions): Promise<ScheduleRun> {
  const world = new World(options);
  await world.run();
  return { violations: world.violations, counts: world.counts };
}

class World {
  readonly counts = { ...COUNTS };
  readonly #options: ScheduleWorldOptions;
  readonly #random: SeededRandom;
  readonly #time: VirtualTime;
  readonly #judge: TickJudge;
  readonly #queue = createMemoryAsyncQueue(() => 0);
  readonly #beginMs: number;
  readonly #cutsItselfOff: boolean;
  readonly #rows = new Map<string, ScheduleRow>();
  /** With the moment of a crash: others do not know yet. */
  readonly #crashed: { readonly name: string; readonly untilMs: number }[] = [];
  #processes: ScheduleProcess[] = [];
  #names = 0;
  #isHealed = false;

  constructor(options: ScheduleWorldOptions) {
    this.#options = options;
    this.#random = new SeededRandom(options.seed);
    this.#time = new VirtualTime(this.#random.fork("ties"));
    this.#judge = new TickJudge(options.isExact);
    this.#beginMs = this.#random.pick(BEGINNINGS);
    this.#cutsItselfOff = this.#random.chance(0.5);
  }

  get violations(): readonly string[] {
    return this.#judge.violations;
  }

  async run(): Promise<void> {
    const { schedules, minutes, isExact } = this.#options;
    while (this.#rows.size < schedules) this.#create(this.#random.fork(`schedule ${this.#rows.size}`));
    while (this.#processes.length < PROCESSES) this.#startProcess();
    const nemesis = this.#random.fork("nemesis");
    this.#again(nemesis, isExact ? [60_000, 400_000] : [10_000, 120_000], () => this.#harm(nemesis));
    const operator = this.#random.fork("operator");
    if (!isExact) this.#again(operator, [20_000, 300_000], () => this.#operate(operator));
    this.#time.schedule(1_000, () => this.#watch());
    await this.#until(minutes * MINUTE_MS);
    this.#isHealed = true;
    for (const process of this.#processes) this.#heal(process);
    while (this.#processes.length < PROCESSES) this.#startProcess();
    await this.#until(minutes * MINUTE_MS + HEALED_MS);
    this.#judge.end(this.#nowMs);
    this.counts.enqueued = this.#judge.enqueued;
    this.counts.skipped = this.#judge.skipped;
    for (const process of this.#processes) void process.stop();
    await this.#time.run(this.#time.now + 30_000, () => false);
  }

  get #nowMs(): number {
    return this.#beginMs + this.#time.now;
  }

  async #until(ms: number): Promise<void> {
    await this.#time.run(ms, () => this.violations.length > 0);
  }

  #again(random: SeededRandom, [least, most]: readonly [number, number], work: () => void): void {
    this.#time.schedule(random.between(least, most), () => {
      if (this.#isHealed) return;
      work();
      this.#again(random, [least, most], work);
    });
  }

  #startProcess(): void {
    const name = `p${++this.#names}`;
    const process = new ScheduleProcess({
      name,
      time: this.#time,
      random: this.#random.fork(name),
      beginMs: this.#beginMs,
      faultRate: this.#options.isExact || this.#isHealed ? 0 : 0.03,
      rows: () => [...this.#rows.values()],
      queue: {
        put: (items, cursor) => this.#put(items, cursor),
        cursors: (prefix) => this.#queue.cursors(prefix),
      },
      living: () => this.#livingNames(),
      cutsItselfOff: this.#cutsItselfOff,
      onMissed: (_uid, ticks) => {
        this.counts.missed += ticks;
      },
      onCompleted: (uid) => this.#complete(uid),
    });
    this.#processes.push(process);
  }

  #livingNames(): readonly string[] {
    const crashed = this.#crashed.filter(({ untilMs }) => untilMs > this.#time.now);
    return [...this.#processes, ...crashed].map(({ name }) => name);
  }

  /** What is put is taken out at once: an id that comes again is seen. */
  async #put(items: readonly NewAsyncItem[], cursor: CursorMove | undefined): Promise<"put" | "stale"> {
    const answer = await this.#queue.put([], cursor);
    if (answer === "stale") this.counts.stale++;
    else this.#judge.onPut(items, cursor, this.#nowMs);
    return answer;
  }

  #watch(): void {
    const living = this.#processes.filter(
      ({ clock }) => !clock.isPaused || this.#time.now - clock.pausedMs < GONE_MS,
    );
    const appliedMs = Math.min(...living.map((process) => process.appliedMs));
    this.#judge.onApplied(this.#beginMs + appliedMs);
    this.#time.schedule(1_000, () => this.#watch());
  }

  #harm(random: SeededRandom): void {
    const victim = random.pick(this.#processes);
    const kind = this.#options.isExact ? "crash" : random.pick(["crash", "pause", "cut"] as const);
    switch (kind) {
      case "crash":
        this.counts.crashes++;
        victim.clock.die();
        this.#crashed.push({ name: victim.name, untilMs: this.#time.now + GONE_MS });
        this.#processes = this.#processes.filter((other) => other !== victim);
        this.#time.schedule(random.between(1_000, 90_000), () => this.#startProcess());
        if (this.#processes.length === 0) this.#startProcess();
        break;
      case "pause":
        this.counts.pauses++;
        victim.clock.pause(random.between(1_000, this.#cutsItselfOff ? 150_000 : PAUSE_MS_MAX));
        break;
      case "cut":
        this.counts.cuts++;
        for (const process of random.chance(0.2) ? this.#processes : [victim])
          process.way.cut(random.between(1_000, 400_000));
        break;
    }
  }

  #heal(process: ScheduleProcess): void {
    process.way.faultRate = 0;
    process.way.cut(0);
    process.clock.pause(0);
  }

  #operate(random: SeededRandom): void {
    const row = random.pick([...this.#rows.values()]);
    const kind = random.pick(["change", "disable", "disable", "enable", "delete"] as const);
    this.counts.changes++;
    if (kind === "delete") {
      this.counts.deletions++;
      this.#rows.delete(row.uid);
      this.#judge.onRow(row.uid, undefined, this.#nowMs);
      this.#create(random);
      return;
    }
    if (kind === "disable") this.counts.disablings++;
    const meaning = kind === "change" ? this.#meaning(random) : row.meaning;
    this.#write({ ...row, generation: row.generation + 1, isEnabled: kind !== "disable", meaning });
  }

  #complete(uid: string): void {
    if (!this.#rows.delete(uid)) return;
    this.counts.completions++;
    this.#judge.onRow(uid, undefined, this.#nowMs);
  }

  #create(random: SeededRandom): void {
    const uid = `s${this.#rows.size}-${random.int(0, 1e9)}`;
    const isFlexible = this.#options.isUniform !== true && random.chance(0.2);
    const meaning = this.#meaning(random);
    this.#write({
      uid,
      generation: 1,
      isEnabled: true,
      anchorMs: 0,
      windowMs: isFlexible ? 3 * MINUTE_MS : 0,
      meaning,
    });
  }

  #write(row: ScheduleRow): void {
    const written = { ...row, anchorMs: Math.floor(this.#nowMs) };
    this.#rows.set(row.uid, written);
    this.#judge.onRow(row.uid, written, this.#nowMs);
  }

  #meaning(random: SeededRandom): Meaning {
    if (this.#options.isUniform === true) return { kind: "rate", minutes: 1 };
    const zone = random.pick(ZONES);
    switch (random.pick(["rate", "cron", "cron", "cron", "at"] as const)) {
      case "rate":
        return { kind: "rate", minutes: random.int(1, 7) };
      case "cron": {
        const minutes = [random.int(0, 14), random.int(15, 29), random.int(30, 44), random.int(45, 59)];
        return { kind: "cron", zone, minutes, hours: random.pick([ALL_HOURS, [0, 1, 2, 3], [2]]) };
      }
      case "at": {
        const atMs = this.#nowMs + random.int(2, 60) * MINUTE_MS;
        const wall = `${wallAt(zone, Math.floor(atMs / MINUTE_MS) * MINUTE_MS).replace(" ", "T")}:00`;
        return { kind: "at", zone, wall };
      }
    }
  }
}
