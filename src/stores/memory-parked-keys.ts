import type {
  ParkedEntry,
  ParkedKey,
  ParkedKeyState,
  ParkingBounds,
  ParkingCause,
  ParkingTotals,
  PlacedEntry,
} from "../model/parked-key.ts";
import type {
  NewParkedKey,
  ParkedKeyStore,
  ParkedPut,
  PutAnswer,
  ShardWriter,
} from "../ports/parked-keys.ts";
import type { Drainer } from "../ports/parking-store.ts";
import {
  isWithin,
  keyMoved,
  keyWith,
  keyWithout,
  madeKey,
  NOTHING_PARKED,
  parkedKeyId,
  totalsAfter,
} from "./parked-key-changes.ts";

/** Keeps parked keys for the life of one process, which shares them with nobody. `close` forgets nothing. */
export function createMemoryParkedKeys(): ParkedKeyStore {
  return new MemoryParkedKeys();
}

interface Shelf {
  readonly keys: Map<string, ParkedKey>;
  readonly entries: Map<string, PlacedEntry[]>;
  readonly writers: Map<string, { fence: number; attempt: number }>;
  totals: ParkingTotals;
  lastSeq: number;
}

class MemoryParkedKeys implements ParkedKeyStore {
  readonly #shelves = new Map<string, Shelf>();
  readonly #epochs = new Map<string, number>();

  async open(mapping: string, shardId: string) {
    const shelf = this.#shelves.get(mapping) ?? emptyShelf();
    this.#shelves.set(mapping, shelf);
    const fence = (shelf.writers.get(shardId)?.fence ?? 0) + 1;
    shelf.writers.set(shardId, { fence, attempt: 0 });
    return { fence, keys: sortedKeys(shelf) };
  }

  async create(at: ShardWriter, made: NewParkedKey, bounds: ParkingBounds): Promise<PutAnswer | "fenced"> {
    const shelf = this.#heldBy(at);
    if (shelf === undefined) return "fenced";
    const standing = shelf.keys.get(parkedKeyId(made.key));
    if (standing !== undefined) return { kind: "stale", key: standing };
    return put(shelf, undefined, madeKey(made), made.entries, bounds);
  }

  async append(at: ShardWriter, puts: readonly ParkedPut[], bounds: ParkingBounds) {
    const shelf = this.#heldBy(at);
    if (shelf === undefined) return "fenced" as const;
    return puts.map((behind): PutAnswer => {
      const { tailVersion, entries } = behind;
      const standing = shelf.keys.get(parkedKeyId(behind.key));
      if (standing === undefined) return { kind: "notParked" };
      if (standing.tailVersion !== tailVersion) return { kind: "stale", key: standing };
      return put(shelf, standing, keyWith(standing, behind), entries, bounds);
    });
  }

  async drain({ mapping, epoch }: Drainer) {
    if (epoch < (this.#epochs.get(mapping) ?? 0)) return "fenced" as const;
    this.#epochs.set(mapping, epoch);
    return "open" as const;
  }

  async head(mapping: string, id: string, entriesMax: number, bytesMax: number) {
    const found: PlacedEntry[] = [];
    let bytes = 0;
    for (const entry of this.#shelves.get(mapping)?.entries.get(id) ?? []) {
      bytes += entry.element.length;
      if (found.length === entriesMax || (found.length > 0 && bytes > bytesMax)) break;
      found.push(entry);
    }
    return found;
  }

  async advance({ mapping, epoch }: Drainer, id: string, through: number) {
    if (this.#epochs.get(mapping) !== epoch) return "fenced" as const;
    const shelf = this.#shelves.get(mapping);
    const key = shelf?.keys.get(id);
    if (shelf === undefined || key === undefined) return "closed" as const;
    const entries = shelf.entries.get(id) ?? [];
    const removed = entries.filter(({ seq }) => seq <= through);
    const sizes = removed.map(({ element }) => ({ bytes: element.length }));
    const left = keyWithout(key, sizes, through);
    shelf.entries.set(id, entries.slice(removed.length));
    keep(shelf, key, left);
    return left === undefined ? ("closed" as const) : ("open" as const);
  }

  async move(mapping: string, id: string, seenVersion: number, to: ParkedKeyState, cause?: ParkingCause) {
    const shelf = this.#shelves.get(mapping);
    const key = shelf?.keys.get(id);
    if (shelf === undefined || key?.version !== seenVersion) return "stale" as const;
    const moved = keyMoved(key, to, cause);
    keep(shelf, key, moved);
    return moved;
  }

  async get(mapping: string, id: string) {
    return this.#shelves.get(mapping)?.keys.get(id);
  }

  async list(mapping: string, after: string, max: number) {
    const shelf = this.#shelves.get(mapping) ?? emptyShelf();
    return sortedKeys(shelf)
      .filter(({ id }) => id > after)
      .slice(0, max);
  }

  async totals(mapping: string) {
    return this.#shelves.get(mapping)?.totals ?? NOTHING_PARKED;
  }

  async remove(mapping: string) {
    this.#shelves.delete(mapping);
  }

  async close() {}

  /** `undefined`: another owner has the shard, or a later call of this one came first. */
  #heldBy({ mapping, shardId, fence, attempt }: ShardWriter): Shelf | undefined {
    const shelf = this.#shelves.get(mapping);
    const writer = shelf?.writers.get(shardId);
    // plant: parked-keys-in-memory-are-not-fenced
    if (writer?.fence !== fence || writer.attempt >= attempt) return undefined;
    writer.attempt = attempt;
    return shelf;
  }
}

function emptyShelf(): Shelf {
  return {
    keys: new Map(),
    entries: new Map(),
    writers: new Map(),
    totals: NOTHING_PARKED,
    lastSeq: 0,
  };
}

function put(
  shelf: Shelf,
  was: ParkedKey | undefined,
  is: ParkedKey,
  entries: readonly ParkedEntry[],
  bounds: ParkingBounds,
): PutAnswer {
  if (!isWithin(totalsAfter(shelf.totals, was, is), bounds)) return { kind: "full" };
  const placed = entries.map((entry): PlacedEntry => ({ ...entry, seq: ++shelf.lastSeq }));
  shelf.entries.set(is.id, [...(shelf.entries.get(is.id) ?? []), ...placed]);
  keep(shelf, was, is);
  return { kind: "parked", key: is };
}

function keep(shelf: Shelf, was: ParkedKey | undefined, is: ParkedKey | undefined): void {
  shelf.totals = totalsAfter(shelf.totals, was, is);
  if (is !== undefined) shelf.keys.set(is.id, is);
  else if (was !== undefined) {
    shelf.keys.delete(was.id);
    shelf.entries.delete(was.id);
  }
}

function sortedKeys({ keys }: Shelf): readonly ParkedKey[] {
  return [...keys.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}
