import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { ParkingStore, QueuedItem } from "../ports/parking-store.ts";
import type { LiveFile } from "../sqlite/live-file.ts";
import { inTransaction } from "../sqlite/transaction.ts";
import type { ParkingDatabase, ParkingStatement, ParkingWork } from "./parking-database.ts";
import { writeKey } from "./parking-rows.ts";
import { parkingStatements } from "./parking-statements.ts";
import { openProgressFile, storeError } from "./progress-database.ts";
import { SqlParkingStore } from "./sql-parking.ts";
import type { SqliteStoreOptions } from "./sqlite.ts";

/**
 * Keeps redrives and what is parked for them in the SQLite file that also keeps progress, by a connection of its own:
 * what is parked stands nowhere else, so that each write waits for the disk.
 * @throws ERR_MILLRACE_STORE_UNAVAILABLE, ERR_MILLRACE_STORE_CORRUPT as `openSqliteStore`.
 */
export async function openSqliteParkingStore(
  path: string,
  options: SqliteStoreOptions = {},
): Promise<ParkingStore> {
  const file = await openProgressFile(path, prepare, options.clock);
  return new SqlParkingStore(new SqliteParking(path, file));
}

type Prepare = (sql: string) => StatementSync;

/** Statements are prepared when they are first used. */
function prepare(database: DatabaseSync): Prepare {
  database.exec("PRAGMA synchronous = FULL");
  const prepared = new Map<string, StatementSync>();
  return (sql) => {
    let statement = prepared.get(sql);
    if (statement === undefined) {
      statement = database.prepare(sql.replaceAll("$", "?"));
      prepared.set(sql, statement);
    }
    return statement;
  };
}

const STATEMENTS = parkingStatements({
  schema: "",
  forUpdate: "",
  forShare: "",
  isIn: (column, parameter) => `${column} IN (SELECT value FROM json_each(${parameter}))`,
});

const INSERT =
  "INSERT INTO parked_entry (kind, seq, queue, is_keyless, id, failure_id, item_id, shard_id, position, key, " +
  "arrival_ms, element, state) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) " +
  // plant: what-is-loaded-twice-waits-again-in-sqlite
  "ON CONFLICT (kind, id) DO NOTHING";

class SqliteParking implements ParkingDatabase {
  readonly statements = STATEMENTS;
  readonly #path: string;
  readonly #file: LiveFile<Prepare>;

  constructor(path: string, file: LiveFile<Prepare>) {
    this.#path = path;
    this.#file = file;
  }

  read<T>(work: () => ParkingWork<T>): Promise<T> {
    return this.#guard(
      this.#file.read((sql, database) => inTransaction(database, "DEFERRED", () => runNow(sql, work()))),
    );
  }

  write<T>(work: () => ParkingWork<T>): Promise<T> {
    return this.#guard(
      this.#file.write((sql, database) => inTransaction(database, "IMMEDIATE", () => runNow(sql, work()))),
    );
  }

  *insertItems(kind: string, items: readonly QueuedItem[], lastSeq: number): Iterable<ParkingStatement> {
    let seq = lastSeq;
    for (const item of items) {
      const { queue, isKeyless, id, failureId, itemId, shardId, position, key, arrivalMs, element } = item;
      seq += 1;
      yield {
        sql: INSERT,
        values: [
          ...[kind, seq, queue, isKeyless ? 1 : 0, id, failureId, itemId, shardId, position, writeKey(key)],
          ...[arrivalMs ?? null, element ?? null, element === undefined ? "gone" : "waiting"],
        ],
      };
    }
  }

  async close() {
    this.#file.close();
  }

  async #guard<T>(result: Promise<T>): Promise<T> {
    try {
      return await result;
    } catch (error) {
      throw storeError(this.#path, error);
    }
  }
}

/** Each statement is stepped to its end (`changedRows`); the commit is the transaction's. */
function runNow<T>(sql: Prepare, work: ParkingWork<T>): T {
  let step = work.next([]);
  while (step.done !== true) {
    const { sql: text, values } = step.value;
    step = work.next(sql(text).all(...values));
  }
  return step.value;
}
