import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { LiveFile } from "../sqlite/live-file.ts";
import { inTransaction } from "../sqlite/transaction.ts";
import type { ParkingTransactions, ParkingWork } from "./parking-database.ts";
import { openProgressFile, storeError } from "./progress-database.ts";
import type { SqliteStoreOptions } from "./sqlite.ts";

type Prepare = (sql: string) => StatementSync;

/**
 * Transactions of what is parked in the SQLite file that also keeps progress, by a connection of their own: what is
 * parked stands nowhere else, so that each write waits for the disk.
 */
export class SqliteTransactions implements ParkingTransactions {
  readonly #path: string;
  readonly #file: LiveFile<Prepare>;

  private constructor(path: string, file: LiveFile<Prepare>) {
    this.#path = path;
    this.#file = file;
  }

  /** @throws ERR_MILLRACE_STORE_UNAVAILABLE, ERR_MILLRACE_STORE_CORRUPT as `openSqliteStore`. */
  static async open(path: string, { clock }: SqliteStoreOptions): Promise<SqliteTransactions> {
    return new SqliteTransactions(path, await openProgressFile(path, prepare, clock));
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

/** Each statement is stepped to its end (`changedRows`); the commit is the transaction's. */
function runNow<T>(sql: Prepare, work: ParkingWork<T>): T {
  let step = work.next([]);
  while (step.done !== true) {
    const { sql: text, values } = step.value;
    step = work.next(sql(text).all(...values));
  }
  return step.value;
}
