import type { ParkedItem } from "../ports/parking-store.ts";
import { numberOf, textOf } from "./dynamodb-items.ts";
import {
  type EntryMeta,
  entryName,
  parkedKey,
  parkedPartition,
  partKeys,
  readMeta,
} from "./dynamodb-parking-items.ts";
import type { HeldQueue, ParkingWork } from "./dynamodb-parking-work.ts";
import { deleteItems, queryPartition } from "./dynamodb-query.ts";
import type { Item } from "./dynamodb-table.ts";
import type { QueueEntry } from "./parked-queue.ts";

export interface ReadEntry {
  readonly item: EntryMeta;
  readonly element: Uint8Array | undefined;
}

/** Items whose queues are remembered: each that is started was read before. */
const REMEMBERED_MAX = 50_000;
const FORGOTTEN_AT_ONCE = 25;

/** Items of redrives, each by its number. */
export class ParkedEntries {
  readonly #work: ParkingWork;
  readonly #queues = new Map<string, string>();

  constructor(work: ParkingWork) {
    this.#work = work;
  }

  /** In the order of the numbers. */
  async read(id: string, seqs: readonly number[]): Promise<readonly ReadEntry[]> {
    const items = await this.#work.items(seqs.map((seq) => parkedKey(id, entryName(seq))));
    return await Promise.all(
      items.map(async (item) => {
        this.#remember(id, numberOf(item, "seq"), textOf(item, "queue"));
        return { item: readMeta(item), element: await this.#elementOf(id, item) };
      }),
    );
  }

  /** With their elements: so many bytes, and at least one. */
  async fitting(
    id: string,
    entries: readonly QueueEntry[],
    bytesMax: number,
  ): Promise<readonly ParkedItem[]> {
    let bytes = 0;
    const end = entries.findIndex((entry, at) => {
      bytes += entry.bytes;
      return at > 0 && bytes > bytesMax;
    });
    const wanted = end === -1 ? entries : entries.slice(0, end);
    const found = await this.read(
      id,
      wanted.map(({ seq }) => seq),
    );
    return found.map(({ item, element = new Uint8Array() }, at) => ({
      ...item,
      element,
      requestId: wanted[at]?.requestId,
    }));
  }

  /** The queues of these, each with those that are its own. `undefined`: one of them is not there. */
  async byQueue(
    id: string,
    seqs: readonly number[],
  ): Promise<readonly { readonly held: HeldQueue; readonly seqs: readonly number[] }[] | undefined> {
    const unknown = seqs.filter((seq) => !this.#queues.has(nameOf(id, seq)));
    if (unknown.length > 0) await this.read(id, unknown);
    const perQueue = Map.groupBy(seqs, (seq) => this.#queues.get(nameOf(id, seq)));
    if (perQueue.has(undefined)) return undefined;
    const names = [...perQueue.keys()].filter((name) => name !== undefined);
    const queues = await this.#work.queues(id, names);
    return queues.map((held) => ({ held, seqs: perQueue.get(held.name) ?? [] }));
  }

  async forgetElements(id: string, seqs: readonly number[]): Promise<void> {
    const items = await this.#work.items(seqs.map((seq) => parkedKey(id, entryName(seq))));
    await this.#forget(id, items);
  }

  async forgetAllElements(id: string): Promise<void> {
    await this.#forget(id, await queryPartition(this.#work.table, parkedPartition(id), "entry#"));
  }

  async #forget(id: string, items: readonly Item[]): Promise<void> {
    for (let at = 0; at < items.length; at += FORGOTTEN_AT_ONCE) {
      const some = items.slice(at, at + FORGOTTEN_AT_ONCE).filter(({ element }) => element !== undefined);
      await deleteItems(
        this.#work.table,
        some.flatMap((item) => partKeys(id, item)),
      );
      await this.#work.put(some.map(({ element: _, ...item }) => ({ ...item, parts: { N: "0" } })));
    }
  }

  async #elementOf(id: string, item: Item): Promise<Uint8Array | undefined> {
    const first = item["element"]?.B;
    const keys = partKeys(id, item);
    if (first === undefined || keys.length === 0) return first;
    const parts = await this.#work.items(keys);
    return Buffer.concat([first, ...parts.map((part) => part["element"]?.B ?? new Uint8Array())]);
  }

  #remember(id: string, seq: number, queue: string): void {
    const name = nameOf(id, seq);
    this.#queues.delete(name);
    this.#queues.set(name, queue);
    for (const oldest of this.#queues.keys()) {
      if (this.#queues.size <= REMEMBERED_MAX) return;
      this.#queues.delete(oldest);
    }
  }
}

function nameOf(id: string, seq: number): string {
  return `${id}/${seq}`;
}
