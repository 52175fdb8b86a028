import type { Demand } from "../../../src/control/demand/demand.ts";
import { ScalerWatch } from "../../../src/kubernetes/scaler/scaler-watch.ts";
import { readTrigger } from "../../../src/kubernetes/scaler/trigger.ts";
import { MillraceError } from "../../../src/model/errors.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import { SeededRandom } from "../random.ts";
import { VirtualTime } from "../virtual-clock.ts";
import { PodFleet } from "./pod-fleet.ts";
import { ScaleJudge } from "./scale-judge.ts";
import { Work } from "./work.ts";

export interface ScalerRun {
  readonly violations: readonly string[];
  /** What happened, so that a run in which nothing did is seen. */
  readonly counts: Readonly<Record<string, number>>;
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const BEGIN_MS = Date.UTC(2026, 5, 1);
const QUIET_MS = 20 * SECOND_MS;
/** KEDA asks so often; its stream tells it at once. */
const POLL_MS = 15 * SECOND_MS;

/** A day of load on an engine that is scaled from zero and to zero by what the scaler answers (I46). */
export async function runScalerSeed(seed: number, hours = 24): Promise<ScalerRun> {
  const world = new World(seed, hours * HOUR_MS);
  await world.run();
  return { violations: world.judge.violations, counts: world.counts };
}

class World {
  readonly judge: ScaleJudge;
  readonly #random: SeededRandom;
  readonly #time: VirtualTime;
  readonly #work: Work;
  readonly #fleet: PodFleet;
  readonly #watch: ScalerWatch;
  readonly #lengthMs: number;
  readonly #cooldownMs: number;
  /** Until then the store, or the source, answers nobody. */
  #storeAwayUntilMs = 0;
  #sourceAwayUntilMs = 0;
  #idleSinceMs: number | undefined;
  #outages = 0;

  constructor(seed: number, lengthMs: number) {
    this.#random = new SeededRandom(seed);
    this.#time = new VirtualTime(this.#random.fork("ties"));
    this.#lengthMs = lengthMs;
    this.#cooldownMs = this.#random.pick([0, 30 * SECOND_MS, 5 * MINUTE_MS]);
    const time = this.#time;
    const clock: Clock = {
      now: () => BEGIN_MS + time.now,
      monotonic: () => time.now,
      schedule: (delayMs, fire) => time.schedule(delayMs, fire),
    };
    this.#work = new Work(time, this.#random.fork("work"));
    this.#fleet = new PodFleet(time, this.#random.fork("pods"), this.#work);
    this.judge = new ScaleJudge(time, QUIET_MS);
    this.#watch = new ScalerWatch({ look: () => this.#look(), clock, telemetry: { log: () => undefined } });
  }

  get counts(): Readonly<Record<string, number>> {
    const { arrived, done, parked, ticks } = this.#work;
    const { starts, stops } = this.#fleet;
    return { arrived, done, parked, ticks, starts, stops, outages: this.#outages };
  }

  async run(): Promise<void> {
    const time = this.#time;
    this.#work.plan(this.#lengthMs);
    this.#planOutages();
    this.#watch.onLook(() => this.#scale());
    this.#every(POLL_MS, () => this.#scale());
    this.#every(SECOND_MS, () => this.#observe());
    this.#watch.start();
    await time.run(this.#lengthMs, () => this.judge.violations.length > 0);
    const stopped = this.#watch.stop();
    await time.run(this.#lengthMs + MINUTE_MS, () => false);
    await stopped;
  }

  #every(ms: number, work: () => void): void {
    this.#time.schedule(ms, () => {
      work();
      this.#every(ms, work);
    });
  }

  #planOutages(): void {
    const random = this.#random.fork("outages");
    for (let atMs = random.between(HOUR_MS, 5 * HOUR_MS); atMs < this.#lengthMs; ) {
      const isStore = random.chance(0.5);
      const lengthMs = random.between(10 * SECOND_MS, 5 * MINUTE_MS);
      this.#time.schedule(atMs, () => {
        this.#outages += 1;
        if (isStore) this.#storeAwayUntilMs = this.#time.now + lengthMs;
        else this.#sourceAwayUntilMs = this.#time.now + lengthMs;
      });
      atMs += random.between(HOUR_MS, 5 * HOUR_MS);
    }
  }

  /** As the reader of demands looks: at the source first, then at what processes said last. */
  async #look(): Promise<Demand> {
    const work = this.#work;
    const isSourceAway = this.#time.now < this.#sourceAwayUntilMs;
    const waiting = work.waitingAtSource;
    const { dueTicks, redrives } = work;
    await new Promise<void>((resolve) => this.#time.schedule(this.#random.between(10, 900), resolve));
    if (this.#time.now < this.#storeAwayUntilMs)
      throw new MillraceError("ERR_MILLRACE_STORE_UNAVAILABLE", "the store is away");
    const elements = isSourceAway ? Math.max(1, waiting) : waiting;
    const mapping = { name: "jobs", functionName: "jobs", elements, parts: 1, calls: elements };
    return {
      mappings: elements === 0 ? [] : [mapping],
      ...{ events: [], unassigned: 0, deliveries: 0, routes: [], changes: 0 },
      ticks: dueTicks.map((dueMs) => ({
        schedule: "nightly",
        functionNames: ["jobs"],
        dueMs: BEGIN_MS + dueMs,
      })),
      redrives: Array.from({ length: redrives }, () => ({ functionName: "jobs" })),
      processes: this.#fleet.sights(),
      unsure: isSourceAway ? ["the source is away"] : [],
    };
  }

  /** What KEDA does with the answer: from zero at once, to zero once it has been so for the cool-down. */
  #scale(): void {
    if (!this.#watch.isReady) return;
    const { isActive, metrics } = this.#watch.answer(ENGINE);
    const nowMs = this.#time.now;
    if (isActive) {
      this.#idleSinceMs = undefined;
      const wanted = metrics.map(({ value, target }) => Math.ceil(value / target));
      this.#fleet.scale(Math.min(3, Math.max(1, ...wanted)));
      return;
    }
    this.#idleSinceMs ??= nowMs;
    if (nowMs - this.#idleSinceMs >= this.#cooldownMs) this.#fleet.scale(0);
  }

  #observe(): void {
    const nowMs = this.#time.now;
    if (!this.#watch.isReady || nowMs > this.#lengthMs) return;
    const isStoreAway = nowMs < this.#storeAwayUntilMs;
    const isKnown = !isStoreAway && nowMs >= this.#sourceAwayUntilMs;
    const { oldestSinceMs, endedMs } = this.#work;
    const { living } = this.#fleet;
    for (const trigger of [ENGINE, PODS]) {
      const { isActive, reasons } = this.#watch.answer(trigger);
      this.judge.answered({ isActive, oldestSinceMs, endedMs, isStoreAway, isKnown, living, reasons });
    }
  }
}

const ENGINE = readTrigger({ quietSeconds: "20", elementsPerReplica: "5" });
const PODS = readTrigger({ quietSeconds: "20", function: "jobs" });
