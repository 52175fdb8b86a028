import type { EndedState, ItemState } from "../model/redrive.ts";
import type { EndedItem, ListedItem, ParkedItem } from "../ports/parking-store.ts";
import { textOf } from "./dynamodb-items.ts";
import type { ParkedEntries } from "./dynamodb-parked-entries.ts";
import { type Marker, parkedPartition } from "./dynamodb-parking-items.ts";
import type { HeldQueue, ParkingWork } from "./dynamodb-parking-work.ts";
import { queryPartition } from "./dynamodb-query.ts";
import { isUntold, stateOf } from "./parked-queue.ts";

/** What is parked for a redrive, for those who hand it over and for people. */
export class ParkedReads {
  readonly #work: ParkingWork;
  readonly #entries: ParkedEntries;

  constructor(work: ParkingWork, entries: ParkedEntries) {
    this.#work = work;
    this.#entries = entries;
  }

  async ready(id: string, after: string, max: number): Promise<readonly string[]> {
    const from = `ready#${after}`;
    const marks = await queryPartition(this.#work.table, parkedPartition(id), "ready#", {
      Limit: max,
      after: from,
    });
    return marks.slice(0, max).map((mark) => textOf(mark, "queue"));
  }

  async head(id: string, queue: string, itemsMax: number, bytesMax: number): Promise<readonly ParkedItem[]> {
    const held = await this.#work.queue(id, queue);
    const waiting = held.queue.entries.filter((entry) => stateOf(held.queue, entry) === "waiting");
    return await this.#entries.fitting(id, waiting.slice(0, itemsMax), bytesMax);
  }

  async untold(id: string, max: number): Promise<readonly EndedItem[]> {
    const queues = await this.#work.queues(id, await this.marked(id, "untold"));
    const ended = inOrder(queues.flatMap(({ queue }) => queue.entries.filter(isUntold))).slice(0, max);
    const found = await this.#entries.read(
      id,
      ended.map(({ seq }) => seq),
    );
    return found.map(({ item, element }, at) => {
      const { state, error } = ended[at] ?? { state: "done", error: undefined };
      return { ...item, element, state: state as EndedState, error };
    });
  }

  async left(id: string, after: number, itemsMax: number, bytesMax: number): Promise<readonly ParkedItem[]> {
    if ((await this.#work.header(id))?.redrive.isConcluded !== false) return [];
    const left = (await this.#queues(id)).flatMap(({ queue }) =>
      queue.entries.filter(({ state, seq }) => state === "waiting" && seq > after),
    );
    return await this.#entries.fitting(id, inOrder(left).slice(0, itemsMax), bytesMax);
  }

  async items(id: string, state: ItemState, after: number, max: number): Promise<readonly ListedItem[]> {
    const queues = await this.#queues(id);
    const listed = queues.flatMap(({ queue }) => {
      const entries = queue.entries.filter((entry) => stateOf(queue, entry) === state);
      const over =
        state === "done" ? queue.over.map((seq) => ({ seq, requestId: undefined, error: undefined })) : [];
      return [...entries, ...over].filter(({ seq }) => seq > after);
    });
    const page = inOrder(listed).slice(0, max);
    const found = await this.#entries.read(
      id,
      page.map(({ seq }) => seq),
    );
    return found.map(({ item }, at) => {
      const { requestId, error } = page[at] ?? {};
      return { ...item, state, requestId, error };
    });
  }

  /** Queues with such items, by name. */
  async marked(id: string, marker: Marker): Promise<readonly string[]> {
    const marks = await queryPartition(this.#work.table, parkedPartition(id), `${marker}#`);
    return marks.map((mark) => textOf(mark, "queue"));
  }

  async #queues(id: string): Promise<readonly HeldQueue[]> {
    const items = await queryPartition(this.#work.table, parkedPartition(id), "queue#");
    return await this.#work.read(items);
  }
}

function inOrder<Numbered extends { readonly seq: number }>(all: readonly Numbered[]): readonly Numbered[] {
  return all.toSorted((a, b) => a.seq - b.seq);
}
