import type { RepeatedLines } from "../../lib/repeated-lines.ts";
import { every } from "../../lib/sleep.ts";
import type { NewAsyncItem } from "../../model/async-item.ts";
import { describeError } from "../../model/errors.ts";
import type { Accepted, AsyncEvents } from "../../ports/async-events.ts";
import type { AsyncQueue, CursorMove, LaneBacklog } from "../../ports/async-queue.ts";
import type { Clock, ScheduledCall } from "../../ports/clock.ts";

export interface EventGateOptions {
  readonly queue: AsyncQueue;
  readonly clock: Clock;
  readonly lines: RepeatedLines;
  /** Items of one lane that may wait, and bytes of all. */
  readonly itemsMax: number;
  readonly bytesMax: number;
  /** These were put: they may be looked at now. */
  onPut(items: readonly NewAsyncItem[]): void;
}

/** Figures of the queue are no older. */
const COUNT_MS = 5_000;

interface Standing {
  items: number;
  bytes: number;
}

/** The way into the queue: what comes is put while there is room, and counted. */
export class EventGate implements AsyncEvents {
  readonly #options: EventGateOptions;
  /** As it was counted last, with what was put by this process since. */
  readonly #lanes = new Map<string, Standing>();
  #bytes = 0;
  #backlog: readonly LaneBacklog[] = [];
  #counting: Pick<ScheduledCall, "cancel"> | undefined;
  #isAsked = false;

  constructor(options: EventGateOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#counting = every(this.#options.clock, COUNT_MS, () => void this.#count());
    await this.#count();
  }

  stop(): void {
    this.#counting?.cancel();
  }

  /** As it was counted last: the queue of all processes. */
  get backlog(): readonly LaneBacklog[] {
    return this.#backlog;
  }

  async accept(items: readonly NewAsyncItem[], cursor?: CursorMove): Promise<Accepted> {
    // plant: a-full-queue-takes-more
    if (!this.#hasRoom(items)) return "full";
    for (const item of items) this.#add(item, 1);
    try {
      if ((await this.#put(items, cursor)) === "put") {
        this.#options.onPut(items);
        return "accepted";
      }
    } catch (error) {
      for (const item of items) this.#add(item, -1);
      throw error;
    }
    for (const item of items) this.#add(item, -1);
    return "stale";
  }

  async cursors(prefix: string): Promise<ReadonlyMap<string, string>> {
    return await this.#options.queue.cursors(prefix);
  }

  /** Where the answer of a put was lost the queue is asked: its items have ids of their own. */
  async #put(items: readonly NewAsyncItem[], cursor: CursorMove | undefined): Promise<"put" | "stale"> {
    const { queue } = this.#options;
    try {
      return await queue.put(items, cursor);
    } catch (error) {
      const [first] = items;
      if (first === undefined || !(await queue.has(first.id).catch(() => false))) throw error;
      return "put";
    }
  }

  #hasRoom(items: readonly NewAsyncItem[]): boolean {
    const { itemsMax, bytesMax } = this.#options;
    let bytes = this.#bytes;
    const added = new Map<string, number>();
    for (const { lane, body } of items) {
      bytes += body.length;
      added.set(lane, (added.get(lane) ?? 0) + 1);
    }
    if (items.length > 0 && bytes > bytesMax) return false;
    return [...added].every(([lane, count]) => (this.#lanes.get(lane)?.items ?? 0) + count <= itemsMax);
  }

  #add({ lane, body }: NewAsyncItem, sign: 1 | -1): void {
    const standing = this.#lanes.get(lane) ?? { items: 0, bytes: 0 };
    standing.items = Math.max(0, standing.items + sign);
    standing.bytes = Math.max(0, standing.bytes + sign * body.length);
    this.#lanes.set(lane, standing);
    this.#bytes = Math.max(0, this.#bytes + sign * body.length);
  }

  async #count(): Promise<void> {
    if (this.#isAsked) return;
    this.#isAsked = true;
    try {
      this.#backlog = await this.#options.queue.backlog();
      this.#lanes.clear();
      this.#bytes = 0;
      for (const { lane, items, bytes } of this.#backlog) {
        this.#lanes.set(lane, { items, bytes });
        this.#bytes += bytes;
      }
    } catch (error) {
      const fields = { error: describeError(error) };
      this.#options.lines.write("warn", "asynchronous events could not be counted; trying again", fields);
    } finally {
      this.#isAsked = false;
    }
  }
}
