import type { PartReasons } from "../engine/engine.ts";
import { WakeableLoop } from "../lib/wakeable-loop.ts";
import { describeError } from "../model/errors.ts";
import { type Reason, reason } from "../model/reason.ts";
import type { Redrive } from "../model/redrive.ts";
import { Pace } from "./pace.ts";
import { QueueDrain } from "./queue-drain.ts";
import type { RedriveContext, RedriveRoute } from "./redrive-context.ts";
import { loadWindow } from "./redrive-loader.ts";
import { RedriveNotes, redrivePart } from "./redrive-reasons.ts";
import { conclude, tellEnds } from "./redrive-teller.ts";
import { untilItWorks } from "./retries.ts";

/** Places that the redrives of a mapping share in this process: keys at once. */
export interface DrainPlaces {
  take(redriveId: string, ownMax: number): boolean;
  give(redriveId: string): void;
}

/** Between looks at what there is to do, where nothing wakes it. */
const LOOK_MS = 1_000;
const QUEUES_AT_ONCE = 64;
const COUNT_MS = 5_000;
/** Keys of a mapping that are drained at once, over all of its redrives. */
export const KEYS_AT_ONCE = 4;

/** One redrive, while this process holds its mapping's lease for redrives: loads, drains, tells, finishes. */
export class RedriveRun {
  readonly #context: RedriveContext;
  readonly #places: DrainPlaces;
  readonly #pace: Pace;
  readonly #loop: WakeableLoop;
  readonly #draining = new Map<string, QueueDrain>();
  readonly #ends = new Set<Promise<void>>();
  readonly #notes: RedriveNotes;
  /** Items that have come to an end, and windows that were loaded, since this process has it. */
  #progress = 0;
  /** What keeps queues from being begun. */
  #obstacle: Reason | undefined;
  #countedMs = Number.NEGATIVE_INFINITY;
  readonly #end = new AbortController();
  #redrive: Redrive;
  /** The last queue that was begun: the next round goes on behind it. */
  #after = "";
  #isRecovered = false;

  constructor(context: RedriveContext, redrive: Redrive, places: DrainPlaces) {
    this.#context = context;
    this.#redrive = redrive;
    this.#places = places;
    this.#notes = new RedriveNotes(context.clock);
    this.#pace = new Pace(context.clock, () => this.#redrive.rate);
    this.#loop = new WakeableLoop({
      clock: context.clock,
      signal: this.#end.signal,
      pauseMs: () => LOOK_MS,
      turn: () => this.#turn(),
    });
  }

  get id(): string {
    return this.#redrive.id;
  }

  /** Resolves after `end`, when its last drain has come back. */
  async run(): Promise<void> {
    await this.#loop.run();
    await Promise.all(this.#ends);
    this.#context.onLeft(this.id, 0);
  }

  /** What it waits for. `undefined`: it is paused, or over. */
  part(): PartReasons | undefined {
    if (!this.#isRunning && this.#redrive.state !== "planned") return undefined;
    const { clock, isLive } = this.#context;
    const nowMs = clock.now();
    // plant: a-redrive-does-not-say-what-its-queues-wait-for
    const drains = [...this.#draining.values()].map((drain) => drain.reason(nowMs));
    const own = this.#notes.reason(this.#redrive.rate);
    const obstacle = this.#obstacle === undefined || this.#draining.size > 0 ? [] : [this.#obstacle];
    const lease = isLive() ? [] : [reason("leaseNotRenewed")];
    return redrivePart(this.#redrive, String(this.#progress), [...lease, own, ...obstacle, ...drains]);
  }

  /** As the store has it now. */
  update(redrive: Redrive): void {
    if (redrive.version < this.#redrive.version) return;
    // plant: a-pause-forgets-what-is-in-flight
    this.#redrive = redrive;
    this.#loop.wake();
  }

  end(): void {
    this.#end.abort();
  }

  get #isRunning(): boolean {
    return this.#redrive.state === "running";
  }

  async #turn(): Promise<void> {
    const context = this.#context;
    if (context.stopSignal.aborted || !context.isLive()) return;
    try {
      this.#notes.does("reading");
      await this.#recover();
      await this.#count();
      if (this.#redrive.state === "planned") await this.#begin();
      if (this.#isRunning) await this.#drain();
      await tellEnds(context, this.#redrive);
      if (this.#draining.size === 0) await this.#finish();
      this.#notes.does("reading");
    } catch (error) {
      this.#notes.fails(error);
      const fields = {
        mapping: context.mapping.name,
        redrive: this.#redrive.name,
        error: describeError(error),
      };
      context.lines.write("warn", "a redrive could not go on; trying again", fields);
    }
  }

  /** What a drainer before has started: the function may have had it. */
  async #recover(): Promise<void> {
    if (this.#isRecovered) return;
    const { store, drainer, onFenced, telemetry, mapping } = this.#context;
    const isAtMostOnce = this.#redrive.delivery === "at-most-once";
    // plant: what-a-crash-left-started-waits-again
    const recovered = await store.recover(drainer, this.id, isAtMostOnce ? "uncertain" : "waiting");
    if (recovered === "fenced") return onFenced();
    if (isAtMostOnce) telemetry.count("redrive_uncertain_events", mapping.name, recovered);
    if (recovered > 0) telemetry.mark(isAtMostOnce ? "parked item uncertain" : "parked item tried again");
    this.#isRecovered = true;
  }

  async #begin(): Promise<void> {
    const { store, telemetry, mapping } = this.#context;
    const begun = await store.change(this.id, this.#redrive.version, { state: "running" });
    if (begun === "stale") return await this.#read();
    this.#redrive = begun;
    telemetry.log("info", "a redrive has begun", { mapping: mapping.name, redrive: begun.name });
  }

  async #read(): Promise<void> {
    const redrive = await this.#context.store.get(this.id);
    if (redrive !== undefined) this.#redrive = redrive;
  }

  async #drain(): Promise<void> {
    const route = this.#context.mapping.routeOf(this.#redrive);
    this.#obstacle = route === undefined ? this.#isNotOpen() : undefined;
    if (route === undefined) return;
    const queues = await this.#nextQueues();
    if (queues.length === 0 && !this.#redrive.isLoaded) {
      if ((await loadWindow(this.#context, this.#redrive, this.#notes)) === undefined) return;
      this.#progress++;
      await this.#read();
      this.#loop.wake();
      return;
    }
    for (const queue of queues) {
      if (!this.#isRunning) return;
      if (!this.#places.take(this.id, placesOf(route, this.#redrive))) {
        this.#obstacle = reason("waitsForPlace", { facts: { most: KEYS_AT_ONCE } });
        return;
      }
      this.#after = queue;
      const ended = this.#drainQueue(queue, route).finally(() => this.#ends.delete(ended));
      this.#ends.add(ended);
    }
  }

  #isNotOpen(): Reason {
    const { to } = this.#redrive;
    const name = to.kind === "candidate" ? to.functionName : this.#context.mapping.functionName;
    return reason("notReady", { facts: { function: name, problem: name } });
  }

  /** What metrics show of it. */
  async #count(): Promise<void> {
    const { clock, store, onLeft } = this.#context;
    if (clock.monotonic() - this.#countedMs < COUNT_MS) return;
    this.#countedMs = clock.monotonic();
    const counts = await store.counts(this.id);
    if (counts === undefined) return;
    const { selected, done, failed, gone, uncertain } = counts;
    onLeft(this.id, Math.max(0, selected - done - failed - gone - uncertain));
  }

  /** Those that nobody drains, behind the last that was begun, and then from the first on. */
  async #nextQueues(): Promise<readonly string[]> {
    const { store } = this.#context;
    const behind = await store.ready(this.id, this.#after, QUEUES_AT_ONCE);
    const all =
      behind.length < QUEUES_AT_ONCE
        ? [...behind, ...(await store.ready(this.id, "", QUEUES_AT_ONCE))]
        : behind;
    // plant: two-batches-of-a-key-are-handed-over-at-once
    return [...new Set(all)].filter((queue) => !this.#draining.has(queue));
  }

  /** Never rejects. */
  async #drainQueue(queue: string, route: RedriveRoute): Promise<void> {
    const context = this.#context;
    const drain = new QueueDrain({
      context,
      redrive: () => this.#redrive,
      route,
      pace: this.#pace,
      queue,
      isRunning: () => this.#isRunning,
      onEnded: (items) => {
        this.#progress += items;
      },
    });
    this.#draining.set(queue, drain);
    const message = "a queue of a redrive could not be read; trying again";
    const retrying = { ...context, notes: drain.notes };
    await untilItWorks(retrying, message, () => drain.run(), context.stopSignal);
    this.#draining.delete(queue);
    this.#places.give(this.id);
    this.#loop.wake();
  }

  /** With nothing under way, nothing left that may start and everything told. */
  async #finish(): Promise<void> {
    const { store, drainer, clock, onFenced, telemetry, mapping } = this.#context;
    if (this.#isRunning) {
      const answer = await store.finish(drainer, this.id, Math.round(clock.now()));
      if (answer === "fenced") return onFenced();
      if (answer === "unfinished") return;
      await this.#read();
    }
    const { state, name } = this.#redrive;
    if (this.#redrive.isConcluded || (state !== "done" && state !== "cancelled")) return;
    const isConcluded = await conclude(this.#context, this.#redrive);
    await this.#read();
    if (isConcluded)
      telemetry.log("info", "a redrive is over", { mapping: mapping.name, redrive: name, state });
  }
}

/** At least one of the function's places. */
function placesOf({ concurrency }: RedriveRoute, { share }: Redrive): number {
  return Math.max(1, Math.floor(concurrency * share));
}
