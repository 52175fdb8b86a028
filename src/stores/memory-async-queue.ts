import type { AttemptState, NewAsyncItem } from "../model/async-item.ts";
import type {
  AsyncItem,
  AsyncQueue,
  AsyncReceive,
  CursorMove,
  LaneBacklog,
  ListedAsyncItem,
} from "../ports/async-queue.ts";
import type { Settlement } from "../ports/queue-source.ts";
import { ASYNC_BODY_BYTES_MAX, bytesOf } from "./async-bounds.ts";

/** Keeps events for the life of one process, which shares them with nobody. `close` forgets nothing. */
export function createMemoryAsyncQueue(now: () => number = Date.now): AsyncQueue {
  return new MemoryAsyncQueue(now);
}

interface Entry {
  readonly item: NewAsyncItem;
  readonly putMs: number;
  readonly seq: number;
  state: AttemptState;
  visibleMs: number;
  receipt: string | undefined;
  receiveCount: number;
}

class MemoryAsyncQueue implements AsyncQueue {
  readonly description = {
    engine: "memory",
    isDurable: false,
    isAtomic: true,
    bodyBytesMax: ASYNC_BODY_BYTES_MAX,
  };
  readonly #now: () => number;
  readonly #lanes = new Map<string, Map<string, Entry>>();
  readonly #byId = new Map<string, Entry>();
  readonly #cursors = new Map<string, string>();
  #receipts = 0;
  #puts = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  async put(items: readonly NewAsyncItem[], cursor?: CursorMove) {
    if (cursor !== undefined) {
      // plant: a-tick-of-memory-is-put-wherever-its-cursor-stands
      if ((this.#cursors.get(cursor.name) ?? "") !== cursor.from) return "stale";
      if (cursor.to === "") this.#cursors.delete(cursor.name);
      else this.#cursors.set(cursor.name, cursor.to);
    }
    for (const item of items) this.#insert(item);
    return "put";
  }

  async has(id: string) {
    return this.#byId.has(id);
  }

  async cursors(prefix: string) {
    return new Map([...this.#cursors].filter(([name]) => name.startsWith(prefix)));
  }

  async receive({ lanes, itemsMax, bytesMax }: AsyncReceive, signal: AbortSignal) {
    const taken: AsyncItem[] = [];
    if (signal.aborted) return taken;
    const nowMs = this.#now();
    let bytes = 0;
    for (const { lane, itemsMax: laneMax, holdMs } of lanes) {
      // plant: receive-of-memory-gives-all-that-is-visible-of-a-lane
      for (const entry of this.#visible(lane, nowMs).slice(0, laneMax)) {
        if (taken.length === itemsMax) return taken;
        bytes += bytesOf(entry.item);
        if (taken.length > 0 && bytes > bytesMax) return taken;
        taken.push(this.#take(entry, nowMs, holdMs));
      }
    }
    return taken;
  }

  async retry(held: AsyncItem, state: AttemptState, delayMs: number) {
    return this.#settle(held, (entry) => {
      entry.state = state;
      this.#free(entry, delayMs);
    });
  }

  async finish(held: AsyncItem, next: readonly NewAsyncItem[]) {
    return this.#settle(held, ({ item }) => {
      this.#byId.delete(item.id);
      const lane = this.#lanes.get(item.lane);
      lane?.delete(item.id);
      if (lane?.size === 0) this.#lanes.delete(item.lane);
      for (const each of next) this.#insert(each);
    });
  }

  async release(held: AsyncItem, delayMs: number) {
    return this.#settle(held, (entry) => this.#free(entry, delayMs));
  }

  async extend(held: readonly AsyncItem[], holdMs: number) {
    return held.map((each) =>
      this.#settle(each, (entry) => {
        entry.visibleMs = this.#now() + holdMs;
      }),
    );
  }

  async backlog() {
    const nowMs = this.#now();
    return [...this.#lanes].map(([lane, entries]): LaneBacklog => {
      let bytes = 0;
      let firstMs = nowMs;
      for (const { item, putMs } of entries.values()) {
        bytes += bytesOf(item);
        firstMs = Math.min(firstMs, putMs);
      }
      return { lane, items: entries.size, bytes, oldestMs: nowMs - firstMs };
    });
  }

  async list(lane: string, max: number) {
    const nowMs = this.#now();
    const entries = [...(this.#lanes.get(lane)?.values() ?? [])].sort((a, b) => a.seq - b.seq);
    return entries.slice(0, max).map((entry) => listed(entry, nowMs));
  }

  async get(id: string) {
    const entry = this.#byId.get(id);
    return entry && { ...listed(entry, this.#now()), body: entry.item.body };
  }

  async close() {}

  #insert(item: NewAsyncItem): void {
    if (this.#byId.has(item.id)) return;
    const nowMs = this.#now();
    const entry: Entry = {
      item,
      putMs: nowMs,
      seq: ++this.#puts,
      state: item.state,
      visibleMs: nowMs + item.visibleInMs,
      receipt: undefined,
      receiveCount: 0,
    };
    this.#byId.set(item.id, entry);
    const lane = this.#lanes.get(item.lane) ?? new Map<string, Entry>();
    this.#lanes.set(item.lane, lane.set(item.id, entry));
  }

  #visible(lane: string, nowMs: number): readonly Entry[] {
    return [...(this.#lanes.get(lane)?.values() ?? [])]
      .filter(({ visibleMs }) => visibleMs <= nowMs)
      .sort((a, b) => a.visibleMs - b.visibleMs || a.seq - b.seq);
  }

  #take(entry: Entry, nowMs: number, holdMs: number): AsyncItem {
    const waitedMs = nowMs - entry.visibleMs;
    entry.receipt = String(++this.#receipts);
    entry.receiveCount += 1;
    entry.visibleMs = nowMs + holdMs;
    const { id, kind, lane, qualifier, body } = entry.item;
    const { state, receipt, receiveCount } = entry;
    return { id, kind, lane, qualifier, body, state, receipt, receiveCount, waitedMs };
  }

  #settle({ id, receipt }: AsyncItem, change: (entry: Entry) => void): Settlement {
    const entry = this.#byId.get(id);
    // plant: memory-settles-what-somebody-else-holds
    if (entry === undefined || entry.receipt !== receipt || entry.visibleMs <= this.#now()) return "lost";
    change(entry);
    return "settled";
  }

  #free(entry: Entry, delayMs: number): void {
    entry.visibleMs = this.#now() + delayMs;
    entry.receipt = undefined;
  }
}

function listed(
  { item, putMs, state, visibleMs, receipt, receiveCount }: Entry,
  nowMs: number,
): ListedAsyncItem {
  const { id, kind, lane, qualifier } = item;
  const dueInMs = Math.max(0, visibleMs - nowMs);
  const isHeld = receipt !== undefined && dueInMs > 0;
  const [bytes, ageMs] = [bytesOf(item), Math.max(0, nowMs - putMs)];
  return { id, kind, lane, qualifier, bytes, state, ageMs, isHeld, dueInMs, receiveCount };
}
