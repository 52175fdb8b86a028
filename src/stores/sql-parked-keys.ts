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
  OpenedShard,
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
import { changedColumns, readParkedKey, readPlacedEntry, readTotals } from "./parked-key-rows.ts";
import type { ParkedKeyDatabase, ParkingValue, ParkingWork } from "./parking-database.ts";

/** What is parked of a mapping, and the place of its last entry: as it will be when the transaction ends. */
interface Shelf {
  readonly mapping: string;
  totals: ParkingTotals;
  lastSeq: number;
}

/** Parked keys in a database that speaks SQL. Each write begins with the lock of its mapping: they come in turn. */
export class SqlParkedKeys implements ParkedKeyStore {
  readonly #database: ParkedKeyDatabase;
  readonly #sql: ParkedKeyDatabase["statements"];

  constructor(database: ParkedKeyDatabase) {
    this.#database = database;
    this.#sql = database.statements;
  }

  open(mapping: string, shardId: string) {
    return this.#database.write(() => this.#open(mapping, shardId));
  }

  *#open(mapping: string, shardId: string): ParkingWork<OpenedShard> {
    yield { sql: this.#sql.makeMapping, values: [mapping] };
    yield* this.#lock(mapping);
    const [writer] = yield { sql: this.#sql.openWriter, values: [mapping, shardId] };
    const keys = yield { sql: this.#sql.allKeys, values: [mapping] };
    return { fence: Number(writer?.["fence"]), keys: keys.map(readParkedKey) };
  }

  // What shards put.

  create(at: ShardWriter, made: NewParkedKey, bounds: ParkingBounds) {
    return this.#database.write(() => this.#create(at, made, bounds));
  }

  *#create(at: ShardWriter, made: NewParkedKey, bounds: ParkingBounds): ParkingWork<PutAnswer | "fenced"> {
    const shelf = yield* this.#heldBy(at);
    if (shelf === undefined) return "fenced";
    const key = madeKey(made);
    const standing = yield* this.#key(at.mapping, key.id);
    if (standing !== undefined) return { kind: "stale", key: standing };
    const put = placed(shelf, undefined, key, made.entries, bounds);
    if (put === undefined) return { kind: "full" };
    yield* this.#keepPuts(shelf, [put]);
    return { kind: "parked", key };
  }

  append(at: ShardWriter, puts: readonly ParkedPut[], bounds: ParkingBounds) {
    return this.#database.write(() => this.#append(at, puts, bounds));
  }

  *#append(
    at: ShardWriter,
    puts: readonly ParkedPut[],
    bounds: ParkingBounds,
  ): ParkingWork<readonly PutAnswer[] | "fenced"> {
    const shelf = yield* this.#heldBy(at);
    if (shelf === undefined) return "fenced";
    const ids = puts.map(({ key }) => parkedKeyId(key));
    const rows = yield { sql: this.#sql.getKeys, values: [at.mapping, JSON.stringify(ids)] };
    const standing = new Map(rows.map(readParkedKey).map((key) => [key.key, key]));
    const kept: PlacedPut[] = [];
    const answers = puts.map((put): PutAnswer => {
      const key = standing.get(put.key);
      if (key === undefined) return { kind: "notParked" };
      // plant: records-are-put-behind-a-tail-that-nobody-saw
      if (key.tailVersion !== put.tailVersion) return { kind: "stale", key };
      const behind = placed(shelf, key, keyWith(key, put), put.entries, bounds);
      if (behind === undefined) return { kind: "full" };
      kept.push(behind);
      return { kind: "parked", key: behind.is };
    });
    yield* this.#keepPuts(shelf, kept);
    return answers;
  }

  /** Entries of all keys at once: each question to a server is a round of its own. */
  *#keepPuts(shelf: Shelf, puts: readonly PlacedPut[]): ParkingWork<void> {
    const entries = puts.flatMap(({ is, entries }) => entries.map((entry) => ({ ...entry, id: is.id })));
    for (const statement of this.#database.insertEntries(shelf.mapping, entries)) yield statement;
    for (const { was, is } of puts) yield* this.#keepKey(shelf.mapping, was, is);
    yield* this.#keepTotals(shelf);
  }

  // What its drainer takes away.

  drain(drainer: Drainer) {
    return this.#database.write(() => this.#drain(drainer));
  }

  *#drain(drainer: Drainer): ParkingWork<"open" | "fenced"> {
    yield { sql: this.#sql.open, values: [drainer.mapping, drainer.epoch] };
    return (yield* this.#isNewest(drainer)) ? "open" : "fenced";
  }

  head(mapping: string, id: string, entriesMax: number, bytesMax: number) {
    return this.#database.read(() => this.#head(mapping, id, entriesMax, bytesMax));
  }

  *#head(
    mapping: string,
    id: string,
    entriesMax: number,
    bytesMax: number,
  ): ParkingWork<readonly PlacedEntry[]> {
    let last: number | undefined;
    let bytes = 0;
    for (const row of yield { sql: this.#sql.sizes, values: [mapping, id, entriesMax] }) {
      bytes += Number(row["bytes"]);
      if (last !== undefined && bytes > bytesMax) break;
      last = Number(row["seq"]);
    }
    if (last === undefined) return [];
    return (yield { sql: this.#sql.read, values: [mapping, id, last] }).map(readPlacedEntry);
  }

  advance(drainer: Drainer, id: string, through: number) {
    return this.#database.write(() => this.#advance(drainer, id, through));
  }

  *#advance(drainer: Drainer, id: string, through: number): ParkingWork<"open" | "closed" | "fenced"> {
    const { mapping } = drainer;
    const shelf = yield* this.#lock(mapping);
    if (!(yield* this.#isNewest(drainer))) return "fenced";
    const key = yield* this.#key(mapping, id);
    if (shelf === undefined || key === undefined) return "closed";
    const removed = yield { sql: this.#sql.removeRecords, values: [mapping, id, through] };
    const sizes = removed.map(({ bytes }) => ({ bytes: Number(bytes) }));
    const left = keyWithout(key, sizes, through);
    shelf.totals = totalsAfter(shelf.totals, key, left);
    yield* this.#keepKey(mapping, key, left);
    yield* this.#keepTotals(shelf);
    return left === undefined ? "closed" : "open";
  }

  // What people say of it.

  move(mapping: string, id: string, seenVersion: number, to: ParkedKeyState, cause?: ParkingCause) {
    return this.#database.write(() => this.#move(mapping, id, seenVersion, to, cause));
  }

  *#move(
    mapping: string,
    id: string,
    seenVersion: number,
    to: ParkedKeyState,
    cause: ParkingCause | undefined,
  ): ParkingWork<ParkedKey | "stale"> {
    const shelf = yield* this.#lock(mapping);
    const key = yield* this.#key(mapping, id);
    if (shelf === undefined || key?.version !== seenVersion) return "stale";
    const moved = keyMoved(key, to, cause);
    shelf.totals = totalsAfter(shelf.totals, key, moved);
    yield* this.#keepKey(mapping, key, moved);
    yield* this.#keepTotals(shelf);
    return moved;
  }

  get(mapping: string, id: string) {
    return this.#database.read(() => this.#key(mapping, id));
  }

  list(mapping: string, after: string, max: number) {
    return this.#database.read(() => this.#list(mapping, after, max));
  }

  *#list(mapping: string, after: string, max: number): ParkingWork<readonly ParkedKey[]> {
    return (yield { sql: this.#sql.listKeys, values: [mapping, after, max] }).map(readParkedKey);
  }

  totals(mapping: string) {
    return this.#database.read(() => this.#totals(mapping));
  }

  *#totals(mapping: string): ParkingWork<ParkingTotals> {
    const [row] = yield { sql: this.#sql.totals, values: [mapping] };
    return row === undefined ? NOTHING_PARKED : readTotals(row);
  }

  async remove(mapping: string) {
    await this.#database.write(() => this.#remove(mapping));
  }

  *#remove(mapping: string): ParkingWork<void> {
    yield* this.#lock(mapping);
    for (const sql of this.#sql.forget) yield { sql, values: [mapping] };
  }

  close() {
    return this.#database.close();
  }

  // Rows.

  *#lock(mapping: string): ParkingWork<Shelf | undefined> {
    const [row] = yield { sql: this.#sql.lockMapping, values: [mapping] };
    return row && { mapping, totals: readTotals(row), lastSeq: Number(row["last_seq"]) };
  }

  /** `undefined`: another owner has the shard, or a later call of this one came first. */
  *#heldBy({ mapping, shardId, fence, attempt }: ShardWriter): ParkingWork<Shelf | undefined> {
    const shelf = yield* this.#lock(mapping);
    const held = yield { sql: this.#sql.writes, values: [mapping, shardId, fence, attempt] };
    return held.length === 0 ? undefined : shelf;
  }

  *#isNewest({ mapping, epoch }: Drainer): ParkingWork<boolean> {
    return (yield { sql: this.#sql.isNewest, values: [mapping, epoch] }).length > 0;
  }

  *#key(mapping: string, id: string): ParkingWork<ParkedKey | undefined> {
    const [row] = yield { sql: this.#sql.getKey, values: [mapping, id] };
    return row && readParkedKey(row);
  }

  *#keepKey(mapping: string, was: ParkedKey | undefined, is: ParkedKey | undefined): ParkingWork<void> {
    if (is === undefined) {
      if (was !== undefined) yield { sql: this.#sql.removeKey, values: [mapping, was.id] };
      return;
    }
    const changed = changedColumns(is);
    const made: readonly ParkingValue[] = [mapping, is.id, JSON.stringify(is.key), ...changed, is.parkedMs];
    yield was === undefined
      ? { sql: this.#sql.makeKey, values: made }
      : { sql: this.#sql.changeKey, values: [mapping, is.id, ...changed] };
  }

  *#keepTotals({ mapping, totals, lastSeq }: Shelf): ParkingWork<void> {
    const { keys, records, bytes, version } = totals;
    yield { sql: this.#sql.keepTotals, values: [mapping, keys, records, bytes, version, lastSeq] };
  }
}

interface PlacedPut {
  readonly was: ParkedKey | undefined;
  readonly is: ParkedKey;
  readonly entries: readonly PlacedEntry[];
}

/** Entries of a key get their places, and count. `undefined`: there is no room for them. */
function placed(
  shelf: Shelf,
  was: ParkedKey | undefined,
  is: ParkedKey,
  entries: readonly ParkedEntry[],
  bounds: ParkingBounds,
): PlacedPut | undefined {
  const totals = totalsAfter(shelf.totals, was, is);
  if (!isWithin(totals, bounds)) return undefined;
  // plant: places-of-a-key-that-is-gone-are-given-again
  const before = shelf.lastSeq;
  shelf.totals = totals;
  shelf.lastSeq += entries.length;
  return { was, is, entries: entries.map((entry, index) => ({ ...entry, seq: before + index + 1 })) };
}
