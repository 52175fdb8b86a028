import type { Redrive, RedriveItem } from "../model/redrive.ts";
import type { Clock } from "../ports/clock.ts";
import type { EventRecords } from "../ports/event-records.ts";
import type { FailureIndex, FailureRow } from "../ports/failure-index.ts";
import type { FailureReader } from "../ports/failure-reader.ts";
import type { RedriveFeed, RedriveWindow, ToldEnd, WindowBounds } from "../ports/redrives.ts";
import { rowIdOf } from "./failure-names.ts";
import { type KeptRecords, keptRecords } from "./kept-records.ts";
import { type PlannedItem, plannedItems } from "./redrive-plan.ts";
import { rowsOfRedrive } from "./redriven-rows.ts";
import { type ItemList, settleRows } from "./settled-rows.ts";

/** What the feed needs of the redrive's mapping, as it is now. */
export interface FeedSource {
  readonly events: EventRecords;
  /** `undefined`: the destination keeps no events. @throws MillraceError */
  readerOf(destination: string): Promise<FailureReader | undefined>;
}

export interface IndexFeedOptions {
  readonly index: FailureIndex;
  sourceOf(mapping: string): Promise<FeedSource>;
  /** Items of a redrive that stand in these states. */
  readonly items: ItemList;
  readonly clock: Pick<Clock, "now" | "monotonic">;
}

/** Plans that are kept: one for each redrive that is being loaded. */
const PLANS_MAX = 8;
const EVENTS_MAX = 8;
/** A destination may be slow to read: what was read by then is handed over meanwhile, and no crash loses it. */
const WINDOW_MS = 2_000;

interface Plan {
  readonly items: readonly PlannedItem[];
  readonly places: ReadonlyMap<string, number>;
}

/**
 * Feeds redrives with what streams have given up: the rows that a redrive has marked, in the order of their records,
 * with their elements as the failure destination keeps them. What is loaded twice is there once, so a place that is not
 * known any more is no harm: it begins again.
 */
export class IndexFeed implements RedriveFeed {
  readonly #options: IndexFeedOptions;
  readonly #plans = new Map<string, Promise<Plan>>();
  readonly #events = new Map<string, Promise<KeptRecords | undefined>>();

  constructor(options: IndexFeedOptions) {
    this.#options = options;
  }

  async window(redrive: Redrive, cursor: string | undefined, bounds: WindowBounds): Promise<RedriveWindow> {
    const source = await this.#options.sourceOf(redrive.mapping);
    const { items: planned, places } = await this.#planOf(redrive, source);
    const from = cursor === undefined ? 0 : (places.get(cursor) ?? -1) + 1;
    const items: RedriveItem[] = [];
    let bytes = 0;
    const { clock } = this.#options;
    const startMs = clock.monotonic();
    for (const place of planned.slice(from, from + bounds.itemsMax)) {
      const item = await this.#itemOf(place, source);
      bytes += item.element?.length ?? 0;
      if (items.length > 0 && bytes > bounds.bytesMax) break;
      items.push(item);
      if (clock.monotonic() - startMs > WINDOW_MS) break;
    }
    const last = planned[from + items.length - 1];
    const isAll = from + items.length >= planned.length;
    if (isAll) this.#plans.delete(redrive.id);
    return { items, next: isAll || last === undefined ? undefined : itemIdOf(last) };
  }

  /** Rows are marked already, and events stay where they are. */
  async loaded() {}

  /** What failed again is a failure of its own, with its new error. */
  async ended({ id, mapping }: Redrive, ends: readonly ToldEnd[]): Promise<void> {
    const { index } = this.#options;
    const rows: FailureRow[] = [];
    const uncertain = ends.filter(({ state }) => state === "uncertain").map(({ item }) => item.failureId);
    if (uncertain.length > 0) {
      const change = { from: ["redriving"], ofRedrive: id, state: "uncertain", redriveId: id } as const;
      await index.mark([...new Set(uncertain)], change);
    }
    for (const { item, state, error } of ends) {
      if (state !== "failed") continue;
      const first = await index.get(item.failureId);
      rows.push({
        id: rowIdOf(`${id}/${item.id}`),
        mapping,
        condition: "RetryAttemptsExhausted",
        ...(error === undefined ? {} : { error: { type: error.type, message: error.message } }),
        shardId: item.shardId,
        items: [{ position: item.position, keyHash: item.key }],
        count: 1,
        bytes: item.element?.length ?? 0,
        atMs: this.#options.clock.now(),
        where: first?.where ?? { destination: "" },
        origin: first?.origin ?? item.failureId,
        state: "open",
      });
    }
    // plant: what-fails-again-is-not-listed
    if (rows.length > 0) await index.add(rows);
  }

  async tracesOf(_redrive: Redrive, failureIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const rows = await Promise.all(failureIds.map((id) => this.#options.index.get(id)));
    return new Map(rows.flatMap((row) => (row?.trace === undefined ? [] : [[row.id, row.trace] as const])));
  }

  async finished(redrive: Redrive): Promise<void> {
    this.#plans.delete(redrive.id);
    await settleRows(redrive.id, this.#options.index, this.#options.items);
  }

  #planOf(redrive: Redrive, { events }: FeedSource): Promise<Plan> {
    const known = this.#plans.get(redrive.id);
    if (known !== undefined) return known;
    const plan = this.#makePlan(redrive, events);
    plan.catch(() => this.#plans.delete(redrive.id));
    this.#plans.set(redrive.id, plan);
    forgetOldest(this.#plans, PLANS_MAX);
    return plan;
  }

  async #makePlan({ id, selection }: Redrive, events: EventRecords): Promise<Plan> {
    const rows = await rowsOfRedrive(id, this.#options.index);
    const mine = rows.filter(({ state }) => state === "redriving" || state === "uncertain");
    const items = plannedItems(mine, (a, b) => events.comparePositions(a, b), keyOfSelection(selection));
    return { items, places: new Map(items.map((item, place) => [itemIdOf(item), place])) };
  }

  async #itemOf(planned: PlannedItem, source: FeedSource): Promise<RedriveItem> {
    const { row, index, item } = planned;
    const found = (await this.#recordsOf(row, source))?.records[index];
    return {
      id: itemIdOf(planned),
      failureId: row.id,
      itemId: found?.itemId ?? item.position,
      shardId: row.shardId,
      position: item.position,
      key: item.keyHash,
      arrivalMs: found?.arrivalMs,
      element: found?.element,
    };
  }

  /** Records of one failure are asked for one after the other. */
  #recordsOf(row: FailureRow, source: FeedSource): Promise<KeptRecords | undefined> {
    const known = this.#events.get(row.id);
    if (known !== undefined) return known;
    const reading = (async () => {
      const reader = await source.readerOf(row.where.destination);
      return reader && (await keptRecords(row, reader, source.events, new AbortController().signal));
    })();
    reading.catch(() => this.#events.delete(row.id));
    this.#events.set(row.id, reading);
    forgetOldest(this.#events, EVENTS_MAX);
    return reading;
  }
}

/** What a redrive's selection says beyond the rows that it has marked. */
export function selectionText(keyHash: string | undefined): string {
  return JSON.stringify(keyHash === undefined ? {} : { keyHash });
}

function keyOfSelection(selection: string): string | undefined {
  const { keyHash }: { readonly keyHash?: unknown } = JSON.parse(selection);
  return typeof keyHash === "string" ? keyHash : undefined;
}

function itemIdOf({ row, index }: PlannedItem): string {
  return `${row.id}#${index}`;
}

function forgetOldest(map: Map<string, unknown>, max: number): void {
  for (const key of map.keys()) {
    if (map.size <= max) return;
    map.delete(key);
  }
}
