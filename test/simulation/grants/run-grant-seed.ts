import { CUT_OFF_MS } from "../../../src/control/process-life.ts";
import type { Allotment } from "../../../src/invocation/allotment.ts";
import { createMemoryResourceStore } from "../../../src/stores/memory-resources.ts";
import { SeededRandom } from "../random.ts";
import { VirtualTime } from "../virtual-clock.ts";
import { GrantProcess, PATIENCE_MS } from "./grant-process.ts";
import { grantOf, WatchedCells } from "./watched-cells.ts";

export interface GrantRun {
  readonly violations: readonly string[];
  /** What happened, so that a run in which nothing did is seen. */
  readonly counts: Readonly<Record<keyof typeof COUNTS, number>>;
}

const COUNTS = {
  starts: 0,
  refusals: 0,
  crashes: 0,
  pauses: 0,
  cuts: 0,
  stops: 0,
  rests: 0,
  conflicts: 0,
  partsStruck: 0,
  partsGivenUp: 0,
  limitsLowered: 0,
  startsWhereOthersRun: 0,
};

const PROCESSES = 3;
const FAULTS_MS = 90_000;
/** What a crash, a cut and slow answers leave behind is over by then. */
const SETTLED_MS = 60_000;
const WATCHED_MS = 40_000;
const SAMPLE_MS = 250;
const CALL_MS_MAX = 2_500;
/** Timers may be late, and the answer of a process that stood still is. */
const TICK_MS = 60;

/** A call at the function. What it started in is over: the others need not count it. */
interface Call {
  readonly process: GrantProcess;
  readonly life: number;
}

/** Of so many seeds one has the limit be the account's, and the function reserve nothing of it. */
const POOLED_EVERY = 3;

/**
 * Processes with callers of mappings and of Invoke share the concurrency of one function, while they crash, stop, stand
 * still, lose the store and start again with another limit (I28, I29, I30).
 */
export async function runGrantSeed(seed: number): Promise<GrantRun> {
  const world = new World(new SeededRandom(seed), seed % POOLED_EVERY === 0);
  await world.run();
  return { violations: world.violations, counts: world.counts };
}

class World {
  readonly violations: string[] = [];
  readonly counts = { ...COUNTS };
  readonly #random: SeededRandom;
  readonly #time: VirtualTime;
  readonly #rows = createMemoryResourceStore();
  readonly #cells: WatchedCells;
  readonly #calls = new Set<Call>();
  /** Limits that were in force of late, with the moment at which each ended. */
  readonly #limits: { readonly limit: number; readonly untilMs: number }[] = [];
  readonly #isPooled: boolean;
  #limit: number;
  #processes: GrantProcess[] = [];
  #lives = 0;
  #isHealed = false;

  constructor(random: SeededRandom, isPooled: boolean) {
    this.#random = random;
    this.#isPooled = isPooled;
    this.#time = new VirtualTime(random.fork("ties"));
    this.#limit = random.int(1, 9);
    this.#cells = new WatchedCells(
      (before, after) => this.#onWrite(before, after),
      () => void this.counts.conflicts++,
    );
  }

  async run(): Promise<void> {
    while (this.#processes.length < PROCESSES) this.#startProcess();
    const nemesis = this.#random.fork("nemesis");
    const harm = () => {
      if (this.#isHealed) return;
      this.#harm(nemesis);
      this.#time.schedule(nemesis.between(1_000, 9_000), harm);
    };
    this.#time.schedule(nemesis.between(2_000, 9_000), harm);
    await this.#until(FAULTS_MS);
    this.#isHealed = true;
    for (const process of this.#processes) heal(process);
    while (this.#processes.length < PROCESSES) this.#startProcess();
    await this.#until(FAULTS_MS + SETTLED_MS);
    if (this.violations.length === 0) await this.#checkShares();
    if (this.violations.length === 0) await this.#checkEnd();
  }

  async #until(ms: number): Promise<void> {
    await this.#time.run(ms, () => this.violations.length > 0);
  }

  #startProcess(): void {
    const name = `p${++this.#lives}`;
    const random = this.#random.fork(name);
    const process = new GrantProcess({
      name,
      limit: this.#limit,
      isPooled: this.#isPooled,
      time: this.#time,
      random,
      rows: this.#rows,
      cells: this.#cells,
      onStart: (starting) => this.#onStart(starting),
      onBroken: ({ name: at }, error) => this.#violated(`I26: the door of ${at} throws ${String(error)}`),
      onAnswer: (answered, result, waitedMs) => this.#onAnswer(answered, result, waitedMs),
    });
    if (this.#isHealed) heal(process);
    this.#processes.push(process);
    // Enough for all places of the limit.
    process.run(12, 4);
  }

  #harm(random: SeededRandom): void {
    const victim = random.pick(this.#processes);
    const ms = random.between(500, 20_000);
    const kind = random.pick(["crash", "stop", "pause", "cut", "limit", "rest"] as const);
    if (kind === "limit") this.#limit = random.int(1, 9);
    switch (kind) {
      case "crash":
        this.counts.crashes++;
        victim.clock.die();
        this.#replace(victim, random);
        break;
      case "stop":
      case "limit":
        this.counts.stops++;
        void victim.stop();
        this.#replace(victim, random);
        break;
      case "pause":
        this.counts.pauses++;
        victim.clock.pause(ms);
        break;
      case "rest":
        this.counts.rests++;
        victim.restsUntilMs = this.#time.now + ms;
        break;
      case "cut":
        this.counts.cuts++;
        victim.way.cut(ms);
        break;
    }
  }

  #replace(process: GrantProcess, random: SeededRandom): void {
    this.#processes = this.#processes.filter((other) => other !== process);
    this.#time.schedule(random.between(0, 5_000), () => this.#startProcess());
    if (this.#processes.length === 0) this.#startProcess();
  }

  #onStart(process: GrantProcess): Promise<void> {
    const { membership, invoker, name } = process;
    this.counts.starts++;
    const call: Call = { process, life: membership.life };
    this.#calls.add(call);
    if (membership.isCutOff) this.#violated(`I29: ${name} starts a call though it is cut off`);
    const granted = grantOf(this.#cells.content, membership.processId);
    if (invoker.taken > granted)
      this.#violated(`I29: ${name} runs ${invoker.taken} calls, and the cell grants it ${granted}`);
    const running = [...this.#calls].filter(isCounted).length;
    if (running > this.#limitInForce())
      this.#violated(`I28: ${running} calls run of ${this.#limitInForce()}`);
    if ([...this.#calls].some((other) => other.process !== process)) this.counts.startsWhereOthersRun++;
    const durationMs = this.#random.between(20, CALL_MS_MAX);
    return new Promise((resolve) => {
      this.#time.schedule(durationMs, () => {
        this.#calls.delete(call);
        resolve();
      });
    });
  }

  /** A lowered limit holds once every process has seen it, or has cut itself off. */
  #limitInForce(): number {
    const sinceMs = this.#time.now - CUT_OFF_MS - TICK_MS;
    const recent = this.#limits.filter(({ untilMs }) => untilMs >= sinceMs).map(({ limit }) => limit);
    return Math.max(this.#cells.content.limit, ...recent);
  }

  #onAnswer({ name, clock }: GrantProcess, result: string, waitedMs: number): void {
    if (result === "refused") this.counts.refusals++;
    // Who stood still meanwhile was late with everything.
    const stoodStill = this.#time.now - clock.resumedMs <= waitedMs + TICK_MS;
    if (waitedMs > PATIENCE_MS + TICK_MS && !stoodStill)
      this.#violated(`I30: ${name} had a call of Invoke wait for ${Math.round(waitedMs)} ms`);
  }

  #onWrite(before: Allotment, after: Allotment): void {
    if (after.limit !== before.limit) this.#limits.push({ limit: before.limit, untilMs: this.#time.now });
    if (after.limit < before.limit) this.counts.limitsLowered++;
    const granted = after.parts.reduce((sum, part) => sum + part.granted, 0);
    const raised = after.parts.filter((part) => part.granted > grantOf(before, part.process));
    if (granted > after.limit && raised.length > 0)
      this.#violated(`I29: ${granted} of ${after.limit} are granted, some of them now`);
    for (const { process, granted: had } of before.parts) {
      const has = grantOf(after, process);
      if (has >= had) continue;
      this.counts.partsGivenUp++;
      if (after.parts.some((part) => part.process === process)) continue;
      const living = this.#processes.find((each) => each.membership.processId === process);
      if (living === undefined) this.counts.partsStruck++;
      else if (living.invoker.taken > 0 && !living.membership.isCutOff)
        this.#violated(`I29: the part of ${process} is struck while it lives and runs calls`);
    }
  }

  /** All processes want all they can have: each has its even share, and each kind of its callers is served. */
  async #checkShares(): Promise<void> {
    const limit = this.#cells.content.limit;
    // Replacements of earlier ones may have come in between.
    const least = Math.floor(limit / this.#processes.length);
    const served = new Map<string, number>();
    const startMs = this.#time.now;
    for (let atMs = startMs; atMs < startMs + WATCHED_MS && this.violations.length === 0; atMs += SAMPLE_MS) {
      await this.#until(atMs);
      for (const process of this.#processes) {
        const { taken } = process.invoker;
        if (taken > 0) served.set(process.name, (served.get(process.name) ?? 0) + 1);
        if (taken < least)
          this.#violated(`I30: ${process.name} runs ${taken} calls, its even share of ${limit} is ${least}`);
      }
    }
    for (const { name } of this.#processes)
      if (!served.has(name)) this.#violated(`I30: ${name} had no turn in ${WATCHED_MS} ms`);
  }

  /** Everything has been given back. */
  async #checkEnd(): Promise<void> {
    const processes = this.#processes;
    const stopped = Promise.all(processes.map((process) => process.stop()));
    let isStopped = false;
    void stopped.then(() => {
      isStopped = true;
    });
    await this.#time.run(this.#time.now + 30_000, () => isStopped);
    for (const { name, invoker } of processes)
      if (invoker.taken !== 0) this.#violated(`I26: ${name} keeps ${invoker.taken} places at its end`);
    const left = this.#cells.content.parts.filter((part) =>
      processes.some(({ name }) => part.process.startsWith(name)),
    );
    if (left.length > 0) this.#violated(`I26: parts are left at the end: ${JSON.stringify(left)}`);
  }

  #violated(what: string): void {
    this.violations.push(`${what} (at ${Math.round(this.#time.now)} ms)`);
  }
}

/** Not of a process that is dead or was cut off since: those end within their time-out. */
function isCounted({ process, life }: Call): boolean {
  const { clock, membership } = process;
  return !clock.isDead && membership.life === life && !membership.isCutOff;
}

function heal(process: GrantProcess): void {
  process.faultRate = 0;
  process.restsUntilMs = 0;
  process.way.faultRate = 0;
  process.way.cut(0);
  process.clock.pause(0);
}
