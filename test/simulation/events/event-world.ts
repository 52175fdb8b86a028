import { LOOP_EXECUTIONS_MAX } from "../../../src/model/lineage.ts";
import type { InvocationOutcome } from "../../../src/model/outcome.ts";
import { createMemoryAsyncQueue } from "../../../src/stores/memory-async-queue.ts";
import { FaultyWay } from "../control/faulty-way.ts";
import { SeededRandom } from "../random.ts";
import { VirtualTime } from "../virtual-clock.ts";
import { SimDestinations } from "./event-destinations.ts";
import {
  calmFunctions,
  configOf,
  FULL_ITEMS,
  isolatingFunctions,
  rowOf,
  type SimFunction,
  swarmFunctions,
} from "./event-functions.ts";
import { EventLedger, isZero, type Run } from "./event-ledger.ts";
import { type Call, EventProcess } from "./event-process.ts";
import { type EventFlavour, EventSource, flavourOf } from "./event-source.ts";
import { WatchedQueue } from "./watched-queue.ts";

const COUNTS = {
  accepted: 0,
  full: 0,
  runs: 0,
  succeeded: 0,
  givenUp: 0,
  lostHolds: 0,
  delivered: 0,
  dropped: 0,
  crashes: 0,
  pauses: 0,
  cuts: 0,
  changes: 0,
  zeroes: 0,
  removals: 0,
  aged: 0,
  loopsCut: 0,
};

const LOOK_MS = 1_000;
const FAULTS_MS = 8 * 60_000;
const ISOLATION_MS = 2 * 60_000;
/** Behind the last fault: holds end, ages and retries, and destinations that are slow. */
const QUIET_MS_MAX = 90 * 60_000;
const HANDED_OUT_PAUSES = 0.01;
/** What a process asked for is answered, or given up by its client, and said again, within so much. */
const ANSWERED_MS = 30_000;

/** Processes that share a queue of events, the faults that befall them, and who brings events. */
export class EventWorld {
  readonly counts = { ...COUNTS };
  readonly flavour: EventFlavour;
  readonly ledger = new EventLedger();
  readonly time: VirtualTime;
  /** Every process there ever was. */
  readonly processes: EventProcess[] = [];
  /** When each function's row was last changed. */
  readonly changedMs = new Map<string, number>();
  readonly functions: Map<string, SimFunction>;
  healedMs = Number.POSITIVE_INFINITY;
  readonly #random: SeededRandom;
  readonly #queue;
  readonly #ways = new Map<EventProcess, FaultyWay>();
  readonly #lookedMs = new Map<EventProcess, number>();
  readonly #source: EventSource;
  #version = 0;

  constructor(seed: number) {
    this.flavour = flavourOf(seed);
    this.#random = new SeededRandom(seed);
    this.time = new VirtualTime(this.#random.fork("ties"));
    this.#queue = createMemoryAsyncQueue(() => this.time.now);
    const chance = this.#random.fork("functions");
    const all = {
      swarm: () => swarmFunctions(chance),
      calm: () => calmFunctions(chance),
      isolation: () => isolatingFunctions(false),
      large: () => isolatingFunctions(true),
    }[this.flavour]();
    this.#source = new EventSource(this, this.#random.fork("source"));
    this.functions = new Map(all.map((each) => [each.resource.name, each]));
  }

  get isQuiet(): boolean {
    return this.flavour !== "swarm";
  }

  get living(): readonly EventProcess[] {
    return this.processes.filter(({ clock }) => !clock.isDead);
  }

  async run(): Promise<void> {
    const count = this.flavour === "swarm" ? this.#random.int(2, 3) : 1;
    while (this.processes.length < count) this.#startProcess();
    const source = this.#random.fork("source");
    if (this.flavour === "isolation" || this.flavour === "large") this.#source.flood();
    else
      this.again(
        source,
        this.#random.pick([
          [200, 6_000],
          [2_000, 20_000],
        ]),
        () => this.#source.bring(),
      );
    if (this.flavour === "swarm") {
      const nemesis = this.#random.fork("nemesis");
      this.again(nemesis, [5_000, 90_000], () => this.#harm(nemesis));
      const operator = this.#random.fork("operator");
      this.again(operator, [10_000, 200_000], () => this.#operate(operator));
    }
    await this.#until(this.flavour === "swarm" || this.flavour === "calm" ? FAULTS_MS : ISOLATION_MS);
    this.#heal();
    const endMs = this.time.now + QUIET_MS_MAX;
    while (this.time.now < endMs && this.ledger.violations.length === 0 && !this.#isOver())
      await this.#until(this.time.now + 20_000);
  }

  async stop(): Promise<void> {
    for (const process of this.living) void process.worker.stop(1_000);
    await this.time.run(this.time.now + 5_000, () => false);
  }

  /** All has ended, and who ended it has gone on for long enough to have heard of it and told it. */
  #isOver(): boolean {
    const heardMs = this.time.now - ANSWERED_MS;
    return (
      [...this.ledger.items.values()].every(({ endedMs = Number.POSITIVE_INFINITY }) => endedMs < heardMs) &&
      this.living.every(({ clock }) => clock.resumedMs < heardMs)
    );
  }

  async #until(ms: number): Promise<void> {
    await this.time.run(ms, () => this.ledger.violations.length > 0);
  }

  /** Again and again until the faults are over. */
  again(random: SeededRandom, [least, most]: readonly [number, number], work: () => void): void {
    this.time.schedule(random.between(least, most), () => {
      if (this.time.now >= this.healedMs) return;
      work();
      this.again(random, [least, most], work);
    });
  }

  #startProcess(): void {
    const random = this.#random.fork(`process ${this.processes.length}`);
    const isHealed = () => this.time.now >= this.healedMs;
    const queue = new WatchedQueue(this.#queue, this.ledger, this.time, () =>
      this.#mayPause(process, random),
    );
    const destinations = new SimDestinations(this.ledger, this.time, random.fork("destinations"), isHealed);
    const process: EventProcess = new EventProcess({
      name: `p${this.processes.length}`,
      ...{ time: this.time, random, queue, destinations },
      functions: () => [...this.functions.values()].map(({ resource }) => resource),
      onCall: (call, self) => this.#onCall(call, self, random),
      onGivenUp: ({ requestId, condition }) => {
        this.ledger.items.get(String(requestId))?.conditions.set(process, String(condition));
      },
      ...(this.flavour === "calm" ? { itemsMax: FULL_ITEMS } : {}),
    });
    const way = new FaultyWay(this.time, process.clock, random.fork("way"));
    way.faultRate = this.flavour === "swarm" && !isHealed() ? 0.02 : 0;
    queue.serve(process, way);
    destinations.serve(process);
    this.processes.push(process);
    this.#ways.set(process, way);
    this.#look(process, -1);
    void process.worker.start();
  }

  /** Rows are read each second. */
  #look(process: EventProcess, seen: number): void {
    const now = this.#version;
    if (now !== seen) {
      process.look();
      this.#lookedMs.set(process, this.time.now);
    }
    process.clock.schedule(LOOK_MS, () => this.#look(process, now));
  }

  #onCall(call: Call, process: EventProcess, random: SeededRandom): Promise<InvocationOutcome> {
    const { requestId, functionName: name } = call;
    const hold = this.ledger.holdOf(requestId, process);
    const run: Run = {
      ...{ process, startMs: this.time.now, wasZero: isZero(process, name) },
      knownSinceMs: this.#lookedMs.get(process) ?? 0,
    };
    if (process.clock.isDead) return new Promise(() => undefined);
    if (hold === undefined) this.ledger.breach("I33", `${requestId} ran, and no item has this id`);
    else if (this.time.now > hold.untilMs) this.ledger.breach("I32", `${requestId} started behind its hold`);
    // A chain's event has its turn in its id; the first is its 0th.
    if (Number.parseInt(requestId.split("#")[1] ?? "0", 10) >= LOOP_EXECUTIONS_MAX)
      this.ledger.breach("I35", `${requestId} runs, and its chain has passed the function too often`);
    hold?.runs.push(run);
    const behaviour = this.functions.get(name)?.behaviour;
    const outcome = outcomeOf(behaviour, random, this.time.now >= this.healedMs);
    if (outcome.kind === "throttled" || outcome.kind === "unavailable") hold?.runs.pop();
    else this.counts.runs++;
    return new Promise((resolve) => {
      const tookMs =
        behaviour?.isStalled === true ? this.#stallMs() : random.between(1, behaviour?.tookMsMax ?? 50);
      this.time.schedule(tookMs, () => {
        run.endMs = this.time.now;
        run.outcome = outcome.kind;
        if (behaviour?.isLooping === true) this.#source.bringNext(call);
        process.clock.schedule(0, () => resolve(outcome));
      });
    });
  }

  #stallMs(): number {
    return Math.max(ISOLATION_MS - this.time.now, 0) + 5_000;
  }

  #harm(random: SeededRandom): void {
    const victim = random.pick(this.living);
    const way = this.#ways.get(victim);
    switch (random.pick(["crash", "pause", "cut"] as const)) {
      case "crash":
        this.counts.crashes++;
        victim.clock.die();
        this.time.schedule(random.between(1_000, 60_000), () => this.#startProcess());
        if (this.living.length === 0) this.#startProcess();
        break;
      case "pause":
        this.counts.pauses++;
        victim.clock.pause(random.between(1_000, 200_000));
        break;
      case "cut":
        this.counts.cuts++;
        way?.cut(random.between(1_000, 250_000));
        break;
    }
  }

  /** It stands still while what it asked for is on its way: it gets it when the holds have ended. */
  #mayPause({ clock }: EventProcess, random: SeededRandom): void {
    if (this.flavour !== "swarm" || this.time.now >= this.healedMs || !random.chance(HANDED_OUT_PAUSES))
      return;
    this.counts.pauses++;
    clock.pause(random.between(60_000, 200_000));
  }

  #operate(random: SeededRandom): void {
    const names = [...this.functions.keys()].filter((each) => each.startsWith("f"));
    // For a while all of them may be gone.
    if (names.length === 0) return;
    const name = random.pick(names);
    const fn = this.functions.get(name);
    if (fn === undefined) return;
    this.counts.changes++;
    const { concurrency, timeoutMs } = fn.resource;
    const kind = random.pick(["settings", "settings", "zero", "gone"] as const);
    const write = (each: SimFunction | undefined) => {
      if (each === undefined) this.functions.delete(name);
      else this.functions.set(name, each);
      this.changedMs.set(name, this.time.now);
      this.#version++;
    };
    const back = () => write({ ...fn, resource: rowOf(name, configOf(random), { concurrency, timeoutMs }) });
    if (kind === "settings") {
      back();
      return;
    }
    if (kind === "zero") this.counts.zeroes++;
    else this.counts.removals++;
    write(
      kind === "gone" ? undefined : { ...fn, resource: { ...fn.resource, concurrency: 0, isReserved: true } },
    );
    this.time.schedule(random.between(5_000, 100_000), back);
  }

  #heal(): void {
    this.healedMs = this.time.now;
    for (const process of this.living) {
      const way = this.#ways.get(process);
      if (way !== undefined) way.faultRate = 0;
      way?.cut(0);
      process.clock.pause(0);
    }
    if (this.living.length === 0) this.#startProcess();
  }
}

function outcomeOf(
  behaviour: SimFunction["behaviour"] | undefined,
  random: SeededRandom,
  isHealed: boolean,
): InvocationOutcome {
  const { errors = 0, throttles = 0, unavailable = 0 } = behaviour ?? {};
  if (!isHealed && random.chance(throttles)) return { kind: "throttled", retryAfterMs: undefined };
  if (!isHealed && random.chance(unavailable)) return { kind: "unavailable", message: "away" };
  if (random.chance(errors)) return { kind: "functionError", errorType: "Error", message: "boom" };
  return { kind: "succeeded", payload: Buffer.from("{}") };
}
