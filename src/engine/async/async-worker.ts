import { RepeatedLines } from "../../lib/repeated-lines.ts";
import { sleepUnless } from "../../lib/sleep.ts";
import { WakeableLoop } from "../../lib/wakeable-loop.ts";
import { DESTINATION_LANE, FUNCTION_LANE, type NewAsyncItem } from "../../model/async-item.ts";
import { describeError } from "../../model/errors.ts";
import type { AsyncEvents } from "../../ports/async-events.ts";
import type {
  AsyncItem,
  LaneBacklog,
  LaneRoom,
  ListedAsyncItem,
  ShownAsyncItem,
} from "../../ports/async-queue.ts";
import type { AsyncParts } from "./async-parts.ts";
import { DeliveryRun } from "./delivery-run.ts";
import { EventGate } from "./event-gate.ts";
import { EventRun } from "./event-run.ts";
import { HeldItems } from "./held-items.ts";

export interface AsyncWorkerOptions
  extends Pick<
    AsyncParts,
    "queue" | "invoker" | "functions" | "destinations" | "failures" | "clock" | "random" | "telemetry"
  > {
  readonly itemsMax: number;
  readonly bytesMax: number;
}

/** Where the events of one function stand. */
export interface EventsStanding {
  /** In the queue of all processes, as counted last. */
  readonly items: number;
  readonly bytes: number;
  readonly oldestMs: number;
  /** In hand in this process: running, or waiting for a place. */
  readonly held: number;
  /** Calls that could start now. */
  readonly room: number;
}

/** What became of events and waits for its destination. */
export interface DeliveryStanding {
  readonly destination: string;
  readonly items: number;
  readonly bytes: number;
  readonly oldestMs: number;
  /** Why the last try failed; absent: it did not, as far as this process tried. */
  readonly problem?: string;
}

/** How often the queue is looked at for what others put and what has become visible. */
const LOOK_MS = 250;
const HELD_ITEMS_MAX = 1_000;
const HELD_BYTES_MAX = 64 * 1024 * 1024;
const LANE_ITEMS_MAX = 100;
const DELIVERIES_AT_ONCE = 10;
/** How long a function may take to start, and an end to be written, beyond its time. */
const HOLD_SPARE_MS = 70_000;
const DELIVERY_HOLD_MS = 120_000;

/**
 * Runs the asynchronous events of all functions of this process, and delivers what becomes of them. Each item is a call
 * of its own. What a function, or a destination, cannot take now stays in the queue: it costs the others nothing.
 */
export class AsyncWorker {
  readonly #parts: AsyncParts;
  readonly #gate: EventGate;
  readonly #loop: WakeableLoop;
  readonly #itemsMax: number;
  readonly #bytesMax: number;
  readonly #stopping = new AbortController();
  readonly #ending = new AbortController();
  readonly #running = new Set<Promise<void>>();
  /** Lanes that were put into by this process since the count before the last. */
  #fresh = new Set<string>();
  #older = new Set<string>();
  #counted: readonly LaneBacklog[] = [];
  /** Destinations that are left alone until then, by our monotonic clock. */
  readonly #paused = new Map<string, { readonly untilMs: number; readonly problem: string }>();
  #turns = 0;
  #hasMore = false;
  #looping: Promise<void> | undefined;

  constructor(options: AsyncWorkerOptions) {
    const { clock, telemetry, queue, itemsMax, bytesMax } = options;
    this.#itemsMax = itemsMax;
    this.#bytesMax = bytesMax;
    const lines = new RepeatedLines(clock, telemetry);
    const held = new HeldItems({ queue, clock, lines });
    const { signal: stopping } = this.#stopping;
    const onPut = (items: readonly NewAsyncItem[]) => this.#put(items);
    this.#parts = { ...options, lines, held, onPut, stopping, ending: this.#ending.signal };
    this.#gate = new EventGate({ queue, clock, lines, itemsMax, bytesMax, onPut });
    this.#loop = new WakeableLoop({
      clock,
      signal: stopping,
      pauseMs: () => (this.#hasMore ? 0 : LOOK_MS),
      turn: () => this.#turn(),
    });
  }

  /** For all who make events. */
  get events(): AsyncEvents {
    return this.#gate;
  }

  get backlog(): readonly LaneBacklog[] {
    return this.#gate.backlog;
  }

  standingOf(name: string): EventsStanding {
    const lane = FUNCTION_LANE + name;
    const counted = this.#gate.backlog.find((each) => each.lane === lane);
    const { items = 0, bytes = 0, oldestMs = 0 } = counted ?? {};
    const { held, functions } = this.#parts;
    return { items, bytes, oldestMs, held: held.of(lane), room: functions.room(name) };
  }

  /** Items that may wait of one function, and bytes of all: beyond that callers are refused. */
  get itemsMax(): number {
    return this.#itemsMax;
  }

  get bytesMax(): number {
    return this.#bytesMax;
  }

  /** By destination; of an engine that cannot count, those that have failed. */
  deliveries(): readonly DeliveryStanding[] {
    const counted = this.#gate.backlog.filter(({ lane }) => lane.startsWith(DESTINATION_LANE));
    const failing = [...this.#paused.keys()].filter((lane) => !counted.some((each) => each.lane === lane));
    const lanes = [...counted, ...failing.map((lane) => ({ lane, items: 0, bytes: 0, oldestMs: 0 }))];
    return lanes.map(({ lane, ...standing }) => {
      const problem = this.#paused.get(lane)?.problem;
      const destination = lane.slice(DESTINATION_LANE.length);
      return { destination, ...standing, ...(problem === undefined ? {} : { problem }) };
    });
  }

  /** Events of a function, those that were put first. @throws MillraceError ERR_MILLRACE_STORE_UNAVAILABLE */
  list(name: string, max: number): Promise<readonly ListedAsyncItem[]> {
    return this.#parts.queue.list(FUNCTION_LANE + name, max);
  }

  /** One event, or one record that waits for its destination. @throws MillraceError ERR_MILLRACE_STORE_UNAVAILABLE */
  show(id: string): Promise<ShownAsyncItem | undefined> {
    return this.#parts.queue.get(id);
  }

  /** Never rejects: a queue that does not answer is asked again. */
  async start(): Promise<void> {
    await this.#gate.start();
    this.#looping = this.#loop.run();
  }

  /** What runs may end for so long; what does not comes again. */
  async stop(drainMs: number): Promise<void> {
    this.#gate.stop();
    this.#stopping.abort();
    await this.#looping;
    const ended = Promise.all(this.#running);
    await sleepUnless(ended, this.#parts.clock, drainMs);
    this.#ending.abort();
    await Promise.all(this.#running);
    this.#parts.held.close();
    await this.#parts.destinations.close();
  }

  #put(items: readonly NewAsyncItem[]): void {
    const { telemetry } = this.#parts;
    for (const { kind, lane } of items) {
      this.#fresh.add(lane);
      if (kind === "invoke") telemetry.asyncCount("async_events_received", nameIn(lane), 1);
    }
    if (items.length > 0) this.#loop.wake();
  }

  async #turn(): Promise<void> {
    const { queue, clock, held, lines } = this.#parts;
    this.#hasMore = false;
    const lanes = this.#lanes();
    if (lanes.length === 0) return;
    const askedMs = clock.monotonic();
    const itemsMax = Math.max(lanes.length, HELD_ITEMS_MAX - held.size);
    const bytesMax = Math.max(1, HELD_BYTES_MAX - held.bytes);
    try {
      const wanted = { lanes, itemsMax, bytesMax, waitMs: LOOK_MS };
      const items = await queue.receive(wanted, this.#stopping.signal);
      const holds = new Map(lanes.map(({ lane, holdMs }) => [lane, holdMs]));
      for (const item of items) this.#begin(item, holds.get(item.lane) ?? DELIVERY_HOLD_MS, askedMs);
      this.#hasMore = items.length > 0;
    } catch (error) {
      const fields = { error: describeError(error) };
      lines.write("warn", "asynchronous events could not be received; trying again", fields);
    }
  }

  /** Beginning at another place each time, so that none is always the last. */
  #lanes(): readonly LaneRoom[] {
    const { functions } = this.#parts;
    const { backlog } = this.#gate;
    if (backlog !== this.#counted) {
      // What was put before the last count began is counted, or gone.
      this.#counted = backlog;
      this.#older = this.#fresh;
      this.#fresh = new Set();
    }
    const declared = functions.names().map((name) => FUNCTION_LANE + name);
    const known = [...declared, ...backlog.map(({ lane }) => lane), ...this.#older, ...this.#fresh];
    const lanes = [...new Set(known)].flatMap((lane) => this.#roomOf(lane) ?? []);
    const start = this.#turns++ % Math.max(1, lanes.length);
    return [...lanes.slice(start), ...lanes.slice(0, start)];
  }

  /** `undefined`: nothing of it could go on now. One that holds nothing may have one item, however much others hold. */
  #roomOf(lane: string): LaneRoom | undefined {
    const { functions, held, clock } = this.#parts;
    const inHand = held.of(lane);
    const isFull = held.size >= HELD_ITEMS_MAX || held.bytes >= HELD_BYTES_MAX;
    // plant: a-function-that-stalls-takes-all-places
    if (isFull && inHand > 0) return undefined;
    if (lane.startsWith(DESTINATION_LANE)) {
      if ((this.#paused.get(lane)?.untilMs ?? 0) > clock.monotonic()) return undefined;
      const room = isFull ? 1 : DELIVERIES_AT_ONCE - inHand;
      return room <= 0 ? undefined : { lane, itemsMax: room, holdMs: DELIVERY_HOLD_MS };
    }
    const name = nameIn(lane);
    // One that waits for a place is asked for, so that the function's limit knows of it.
    const room = Math.min(LANE_ITEMS_MAX, Math.max(functions.room(name), inHand === 0 ? 1 : 0));
    if (room <= 0) return undefined;
    const holdMs = functions.timeoutMs(name) + HOLD_SPARE_MS;
    return { lane, itemsMax: isFull ? 1 : room, holdMs };
  }

  #begin(item: AsyncItem, holdMs: number, askedMs: number): void {
    const { held, telemetry } = this.#parts;
    const each = held.add(item, holdMs, askedMs);
    const run = this.#run(item, each)
      .catch((error: unknown) => {
        telemetry.log("error", "an event was left by a defect: it comes again", {
          error: describeError(error),
        });
      })
      .finally(() => {
        held.remove(each);
        this.#running.delete(run);
        this.#loop.wake();
      });
    this.#running.add(run);
  }

  async #run(item: AsyncItem, held: ReturnType<HeldItems["add"]>): Promise<void> {
    const { state, kind, lane } = item;
    if (state === undefined) return await this.#damaged(item);
    if (kind === "invoke") return await new EventRun(held, state, this.#parts).run();
    const failed = await new DeliveryRun(held, state, this.#parts).run();
    this.#fresh.add(lane);
    if (failed === undefined) this.#paused.delete(lane);
    else {
      const { pauseMs, problem } = failed;
      this.#paused.set(lane, { untilMs: this.#parts.clock.monotonic() + pauseMs, problem });
    }
  }

  /** Nobody can say what it was, or how often it ran: it is taken off, so that it holds up nobody. */
  async #damaged(item: AsyncItem): Promise<void> {
    const { queue, telemetry } = this.#parts;
    await queue.finish(item, []);
    telemetry.asyncCount("async_events_dropped", nameIn(item.lane), 1);
    telemetry.log("error", "an event was dropped: its state cannot be read", { requestId: item.id });
  }
}

function nameIn(lane: string): string {
  return lane.slice(FUNCTION_LANE.length);
}
