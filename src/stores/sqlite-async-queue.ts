import { randomUUID } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import type { AttemptState, NewAsyncItem } from "../model/async-item.ts";
import type { AsyncItem, AsyncQueue, AsyncReceive, CursorMove } from "../ports/async-queue.ts";
import type { Settlement } from "../ports/queue-source.ts";
import type { LiveFile } from "../sqlite/live-file.ts";
import { changedRows, inTransaction } from "../sqlite/transaction.ts";
import { ASYNC_BODY_BYTES_MAX, bytesOf } from "./async-bounds.ts";
import { asyncItemOf, bytesIn, laneBacklogOf, listedItemOf } from "./async-rows.ts";
import { writeAttemptState } from "./attempt-state.ts";
import { GroupedWrites } from "./grouped-writes.ts";
import { openProgressFile, storeError } from "./progress-database.ts";
import type { SqliteStoreOptions } from "./sqlite.ts";

/** `now`: the host's wall clock, which all processes of the file have in common. */
export interface SqliteAsyncQueueOptions extends SqliteStoreOptions {
  readonly now?: () => number;
}

/**
 * Keeps events in the SQLite file that also keeps progress, by a connection of its own: what was accepted stands
 * nowhere else, so that each write waits for the disk. Writes that are asked for together are made in one transaction,
 * and wait for it once.
 * @throws ERR_MILLRACE_STORE_UNAVAILABLE, ERR_MILLRACE_STORE_CORRUPT as `openSqliteStore`.
 */
export async function openSqliteAsyncQueue(
  path: string,
  options: SqliteAsyncQueueOptions = {},
): Promise<AsyncQueue> {
  const file = await openProgressFile(path, prepareStatements, options.clock);
  return new SqliteAsyncQueue(path, file, options.now ?? Date.now);
}

type Statements = ReturnType<typeof prepareStatements>;

class SqliteAsyncQueue implements AsyncQueue {
  readonly description = {
    engine: "sqlite",
    isDurable: true,
    isAtomic: true,
    bodyBytesMax: ASYNC_BODY_BYTES_MAX,
  };
  readonly #path: string;
  readonly #file: LiveFile<Statements>;
  readonly #writes: GroupedWrites<Statements>;
  readonly #now: () => number;

  constructor(path: string, file: LiveFile<Statements>, now: () => number) {
    this.#path = path;
    this.#file = file;
    this.#now = now;
    this.#writes = new GroupedWrites((work) =>
      this.#guard(file.write((sql, database) => inTransaction(database, "IMMEDIATE", () => work(sql)))),
    );
  }

  put(items: readonly NewAsyncItem[], cursor?: CursorMove): Promise<"put" | "stale"> {
    return this.#writes.add((sql) => {
      if (cursor !== undefined && !move(sql, cursor)) return "stale";
      for (const item of items) insert(sql, item, this.#now());
      return "put";
    });
  }

  async has(id: string) {
    return (await this.#read((sql) => sql.has.get(id))) !== undefined;
  }

  async cursors(prefix: string) {
    const rows = await this.#read((sql) => sql.cursors.all(prefix, prefix));
    return new Map(rows.map(({ name, place }) => [String(name), String(place)]));
  }

  async receive(wanted: AsyncReceive, signal: AbortSignal): Promise<readonly AsyncItem[]> {
    // A look that finds nothing writes nothing.
    if (signal.aborted || wanted.itemsMax === 0) return [];
    const isReady = await this.#read((sql) => {
      const nowMs = this.#now();
      return wanted.lanes.some(
        ({ lane, itemsMax }) => itemsMax > 0 && sql.ready.get(lane, nowMs) !== undefined,
      );
    });
    if (!isReady || signal.aborted) return [];
    return await this.#writes.add((sql) => take(sql, wanted, this.#now()));
  }

  retry(held: AsyncItem, state: AttemptState, delayMs: number) {
    return this.#settle(held, (sql, nowMs) =>
      sql.retry(writeAttemptState(state), nowMs + delayMs, held.id, held.receipt, nowMs),
    );
  }

  finish(held: AsyncItem, next: readonly NewAsyncItem[]) {
    return this.#settle(held, (sql, nowMs) => {
      const gone = sql.remove(held.id, held.receipt, nowMs);
      if (gone.length === 0) return gone;
      sql.removeBody.run(held.id);
      // plant: sqlites-finish-forgets-the-deliveries
      for (const item of next) insert(sql, item, nowMs);
      return gone;
    });
  }

  release(held: AsyncItem, delayMs: number) {
    return this.#settle(held, (sql, nowMs) => sql.release(nowMs + delayMs, held.id, held.receipt, nowMs));
  }

  extend(held: readonly AsyncItem[], holdMs: number): Promise<readonly Settlement[]> {
    return this.#writes.add((sql) => {
      const nowMs = this.#now();
      return held.map(({ id, receipt }) => settlementOf(sql.extend(nowMs + holdMs, id, receipt, nowMs)));
    });
  }

  async backlog() {
    const nowMs = this.#now();
    return (await this.#read((sql) => sql.backlog.all())).map((row) => laneBacklogOf(row, nowMs));
  }

  async list(lane: string, max: number) {
    const nowMs = this.#now();
    return (await this.#read((sql) => sql.list.all(lane, max))).map((row) => listedItemOf(row, nowMs));
  }

  async get(id: string) {
    const nowMs = this.#now();
    return await this.#read((sql) => {
      const row = sql.get.get(id);
      return row && { ...listedItemOf(row, nowMs), body: bytesIn(sql.body.get(id)?.["body"]) };
    });
  }

  async close() {
    await this.#writes.idle();
    this.#file.close();
  }

  #settle(
    _held: AsyncItem,
    change: (sql: Statements, nowMs: number) => readonly unknown[],
  ): Promise<Settlement> {
    return this.#writes.add((sql) => settlementOf(change(sql, this.#now())));
  }

  #read<T>(work: (sql: Statements) => T): Promise<T> {
    return this.#guard(this.#file.read(work));
  }

  async #guard<T>(result: Promise<T>): Promise<T> {
    try {
      return await result;
    } catch (error) {
      throw storeError(this.#path, error);
    }
  }
}

function settlementOf(changed: readonly unknown[]): Settlement {
  return changed.length === 0 ? "lost" : "settled";
}

function move(sql: Statements, { name, from, to }: CursorMove): boolean {
  // plant: a-tick-of-sqlite-is-put-wherever-its-cursor-stands
  if (String(sql.cursor.get(name)?.["place"] ?? "") !== from) return false;
  if (to === "") sql.forgetCursor.run(name);
  else sql.moveCursor.run(name, to);
  return true;
}

function insert(sql: Statements, item: NewAsyncItem, nowMs: number): void {
  const { id, kind, lane, qualifier, body, state, visibleInMs } = item;
  const values = [
    id,
    kind,
    lane,
    qualifier,
    nowMs,
    nowMs + visibleInMs,
    writeAttemptState(state),
    bytesOf(item),
  ];
  if (sql.insert(...values).length > 0) sql.insertBody.run(id, body);
}

function take(sql: Statements, wanted: AsyncReceive, nowMs: number): readonly AsyncItem[] {
  const taken: AsyncItem[] = [];
  let bytes = 0;
  for (const { lane, itemsMax, holdMs } of wanted.lanes) {
    const room = Math.min(itemsMax, wanted.itemsMax - taken.length);
    if (room <= 0) continue;
    for (const row of sql.visible.all(lane, nowMs, room)) {
      bytes += Number(row["bytes"]);
      if (taken.length > 0 && bytes > wanted.bytesMax) return taken;
      const receipt = randomUUID();
      const id = String(row["id"]);
      sql.hold.run(receipt, nowMs + holdMs, id);
      taken.push(asyncItemOf(row, sql.body.get(id)?.["body"], receipt, nowMs));
    }
  }
  return taken;
}

/** A hold lasts while nobody else can get the item: its receipt stands, and the item is hidden. */
const HELD = "WHERE id = ? AND receipt = ? AND visible_ms > ?";

const LISTED = "id, kind, lane, qualifier, put_ms, visible_ms, receipt, receive_count, state, bytes";

function prepareStatements(database: DatabaseSync) {
  database.exec("PRAGMA synchronous = FULL");
  return {
    insert: changedRows(
      database,
      "INSERT INTO async_item (id, kind, lane, qualifier, put_ms, visible_ms, receive_count, state, bytes) " +
        "VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?) ON CONFLICT (id) DO NOTHING RETURNING id",
    ),
    insertBody: database.prepare("INSERT INTO async_body (id, body) VALUES (?, ?)"),
    has: database.prepare("SELECT 1 FROM async_item WHERE id = ?"),
    cursor: database.prepare("SELECT place FROM cursor WHERE name = ?"),
    cursors: database.prepare(
      "SELECT name, place FROM cursor WHERE substr(name, 1, length(?)) = ? ORDER BY name",
    ),
    moveCursor: database.prepare(
      "INSERT INTO cursor (name, place) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET place = excluded.place",
    ),
    forgetCursor: database.prepare("DELETE FROM cursor WHERE name = ?"),
    ready: database.prepare("SELECT 1 FROM async_item WHERE lane = ? AND visible_ms <= ? LIMIT 1"),
    visible: database.prepare(
      "SELECT id, kind, lane, qualifier, visible_ms, receive_count, state, bytes FROM async_item " +
        "WHERE lane = ? AND visible_ms <= ? ORDER BY visible_ms, rowid LIMIT ?",
    ),
    body: database.prepare("SELECT body FROM async_body WHERE id = ?"),
    hold: database.prepare(
      "UPDATE async_item SET receipt = ?, visible_ms = ?, receive_count = receive_count + 1 WHERE id = ?",
    ),
    retry: changedRows(
      database,
      `UPDATE async_item SET state = ?, visible_ms = ?, receipt = NULL ${HELD} RETURNING id`,
    ),
    // plant: sqlite-finishes-what-somebody-else-holds
    remove: changedRows(database, `DELETE FROM async_item ${HELD} RETURNING id`),
    removeBody: database.prepare("DELETE FROM async_body WHERE id = ?"),
    release: changedRows(
      database,
      `UPDATE async_item SET visible_ms = ?, receipt = NULL ${HELD} RETURNING id`,
    ),
    extend: changedRows(database, `UPDATE async_item SET visible_ms = ? ${HELD} RETURNING id`),
    list: database.prepare(`SELECT ${LISTED} FROM async_item WHERE lane = ? ORDER BY put_ms, rowid LIMIT ?`),
    get: database.prepare(`SELECT ${LISTED} FROM async_item WHERE id = ?`),
    backlog: database.prepare(
      "SELECT lane, count(*) AS items, sum(bytes) AS bytes, min(put_ms) AS first_ms FROM async_item GROUP BY lane",
    ),
  };
}
