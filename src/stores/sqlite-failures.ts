import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import {
  FAILURE_ROWS_MAX,
  type FailureIndex,
  type FailureMark,
  type FailureQuery,
  type FailureRow,
} from "../ports/failure-index.ts";
import type { LiveFile } from "../sqlite/live-file.ts";
import { changedRows, inTransaction } from "../sqlite/transaction.ts";
import { boundsOf, readFailure, writeFailure } from "./failure-document.ts";
import { openProgressFile, storeError } from "./progress-database.ts";
import type { SqliteStoreOptions } from "./sqlite.ts";

/**
 * Keeps rows of failures in the SQLite file that also keeps progress. What becomes of it when that file is removed: see
 * `openSqliteStore`.
 * @throws ERR_MILLRACE_STORE_UNAVAILABLE, ERR_MILLRACE_STORE_CORRUPT as `openSqliteStore`.
 */
export async function openSqliteFailureIndex(
  path: string,
  options: SqliteStoreOptions & { readonly rowsMax?: number } = {},
): Promise<FailureIndex> {
  const file = await openProgressFile(path, prepareStatements, options.clock);
  return new SqliteFailureIndex(path, file, options.rowsMax ?? FAILURE_ROWS_MAX);
}

type Statements = ReturnType<typeof prepareStatements>;

class SqliteFailureIndex implements FailureIndex {
  readonly #path: string;
  readonly #file: LiveFile<Statements>;
  readonly #rowsMax: number;

  constructor(path: string, file: LiveFile<Statements>, rowsMax: number) {
    this.#path = path;
    this.#file = file;
    this.#rowsMax = rowsMax;
  }

  async add(rows: readonly FailureRow[]) {
    await this.#guard(
      this.#file.write((sql, database) =>
        inTransaction(database, "IMMEDIATE", () => {
          for (const row of rows) {
            const { id, mapping, atMs, state, redriveId } = row;
            sql.insert.run(id, mapping, Math.floor(atMs), state, redriveId ?? null, writeFailure(row));
          }
          sql.trim.run(this.#rowsMax);
        }),
      ),
    );
  }

  async list(query: FailureQuery) {
    const { since, until, afterMs, afterId } = boundsOf(query);
    const from = Math.max(since, afterMs);
    const [mapping, redriveId] = [query.mapping ?? null, query.redriveId ?? null];
    const rows = await this.#guard(
      this.#file.read((sql) =>
        mapping === null
          ? sql.list.all(from, until, afterMs, afterMs, afterId, redriveId, redriveId, query.max)
          : sql.listOf.all(mapping, from, until, afterMs, afterMs, afterId, redriveId, redriveId, query.max),
      ),
    );
    return rows.map((row) => this.#read(row));
  }

  async get(id: string) {
    const row = await this.#guard(this.#file.read((sql) => sql.get.get(id)));
    return row === undefined ? undefined : this.#read(row);
  }

  async mark(ids: readonly string[], { from, ofRedrive, state, redriveId }: FailureMark) {
    const rows = await this.#guard(
      this.#file.write((sql) =>
        sql.mark(
          state,
          redriveId ?? null,
          JSON.stringify(ids),
          JSON.stringify(from),
          ofRedrive ?? null,
          ofRedrive ?? null,
        ),
      ),
    );
    return rows.map(({ id }) => String(id));
  }

  async close() {
    this.#file.close();
  }

  #read(row: Record<string, SQLOutputValue>): FailureRow {
    const { id, mapping, at_ms: atMs, state, redrive_id: redriveId, document } = row;
    return readFailure({ id, mapping, atMs, state, redriveId, document }, this.#path);
  }

  async #guard<Result>(result: Promise<Result>): Promise<Result> {
    try {
      return await result;
    } catch (error) {
      throw storeError(this.#path, error);
    }
  }
}

const COLUMNS = "id, mapping, at_ms, state, redrive_id, document";
const BOUNDS = "at_ms >= ? AND at_ms < ? AND (at_ms > ? OR (at_ms = ? AND id > ?))";
const REST = "AND (? IS NULL OR redrive_id = ?) ORDER BY at_ms, id LIMIT ?";

function prepareStatements(database: DatabaseSync) {
  return {
    insert: database.prepare(
      `INSERT INTO failure (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    ),
    // plant: rows-of-failures-in-sqlite-are-without-bound
    trim: database.prepare(
      "DELETE FROM failure WHERE id IN (SELECT id FROM failure ORDER BY at_ms, id " +
        "LIMIT max(0, (SELECT count(*) FROM failure) - ?))",
    ),
    list: database.prepare(`SELECT ${COLUMNS} FROM failure WHERE ${BOUNDS} ${REST}`),
    listOf: database.prepare(`SELECT ${COLUMNS} FROM failure WHERE mapping = ? AND ${BOUNDS} ${REST}`),
    get: database.prepare(`SELECT ${COLUMNS} FROM failure WHERE id = ?`),
    // plant: a-failure-of-sqlite-is-marked-whatever-its-state
    mark: changedRows(
      database,
      "UPDATE failure SET state = ?, redrive_id = ? WHERE id IN (SELECT value FROM json_each(?)) " +
        "AND state IN (SELECT value FROM json_each(?)) AND (? IS NULL OR redrive_id = ?) RETURNING id",
    ),
  };
}
