import type { InvocationOutcome } from "../../../src/model/outcome.ts";
import type { RedriveItem } from "../../../src/model/redrive.ts";
import { RedriveBook } from "../../../src/parking/redrive-book.ts";
import type { ParkingStore } from "../../../src/ports/parking-store.ts";
import type { MarkName } from "../../../src/ports/telemetry.ts";
import { createMemoryStore } from "../../../src/stores/memory.ts";
import { createMemoryParkingStore } from "../../../src/stores/memory-parking.ts";
import { ProcessClock } from "../control/process-clock.ts";
import { SeededRandom } from "../random.ts";
import { VirtualTime } from "../virtual-clock.ts";
import { checkEnd } from "./check-end.ts";
import { type FedSource, type FedWorld, fedWorldOf } from "./fed-world.ts";
import { RedriveLedger, type SeenCall } from "./redrive-ledger.ts";
import { MAPPING, RedriveProcess } from "./redrive-process.ts";
import { watchedParking } from "./watched-parking.ts";

export interface RedriveRunResult {
  readonly violations: readonly string[];
  readonly marks: ReadonlyMap<string, number>;
  readonly counts: Readonly<Record<keyof typeof COUNTS, number>>;
}

const COUNTS = {
  calls: 0,
  crashes: 0,
  pauses: 0,
  stops: 0,
  cuts: 0,
  held: 0,
  failed: 0,
  gone: 0,
  retries: 0,
  paces: 0,
};
const PROCESSES = 3;
const FAULTS_MS = 120_000;
const HEALED_MS = 900_000;
const STEP_MS = 5_000;
const ID = "r-1";
/** Drawn before, and late: one of each key. */
const SLACK_BATCHES = 5;

/**
 * Processes redrive one selection while they crash, stop, stand still and lose the stores, the function fails, hangs
 * and recovers, and somebody pauses, resumes, changes the rate and retries what is uncertain (R1 to R5).
 */
export async function runRedriveSeed(seed: number, source: FedSource): Promise<RedriveRunResult> {
  const world = new World(new SeededRandom(seed), source);
  await world.run();
  return { violations: world.violations, marks: world.marks, counts: world.counts };
}

class World {
  readonly violations: string[] = [];
  readonly marks = new Map<string, number>();
  readonly counts = { ...COUNTS };
  readonly #random: SeededRandom;
  readonly #time: VirtualTime;
  readonly #fed: FedWorld;
  readonly #ledger: RedriveLedger;
  readonly #inner = createMemoryParkingStore();
  readonly #store: ParkingStore;
  readonly #progress = createMemoryStore();
  readonly #book: RedriveBook;
  readonly #isAtMostOnce: boolean;
  readonly #concurrency: number;
  readonly #batchSize: number;
  readonly #poison: ReadonlySet<string>;
  /** The function refuses all calls for a while, in some runs. */
  readonly #shutFromMs: number;
  #rate: number | undefined;
  #pausedMs: number | undefined;
  readonly #sincePause = new Map<string, number>();
  #processes: RedriveProcess[] = [];
  #lives = 0;
  #isHealed = false;

  constructor(random: SeededRandom, source: FedSource) {
    this.#random = random;
    this.#time = new VirtualTime(random.fork("ties"));
    this.#isAtMostOnce = random.chance(0.75);
    this.#concurrency = random.int(2, 24);
    this.#batchSize = random.int(1, 12);
    this.#rate = random.chance(0.3) ? random.int(2, 10) : undefined;
    this.#fed = fedWorldOf(source, random, this.#time, this.#inner, (what) => this.#violated(what));
    const { items } = this.#fed;
    this.#poison = new Set(items.filter(() => random.chance(0.04)).map(({ id }) => id));
    this.#shutFromMs = random.fork("shut").between(0, 3 * FAULTS_MS);
    this.#ledger = new RedriveLedger(items, {
      isAtMostOnce: this.#isAtMostOnce,
      keysAtOnceMax: Math.min(4, Math.max(1, Math.floor(this.#concurrency / 4))),
      violated: (what) => this.#violated(what),
    });
    this.#store = watchedParking(this.#inner, (ids) => {
      this.counts.retries += ids.length;
      this.#ledger.retried(ids);
    });
    const clock = new ProcessClock(this.#time, random.fork("operator's clock"));
    this.#book = new RedriveBook({ store: this.#store, clock, random: random.fork("ids") });
  }

  async run(): Promise<void> {
    await this.#book.create({
      id: ID,
      name: "fix",
      mapping: MAPPING,
      selection: "{}",
      to: { kind: "function" },
      rate: this.#rate,
      share: 0.25,
      delivery: this.#isAtMostOnce ? "at-most-once" : "at-least-once",
      selected: this.#fed.items.length,
      caller: "sim",
    });
    while (this.#processes.length < PROCESSES) this.#startProcess();
    this.#disturb(this.#random.fork("nemesis"), (random) => this.#harm(random));
    this.#disturb(this.#random.fork("operator"), (random) => void this.#operate(random));
    await this.#until(FAULTS_MS);
    this.#isHealed = true;
    for (const process of this.#processes) process.heal();
    for (let atMs = FAULTS_MS; atMs < HEALED_MS && this.violations.length === 0; atMs += STEP_MS) {
      await this.#book.resume(ID);
      this.#pausedMs = undefined;
      await this.#until(atMs + STEP_MS);
      await this.#book.retryUncertain(ID);
      if ((await this.#book.get(ID))?.isConcluded === true) break;
    }
    if (this.violations.length > 0) return;
    const status = await this.#book.get(ID);
    if (status === undefined) return this.#violated("R1: the redrive is gone");
    this.counts.held += status.counts.held;
    this.counts.failed += status.counts.failed;
    this.counts.gone += status.counts.gone;
    const ends = await checkEnd({
      status,
      items: this.#fed.items,
      store: this.#inner,
      feed: this.#fed.log,
      ledger: this.#ledger,
    });
    for (const each of [...ends, ...this.#fed.wrongs()]) this.#violated(each);
  }

  #disturb(random: SeededRandom, act: (random: SeededRandom) => void): void {
    const again = () => {
      if (this.#isHealed) return;
      act(random);
      this.#time.schedule(random.between(500, 12_000), again);
    };
    this.#time.schedule(random.between(500, 9_000), again);
  }

  async #until(ms: number): Promise<void> {
    await this.#time.run(ms, () => this.violations.length > 0);
  }

  #startProcess(): void {
    const name = `p${++this.#lives}`;
    const process = new RedriveProcess({
      name,
      time: this.#time,
      random: this.#random.fork(name),
      store: this.#store,
      progress: this.#progress,
      feedOf: (way, clock) => this.#fed.feedOf(way, clock),
      concurrency: this.#concurrency,
      batchSize: this.#batchSize,
      faultRate: this.#isHealed ? 0 : 0.04,
      call: (calling, payload, requestId) => this.#call(calling, payload, requestId),
      shutFromMs: this.#shutFromMs,
      violated: (what) => this.#violated(what),
      mark: (mark: MarkName) => void this.marks.set(mark, (this.marks.get(mark) ?? 0) + 1),
    });
    this.#processes.push(process);
  }

  #harm(random: SeededRandom): void {
    const victim = random.pick(this.#processes);
    const ms = random.between(500, 25_000);
    switch (random.pick(["crash", "crash", "stop", "pause", "cut"] as const)) {
      case "crash":
        this.counts.crashes++;
        victim.clock.die();
        this.#replace(victim, random);
        break;
      case "stop":
        this.counts.stops++;
        void victim.redriver.stop(random.between(0, 4_000));
        this.#replace(victim, random);
        break;
      case "pause":
        this.counts.pauses++;
        victim.clock.pause(ms);
        break;
      case "cut":
        this.counts.cuts++;
        victim.cut(ms);
        break;
    }
  }

  #replace(process: RedriveProcess, random: SeededRandom): void {
    this.#processes = this.#processes.filter((other) => other !== process);
    this.#time.schedule(random.between(0, 3_000), () => this.#startProcess());
    if (this.#processes.length === 0) this.#startProcess();
  }

  async #operate(random: SeededRandom): Promise<void> {
    switch (random.pick(["pause", "resume", "resume", "rate", "retry"] as const)) {
      case "pause": {
        const answer = await this.#book.pause(ID);
        if (!("state" in answer) || answer.state !== "paused") return;
        this.#pausedMs ??= this.#time.now;
        return;
      }
      case "resume":
        this.#pausedMs = undefined;
        this.#sincePause.clear();
        await this.#book.resume(ID);
        return;
      case "rate":
        if (this.#rate !== undefined) return;
        this.counts.paces++;
        await this.#book.setRate(ID, random.chance(0.5) ? undefined : random.int(20, 60));
        return;
      case "retry":
        await this.#book.retryUncertain(ID);
    }
  }

  async #call(process: RedriveProcess, payload: Uint8Array, requestId: string): Promise<InvocationOutcome> {
    const { Records } = JSON.parse(Buffer.from(payload).toString()) as {
      readonly Records: readonly unknown[];
    };
    const items = Records.flatMap((element) => this.#fed.itemOf(element) ?? []);
    if (this.#random.chance(0.03)) return { kind: "throttled", retryAfterMs: undefined };
    const call: SeenCall = {
      process: process.name,
      requestId,
      items,
      startMs: this.#time.now,
      outcome: undefined,
      isTold: false,
    };
    this.counts.calls++;
    this.#ledger.started(call);
    this.#checkPace(call);
    this.#checkPause(call);
    await new Promise<void>((resolve) => this.#time.schedule(this.#random.between(5, 3_000), resolve));
    const outcome = this.#outcome(items);
    this.#ledger.ended(call, outcome);
    // The answer comes to a process that goes on.
    await new Promise<void>((resolve) => void process.clock.schedule(1, resolve));
    call.isTold = true;
    switch (outcome) {
      case "succeeded":
        return { kind: "succeeded", payload: Buffer.from("null") };
      case "failed":
        return { kind: "functionError", errorType: "Error", message: "no price" };
      case "timedOut":
        return { kind: "timedOut" };
    }
  }

  #outcome(items: readonly RedriveItem[]): NonNullable<SeenCall["outcome"]> {
    if (items.some(({ id }) => this.#poison.has(id))) return "failed";
    if (this.#isHealed) return "succeeded";
    if (this.#random.chance(0.03)) return "timedOut";
    return this.#random.chance(0.04) ? "failed" : "succeeded";
  }

  #checkPace(call: SeenCall): void {
    const rate = this.#rate;
    if (rate === undefined) return;
    let items = 0;
    for (const before of this.#ledger.calls.toReversed()) {
      if (before.process !== call.process) continue;
      items += before.items.length;
      const allowed = (rate * (call.startMs - before.startMs)) / 1_000 + SLACK_BATCHES * Math.max(1, rate);
      if (items > allowed)
        this.#violated(`R4: ${items} items in ${call.startMs - before.startMs} ms at ${rate}/s`);
    }
  }

  /** What was said to start before the pause may start behind it: one call of each key that is drained. */
  #checkPause({ items }: SeenCall): void {
    if (this.#pausedMs === undefined) return;
    const key = items[0]?.key ?? `no key ${items[0]?.id}`;
    const since = (this.#sincePause.get(key) ?? 0) + 1;
    this.#sincePause.set(key, since);
    if (since > 1 || this.#sincePause.size > 4)
      this.#violated(`R5: call ${since} of ${key}, of ${this.#sincePause.size} keys, after the pause`);
  }

  #violated(what: string): void {
    this.violations.push(`${what} (at ${Math.round(this.#time.now)} ms)`);
  }
}
