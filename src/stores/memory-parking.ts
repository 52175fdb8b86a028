import type { EndedState, ItemState, NewRedrive, RedriveState } from "../model/redrive.ts";
import {
  type Drainer,
  type EndedItem,
  firstAttempt,
  type ItemEnd,
  type ItemTry,
  type LoadedWindow,
  type ParkingStore,
  type RedriveChange,
} from "../ports/parking-store.ts";
import {
  ENDS,
  type Entry,
  fitting,
  holdBehind,
  isOpen,
  isStartable,
  type Parked,
  plain,
  put,
} from "./memory-parked.ts";
import { countsOf } from "./parking-rows.ts";

/** Keeps redrives for the life of one process, which shares them with nobody. `close` forgets nothing. */
export function createMemoryParkingStore(): ParkingStore {
  return new MemoryParkingStore();
}

class MemoryParkingStore implements ParkingStore {
  readonly #parked = new Map<string, Parked>();
  readonly #epochs = new Map<string, number>();

  async create(made: NewRedrive) {
    const text = JSON.stringify(made);
    const standing = this.#parked.get(made.id);
    if (standing !== undefined) return standing.made === text ? standing.redrive : ("exists" as const);
    for (const { redrive } of this.#parked.values()) if (redrive.name === made.name) return "exists";
    const start = {
      state: "planned",
      version: 1,
      cursor: undefined,
      isLoaded: false,
      isConcluded: false,
    } as const;
    const redrive = { ...made, ...start, endedMs: undefined };
    this.#parked.set(made.id, { made: text, redrive, lastSeq: 0, entries: new Map(), bySeq: new Map() });
    return redrive;
  }

  async list(states?: readonly RedriveState[]) {
    return [...this.#parked.values()]
      .map(({ redrive }) => redrive)
      .filter(({ state }) => states === undefined || states.includes(state))
      .sort((a, b) => b.createdMs - a.createdMs || (a.id < b.id ? -1 : 1));
  }

  async pending() {
    return (await this.list()).filter(({ isConcluded }) => !isConcluded).reverse();
  }

  async get(idOrName: string) {
    const byName = [...this.#parked.values()].find(({ redrive }) => redrive.name === idOrName);
    return (this.#parked.get(idOrName) ?? byName)?.redrive;
  }

  async change(id: string, seenVersion: number, change: RedriveChange) {
    const parked = this.#parked.get(id);
    if (parked?.redrive.version !== seenVersion) return "stale" as const;
    parked.redrive = { ...parked.redrive, ...change, isConcluded: false, version: seenVersion + 1 };
    return parked.redrive;
  }

  async remove(id: string) {
    this.#parked.delete(id);
  }

  async counts(id: string) {
    const parked = this.#parked.get(id);
    if (parked === undefined) return undefined;
    const perState = new Map<ItemState, number>();
    for (const { state } of parked.bySeq.values()) perState.set(state, (perState.get(state) ?? 0) + 1);
    return countsOf(parked.redrive.selected, perState);
  }

  async open(drainer: Drainer) {
    const { mapping, epoch } = drainer;
    if (epoch >= (this.#epochs.get(mapping) ?? 0)) this.#epochs.set(mapping, epoch);
    return this.#isNewest(drainer) ? "open" : "fenced";
  }

  async load(drainer: Drainer, id: string, { seen, next, items }: LoadedWindow) {
    const parked = this.#parked.get(id);
    if (parked === undefined) return "stale";
    if (!this.#isNewest(drainer)) return "fenced";
    const { redrive, lastSeq } = parked;
    const isThere = next === undefined ? redrive.isLoaded : redrive.cursor === next;
    if (isThere) return "loaded";
    if (redrive.isLoaded || redrive.cursor !== seen) return "stale";
    for (const [index, item] of items.entries()) put(parked, item, lastSeq + index + 1);
    parked.lastSeq = lastSeq + items.length;
    parked.redrive = { ...redrive, cursor: next ?? redrive.cursor, isLoaded: next === undefined };
    holdBehind(parked);
    return "loaded";
  }

  async ready(id: string, after: string, max: number) {
    const queues = new Set<string>();
    for (const { state, item } of this.#inOrder(id))
      if (state === "waiting" && item.queue > after) queues.add(item.queue);
    return [...queues].sort().slice(0, max);
  }

  async head(id: string, queue: string, itemsMax: number, bytesMax: number) {
    const waits = ({ state, item }: Entry) => state === "waiting" && item.queue === queue;
    return fitting(this.#inOrder(id).filter(waits), itemsMax, bytesMax);
  }

  async left(id: string, after: number, itemsMax: number, bytesMax: number) {
    const isLeft = ({ state, seq, element }: Entry) =>
      (state === "waiting" || state === "held") && seq > after && element !== undefined;
    return fitting(this.#inOrder(id).filter(isLeft), itemsMax, bytesMax);
  }

  async conclude(id: string) {
    const parked = this.#parked.get(id);
    if (parked === undefined || !["done", "cancelled"].includes(parked.redrive.state)) return;
    parked.redrive = { ...parked.redrive, isConcluded: true };
    for (const entry of parked.bySeq.values()) entry.element = undefined;
  }

  async start(drainer: Drainer, id: string, { seqs, requestId, attempt }: ItemTry) {
    if (!this.#isNewest(drainer)) return "fenced";
    const parked = this.#parked.get(id);
    // plant: an-item-is-started-whatever-its-redrive-is
    if (parked?.redrive.state !== "running") return "refused";
    const entries = seqs.flatMap((seq) => parked.bySeq.get(seq) ?? []);
    const startable = entries.filter((entry) => isStartable(entry, attempt));
    if (startable.length !== seqs.length) return "refused";
    for (const entry of entries) Object.assign(entry, { state: "started", requestId, attempt });
    return "started";
  }

  async end(drainer: Drainer, id: string, ends: readonly ItemEnd[]) {
    if (!this.#isNewest(drainer)) return "fenced";
    const parked = this.#parked.get(id);
    if (parked === undefined) return "ended";
    for (const { seq, state, error, attempt } of ends) {
      const entry = parked.bySeq.get(seq);
      if (entry?.state === "started" && entry.attempt <= attempt)
        Object.assign(entry, { state, error, attempt });
      else if (state === "waiting" && (entry?.state === "waiting" || entry?.state === "held"))
        entry.attempt = Math.max(entry.attempt, attempt);
    }
    holdBehind(parked);
    return "ended";
  }

  async recover(drainer: Drainer, id: string, to: "waiting" | "uncertain") {
    if (!this.#isNewest(drainer)) return "fenced";
    const parked = this.#parked.get(id);
    const started = this.#inOrder(id).filter(
      ({ state, attempt }) => state === "started" && attempt < firstAttempt(drainer),
    );
    for (const entry of started) entry.state = to;
    if (parked !== undefined) holdBehind(parked);
    return started.length;
  }

  async retryUncertain(id: string, seenVersion: number) {
    const parked = this.#parked.get(id);
    if (parked === undefined || parked.redrive.state === "cancelled") return undefined;
    if (parked.redrive.version !== seenVersion) return "stale";
    if (parked.redrive.isConcluded) return parked.redrive;
    const failed = new Set(
      this.#inOrder(id).flatMap(({ state, item }) => (state === "failed" ? item.queue : [])),
    );
    const uncertain = this.#inOrder(id).filter(
      ({ state, item }) => state === "uncertain" && (item.isKeyless || !failed.has(item.queue)),
    );
    if (uncertain.length === 0) return parked.redrive;
    for (const entry of uncertain)
      Object.assign(entry, { state: "waiting", error: undefined, isTold: false });
    for (const entry of parked.bySeq.values()) if (entry.state === "held") entry.state = "waiting";
    holdBehind(parked);
    const { redrive } = parked;
    const state = redrive.state === "done" ? "running" : redrive.state;
    parked.redrive = { ...redrive, state, endedMs: undefined, version: redrive.version + 1 };
    return parked.redrive;
  }

  async finish(drainer: Drainer, id: string, endedMs: number) {
    if (!this.#isNewest(drainer)) return "fenced";
    const parked = this.#parked.get(id);
    if (parked === undefined) return "unfinished";
    const { redrive } = parked;
    if (redrive.state === "done") return "finished";
    if (redrive.state !== "running" || !redrive.isLoaded) return "unfinished";
    const entries = this.#inOrder(id);
    if (entries.some((entry) => isOpen(entry))) return "unfinished";
    parked.redrive = { ...redrive, state: "done", endedMs, version: redrive.version + 1 };
    return "finished";
  }

  async untold(id: string, max: number) {
    return this.#inOrder(id)
      .filter(({ state, isTold }) => !isTold && ENDS.includes(state))
      .slice(0, max)
      .map(
        ({ item, seq, element, state, error }): EndedItem => ({
          ...plain(item),
          seq,
          element,
          state: state as EndedState,
          error,
        }),
      );
  }

  async told(id: string, ends: readonly Pick<EndedItem, "seq" | "state">[]) {
    for (const { seq, state } of ends) {
      const entry = this.#parked.get(id)?.bySeq.get(seq);
      if (entry?.state !== state) continue;
      entry.isTold = true;
      if (state === "done") entry.element = undefined;
    }
  }

  async items(id: string, state: ItemState, after: number, max: number) {
    return this.#inOrder(id)
      .filter((entry) => entry.state === state && entry.seq > after)
      .slice(0, max)
      .map(({ item, seq, requestId, error }) => {
        const { element: _element, ...listed } = plain(item);
        return { ...listed, seq, state, requestId, error };
      });
  }

  async close() {}

  #isNewest({ mapping, epoch }: Drainer): boolean {
    return this.#epochs.get(mapping) === epoch;
  }

  #inOrder(id: string): readonly Entry[] {
    return [...(this.#parked.get(id)?.bySeq.values() ?? [])];
  }
}
