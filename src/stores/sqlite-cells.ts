import type { DatabaseSync } from "node:sqlite";
import type { CellStore } from "../ports/cell-store.ts";
import type { LiveFile } from "../sqlite/live-file.ts";
import { changedRows } from "../sqlite/transaction.ts";
import { checkCellDocument } from "./cell-bounds.ts";
import { openProgressFile, storeError } from "./progress-database.ts";
import type { SqliteStoreOptions } from "./sqlite.ts";

/**
 * Keeps cells in the SQLite file that also keeps progress. What becomes of it when that file is removed: see
 * `openSqliteStore`.
 * @throws ERR_MILLRACE_STORE_UNAVAILABLE, ERR_MILLRACE_STORE_CORRUPT as `openSqliteStore`.
 */
export async function openSqliteCellStore(
  path: string,
  options: SqliteStoreOptions = {},
): Promise<CellStore> {
  return new SqliteCellStore(path, await openProgressFile(path, prepareStatements, options.clock));
}

type Statements = ReturnType<typeof prepareStatements>;

class SqliteCellStore implements CellStore {
  readonly #path: string;
  readonly #file: LiveFile<Statements>;

  constructor(path: string, file: LiveFile<Statements>) {
    this.#path = path;
    this.#file = file;
  }

  async read(prefix: string) {
    const rows = await this.#guard(this.#file.read((sql) => sql.read.all(prefix, prefix)));
    return rows.map(({ name, revision, document }) => ({
      name: String(name),
      revision: Number(revision),
      document: String(document),
    }));
  }

  async swap(name: string, seenRevision: number, document: string | undefined) {
    checkCellDocument(name, document);
    const [written] = await this.#guard(
      this.#file.write((sql) => {
        if (seenRevision !== 0) return sql.move(document ?? null, name, seenRevision);
        return document === undefined ? [] : sql.make(name, document);
      }),
    );
    if (written === undefined) return { kind: "stale" } as const;
    return { kind: "swapped", revision: Number(written["revision"]) } as const;
  }

  async close() {
    this.#file.close();
  }

  async #guard<Result>(result: Promise<Result>): Promise<Result> {
    try {
      return await result;
    } catch (error) {
      throw storeError(this.#path, error);
    }
  }
}

function prepareStatements(database: DatabaseSync) {
  return {
    // Not LIKE, whose wildcards names may hold.
    read: database.prepare(
      "SELECT name, revision, document FROM cell " +
        "WHERE document IS NOT NULL AND substr(name, 1, length(?)) = ? ORDER BY name",
    ),
    // plant: a-cell-of-sqlite-begins-anew-after-its-removal
    make: changedRows(
      database,
      "INSERT INTO cell (name, revision, document) VALUES (?, 1, ?) ON CONFLICT (name) " +
        "DO UPDATE SET revision = revision + 1, document = excluded.document WHERE cell.document IS NULL RETURNING revision",
    ),
    // plant: a-cell-of-sqlite-is-swapped-whatever-was-seen
    move: changedRows(
      database,
      "UPDATE cell SET revision = revision + 1, document = ? " +
        "WHERE name = ? AND revision = ? AND document IS NOT NULL RETURNING revision",
    ),
  };
}
