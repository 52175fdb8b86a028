import type { Drainer, LoadedWindow, QueuedItem } from "../ports/parking-store.ts";
import { textOf } from "./dynamodb-items.ts";
import { parkedKey, writeEntry } from "./dynamodb-parking-items.ts";
import type { ParkingWork } from "./dynamodb-parking-work.ts";
import { type Item, SORT_KEY } from "./dynamodb-table.ts";
import type { ParkedQueue } from "./parked-queue.ts";

/** A transaction holds 100 items (DynamoDB's quotas): the redrive, its fence, each queue with markers, each id. */
const TRANSACTION_ITEMS = 90;
const ITEMS_OF_QUEUE = 5;
const ENTRIES_AT_ONCE = 500;

interface NumberedItem {
  readonly seq: number;
  readonly item: QueuedItem;
}

type Answer = "loaded" | "stale" | "fenced";

/**
 * Loads a window. Its items get numbers that nobody else has, and are written where nobody reads them yet; then they
 * become parts of their queues, each with its id, so that what is loaded twice is there once; the cursor comes last.
 * What a crash leaves over is loaded by who loads the window again.
 */
export class WindowLoad {
  readonly #work: ParkingWork;
  readonly #drainer: Drainer;
  readonly #id: string;
  readonly #window: LoadedWindow;

  constructor(work: ParkingWork, drainer: Drainer, id: string, window: LoadedWindow) {
    this.#work = work;
    this.#drainer = drainer;
    this.#id = id;
    this.#window = window;
  }

  async run(): Promise<Answer> {
    const { items } = this.#window;
    const first = await this.#step((lastSeq) => ({ lastSeq: lastSeq + items.length }));
    if (typeof first === "string") return first;
    const numbered = items.map((item, at): NumberedItem => ({ seq: first.lastSeq + at + 1, item }));
    const fresh = await this.#fresh(numbered);
    for (let at = 0; at < fresh.length; at += ENTRIES_AT_ONCE) {
      const some = fresh.slice(at, at + ENTRIES_AT_ONCE);
      await this.#work.put(some.flatMap(({ seq, item }) => writeEntry(this.#id, seq, item)));
    }
    for (const part of partsOf(fresh)) {
      const answer = await this.#append(part);
      if (answer !== "loaded") return answer;
    }
    const last = await this.#step((lastSeq) => ({ lastSeq, isAll: true }));
    return typeof last === "string" ? last : "loaded";
  }

  /** Those that are not there yet, each once. */
  async #fresh(numbered: readonly NumberedItem[]): Promise<readonly NumberedItem[]> {
    const keys = numbered.map(({ item }) => this.#idKey(item.id));
    const there = new Set((await this.#work.items(keys)).map((item) => textOf(item, SORT_KEY)));
    return numbered.filter(({ item }) => {
      const name = textOf(this.#idKey(item.id), SORT_KEY);
      // plant: what-is-loaded-twice-is-there-twice-in-dynamodb
      if (there.has(name)) return false;
      there.add(name);
      return true;
    });
  }

  /** Moves the redrive itself: takes numbers, or says that all is loaded. */
  #step(move: (lastSeq: number) => { readonly lastSeq: number; readonly isAll?: boolean }) {
    const { seen: from, next } = this.#window;
    return this.#work.inTurn(
      this.#id,
      async (): Promise<Answer | { readonly lastSeq: number } | "overtaken"> => {
        const seen = await this.#work.header(this.#id);
        if (seen === undefined) return "stale";
        if (!(await this.#work.isNewest(this.#drainer))) return "fenced";
        const { redrive, lastSeq } = seen;
        const isThere = next === undefined ? redrive.isLoaded : redrive.cursor === next;
        // The answer to the same call before was lost.
        if (isThere) return "loaded";
        // plant: a-window-of-dynamodb-is-begun-wherever-the-redrive-is
        if (redrive.isLoaded || redrive.cursor !== from) return "stale";
        const { lastSeq: moved, isAll = false } = move(lastSeq);
        const cursor = next ?? redrive.cursor;
        const loaded = isAll ? { ...redrive, cursor, isLoaded: next === undefined } : redrive;
        const written = await this.#work.write({
          seen,
          next: { ...seen, redrive: loaded, lastSeq: moved },
          drainer: this.#drainer,
        });
        return written === "written" ? { lastSeq } : written;
      },
    );
  }

  #append(part: readonly NumberedItem[]): Promise<Answer> {
    const perQueue = Map.groupBy(part, ({ item }) => item.queue);
    return this.#work.inTurn(this.#id, async (): Promise<Answer | "overtaken"> => {
      const seen = await this.#work.header(this.#id);
      if (seen === undefined) return "stale";
      if (!(await this.#work.isNewest(this.#drainer))) return "fenced";
      // plant: a-window-of-dynamodb-is-filled-wherever-the-redrive-is
      if (seen.redrive.isLoaded || seen.redrive.cursor !== this.#window.seen) return "stale";
      const queues = await this.#work.queues(this.#id, [...perQueue.keys()]);
      const filled = queues.map((held) => ({
        ...held,
        queue: appended(held.queue, perQueue.get(held.name) ?? []),
      }));
      const TableName = this.#work.table.name;
      const more = part.map(({ item }) => ({ Put: { TableName, Item: this.#idKey(item.id) } }));
      const drainer = this.#drainer;
      const written = await this.#work.write({ seen, next: seen, queues: filled, drainer, more });
      return written === "written" ? "loaded" : written;
    });
  }

  #idKey(itemId: string): Item {
    return parkedKey(this.#id, `id#${itemId}`);
  }
}

function appended(queue: ParkedQueue, items: readonly NumberedItem[]): ParkedQueue {
  const entries = items.map(({ seq, item: { element } }) => ({
    seq,
    bytes: element?.length ?? 0,
    state: element === undefined ? ("gone" as const) : ("waiting" as const),
    attempt: 0,
  }));
  const isKeyless = items[0]?.item.isKeyless ?? queue.isKeyless;
  return { ...queue, isKeyless, entries: [...queue.entries, ...entries] };
}

/** As many as a transaction takes, those of a queue in their order. */
function partsOf(items: readonly NumberedItem[]): readonly (readonly NumberedItem[])[] {
  const parts: NumberedItem[][] = [];
  let size = TRANSACTION_ITEMS;
  let queues = new Set<string>();
  for (const numbered of items) {
    const { queue } = numbered.item;
    const own = 1 + (queues.has(queue) ? 0 : ITEMS_OF_QUEUE);
    if (size + own > TRANSACTION_ITEMS) {
      parts.push([]);
      size = 0;
      queues = new Set();
    }
    size += 1 + (queues.has(queue) ? 0 : ITEMS_OF_QUEUE);
    queues.add(queue);
    parts.at(-1)?.push(numbered);
  }
  return parts;
}
