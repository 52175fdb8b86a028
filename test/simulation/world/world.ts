import type { Engine, EngineOptions } from "../../../src/engine/engine.ts";
import { DEFAULT_SETTINGS } from "../../../src/engine/settings.ts";
import type { LogFields, LogLevel } from "../../../src/ports/telemetry.ts";
import { createMemoryParkedKeys } from "../../../src/stores/memory-parked-keys.ts";
import { createMappingHistory, type History, type InvariantId, type MappingHistory } from "../history.ts";
import { createQueueHistory, type QueueHistory } from "../queue-history.ts";
import { SeededRandom } from "../random.ts";
import type { MappingScenario, ProcessScenario, QueueScenario, Scenario } from "../scenario.ts";
import { VirtualTime } from "../virtual-clock.ts";
import { type Adapters, createAdapters, createDeployment, createTelemetry } from "./adapters.ts";
import { scheduleArrivals } from "./arrivals.ts";
import { FaultDesk } from "./fault-desk.ts";
import { scheduleFaults } from "./fault-events.ts";
import { type MappingUpdate, SimProcess } from "./process.ts";
import { SimQueue } from "./queue.ts";
import { type HeldWork, STOOD_STILL, StandstillWatch } from "./standstill-watch.ts";
import { StoreRows } from "./store-rows.ts";
import { SimStream } from "./stream.ts";
import { truthWorld } from "./truth-world.ts";
import { SimDoors, scheduleWeights } from "./weights.ts";
import { workLeftMs } from "./work-left.ts";
import { fillOwed, hasSettled, leasesLeft, openWork } from "./world-progress.ts";

export type CreateEngine = (options: EngineOptions) => Engine;

export interface WorldOptions {
  readonly createEngine: CreateEngine;
  /** Replaces adapters by ones with a planted bug. */
  readonly plant?: (adapters: Adapters, process: SimProcess) => Adapters;
  readonly log?: (
    atMs: number,
    process: SimProcess,
    level: LogLevel,
    text: string,
    fields: LogFields,
  ) => void;
}

export interface LiveProcess {
  readonly process: SimProcess;
  readonly engine: Engine;
}

/** More than any honest scenario needs: an engine that spins is stopped here. */
const EVENTS_MAX = 4_000_000;
const STOP_WITHIN_MS = 60_000;
const LOOK_AGAIN_MS = 30_000;
const SILENCE_MS = 15_000;
/** Longer than any call takes, so that what runs comes to its end. */
const UPDATE_DRAIN_MS = 60_000;

/** Everything that one scenario consists of; `run` plays it from the beginning to the end. */
export class World {
  readonly scenario: Scenario;
  readonly time: VirtualTime;
  readonly random: SeededRandom;
  readonly faults: FaultDesk;
  readonly rows = new StoreRows();
  readonly parkedKeys = createMemoryParkedKeys();
  readonly histories: readonly MappingHistory[];
  readonly queues: readonly QueueHistory[];
  readonly history: History;
  readonly marks = new Map<string, number>();
  /** By uuid and by name: what store and telemetry look mappings up by. */
  readonly historyOf = new Map<string, MappingHistory>();
  readonly doors = new SimDoors();
  readonly #options: WorldOptions;
  readonly #live: LiveProcess[] = [];
  readonly #all: SimProcess[] = [];

  constructor(scenario: Scenario, options: WorldOptions) {
    this.scenario = scenario;
    this.#options = options;
    this.random = new SeededRandom(scenario.seed).fork("world");
    this.time = new VirtualTime(this.random.fork("tie-breaks"));
    const counts = new Map<string, number>();
    this.faults = new FaultDesk(scenario.rates, counts);
    this.histories = scenario.mappings.map((plan, ordinal) => this.#createHistory(plan, ordinal));
    this.queues = (scenario.queues ?? []).map((plan, ordinal) => this.#createQueueHistory(plan, ordinal));
    for (const each of this.histories) {
      this.historyOf.set(each.mapping.uuid, each);
      this.historyOf.set(each.mapping.name, each);
    }
    this.history = {
      scenario,
      mappings: this.histories,
      queues: this.queues,
      processes: this.#all,
      faults: counts,
      breaches: [],
      healedAt: scenario.faultsEndMs,
      quiescentAt: undefined,
      endedAt: 0,
      taken: [],
      leasesLeft: [],
    };
  }

  readonly #standstill = new StandstillWatch({
    nowMs: () => this.time.now,
    live: () =>
      this.#live.filter(({ process }) => process.state !== "dead" && process.stopResolvedAt === undefined),
    work: () => this.#heldWork(),
    truth: truthWorld(() => this),
    breach: (invariant, message) => this.breach(invariant, message),
    onReason: () => this.marks.set(STOOD_STILL, (this.marks.get(STOOD_STILL) ?? 0) + 1),
  });

  #heldWork(): readonly HeldWork[] {
    const shards = this.histories.flatMap((history) => openWork(history, this.rows));
    const queues = this.queues.map(({ mapping: { uuid, name }, queue }) => {
      const { hasVisible: hasWork, over } = queue;
      return { uuid, name, shardId: undefined, hasWork, owner: undefined, progress: String(over) };
    });
    return [...shards, ...queues];
  }

  async run(): Promise<History> {
    const { scenario, time } = this;
    scheduleArrivals(this);
    scheduleFaults(this);
    scheduleWeights(this);
    for (const plan of scenario.processes) time.schedule(plan.startMs, () => this.startProcess(plan));
    await this.#advance(scenario.faultsEndMs, () => false);
    this.#heal();
    const healedByMs =
      scenario.faultsEndMs + scenario.healWithinMs + workLeftMs(scenario, this.histories, this.queues);
    await this.#advance(healedByMs, () => this.#seesQuiescence());
    // Whoever has found a stream gone says so until it has looked again.
    await this.#advance(time.now + LOOK_AGAIN_MS, () => this.#failed() === undefined);
    const failed = this.#failed();
    if (failed !== undefined) this.breach("I18", failed);
    await this.#stopAll();
    this.history.endedAt = time.now;
    for (const mapping of this.histories) fillOwed(mapping);
    this.history.leasesLeft = leasesLeft([...this.histories, ...this.queues], this.rows);
    return this.history;
  }

  breach(invariant: InvariantId, message: string): void {
    if (this.history.breaches.length < 20) {
      this.history.breaches.push({ at: this.time.now, invariant, message });
    }
  }

  startProcess(plan: Omit<ProcessScenario, "startMs">): void {
    if (this.#isEnding) return;
    const ordinal = this.#all.length;
    const random = this.random.fork(`process ${ordinal}`);
    const process = new SimProcess(ordinal, `process-${ordinal}`, this.time, random, plan);
    process.onCallAfterStop = () =>
      this.breach("I15", `${process.owner} called the world after it had stopped`);
    process.onSpin = () => this.breach("I16", `${process.owner} spins: it works on and lets no time pass`);
    process.delayOfTimer = () => (this.faults.roll("timer late", random) ? random.between(500, 6_000) : 0);
    this.#all.push(process);
    const log = this.#options.log;
    const telemetry = createTelemetry(this, process, (level, text, fields) => {
      log?.(this.time.now, process, level, text, fields);
    });
    let adapters = createAdapters(this, process);
    if (this.#options.plant !== undefined) adapters = this.#options.plant(adapters, process);
    const engine = this.#options.createEngine({
      owner: process.owner,
      invokers: this.doors.bookOf(process, telemetry),
      clock: adapters.clock,
      random: random.fork("engine"),
      telemetry,
      store: adapters.store,
      parkedKeys: adapters.parkedKeys,
      settings: { ...DEFAULT_SETTINGS, ...this.scenario.settings },
    });
    this.#live.push({ process, engine });
    this.doors.declare(process, adapters.deployments);
    for (const deployment of adapters.deployments) engine.start(deployment);
  }

  /** Processes that work: neither dead nor stopping. */
  working(): readonly LiveProcess[] {
    return this.#live.filter(({ process }) => process.state !== "dead" && process.stopCalledAt === undefined);
  }

  /** Stops a stream mapping in a process and starts it with the settings of now. */
  restartMapping({ process, engine }: LiveProcess, ordinal: number): void {
    const uuid = this.histories[ordinal]?.mapping.uuid;
    if (uuid === undefined || process.stopCalledAt !== undefined) return;
    const update: MappingUpdate = { uuid, at: this.time.now, begunAt: undefined };
    process.updates.push(update);
    engine.stopMapping(uuid, UPDATE_DRAIN_MS).then(
      () => {
        if (process.state === "dead" || process.stopCalledAt !== undefined) return;
        update.begunAt = this.time.now;
        process.begunAt.set(uuid, update.begunAt);
        engine.start(createDeployment(this, process, ordinal));
      },
      (error: unknown) => this.breach("I18", `an update in ${process.owner} failed: ${String(error)}`),
    );
  }

  stopProcess({ process, engine }: LiveProcess): void {
    process.stopCalledAt = this.time.now;
    process.drainDeadline = this.time.now + this.scenario.drainMs;
    engine.stop(this.scenario.drainMs).then(
      () => {
        if (process.state === "dead") return;
        process.stopResolvedAt = this.time.now;
        // What the engine does in the same instant is still part of its stop.
        this.time.schedule(0, () => {
          if (process.timers.length > 0) {
            this.breach("I15", `${process.owner} stopped and left ${process.timers.length} timers`);
          }
        });
      },
      (error: unknown) => this.breach("I15", `stop of ${process.owner} failed: ${String(error)}`),
    );
  }

  #createHistory(plan: MappingScenario, ordinal: number): MappingHistory {
    const random = this.random.fork(`stream ${ordinal}`);
    const stream = new SimStream(plan.workload.shards, () => this.time.now, random);
    stream.retentionMs = plan.retentionMs;
    return createMappingHistory(ordinal, plan.mapping, stream, plan);
  }

  #createQueueHistory(plan: QueueScenario, ordinal: number): QueueHistory {
    const { isFifo, visibilityMs, receivesMax, isGroupHeldByAny } = plan;
    const random = this.random.fork(`queue ${ordinal}`);
    const queue = new SimQueue({ isFifo, visibilityMs, receivesMax, isGroupHeldByAny }, this.time, random);
    return createQueueHistory(ordinal, plan, queue);
  }

  async #advance(deadlineMs: number, isDone: () => boolean): Promise<void> {
    await this.time.run(deadlineMs, () => {
      this.#standstill.look();
      return this.time.fired > EVENTS_MAX || isDone();
    });
    if (this.time.fired > EVENTS_MAX && this.history.breaches.length === 0) {
      this.breach("I16", `${EVENTS_MAX} events at ${this.time.now} ms: the engine works without end`);
    }
  }

  #heal(): void {
    this.faults.heal();
    for (const { process } of this.#live) {
      process.resume();
      process.crashAtCall = undefined;
    }
    if (this.working().length === 0) this.startProcess({ wallOffsetMs: 0, rate: 1 });
  }

  #nextLook = 0;
  #seesQuiescence(): boolean {
    if (this.time.now < this.#nextLook) return false;
    this.#nextLook = this.time.now + 20;
    if (!this.#isQuiescent()) return false;
    this.history.quiescentAt = this.time.now;
    return true;
  }

  #isQuiescent(): boolean {
    if (this.#arrivalsLeft > 0 || this.queues.some(({ queue }) => queue.left > 0)) return false;
    return this.histories.every((history) => hasSettled(history, this.rows));
  }

  #arrivalsLeft = 0;
  expectArrivals(count: number): void {
    this.#arrivalsLeft += count;
  }

  #failed(): string | undefined {
    for (const { process, engine } of this.working()) {
      const failed = engine.status().find(({ state }) => state === "Failed");
      if (failed !== undefined) return `${failed.name} failed in ${process.owner}`;
    }
    return undefined;
  }

  #isEnding = false;
  async #stopAll(): Promise<void> {
    this.#isEnding = true;
    for (const live of this.working()) this.stopProcess(live);
    const hasStopped = ({ process }: LiveProcess) =>
      process.state === "dead" || process.stopResolvedAt !== undefined;
    const deadlineMs = this.time.now + this.scenario.drainMs + STOP_WITHIN_MS;
    await this.#advance(deadlineMs, () => this.#live.every(hasStopped));
    for (const live of this.#live) {
      if (!hasStopped(live)) this.breach("I15", `${live.process.owner} did not stop within its bound`);
    }
    await this.#advance(this.time.now + SILENCE_MS, () => false);
    for (const live of this.#live) if (live.process.stopResolvedAt !== undefined) this.#noteTaken(live);
  }

  #noteTaken({ process: { owner }, engine }: LiveProcess): void {
    const { budgetBytes, slots } = engine.taken();
    if (budgetBytes !== 0) this.history.taken.push({ owner, what: "budgetBytes", amount: budgetBytes });
    if (slots !== 0) this.history.taken.push({ owner, what: "slots", amount: slots });
  }
}
