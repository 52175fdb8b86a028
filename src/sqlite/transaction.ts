import type { DatabaseSync, SQLInputValue, SQLOutputValue } from "node:sqlite";

/**
 * Runs `work` in one transaction: all of it takes effect, or none. `IMMEDIATE` takes the write lock at its beginning.
 * Do not nest. What `work` returns is true only once this returns: a commit may fail.
 */
export function inTransaction<T>(database: DatabaseSync, mode: "DEFERRED" | "IMMEDIATE", work: () => T): T {
  database.exec(`BEGIN ${mode}`);
  try {
    const result = work();
    // plant: records-of-a-local-stream-are-accepted-though-their-commit-failed
    // plant: a-change-of-a-mapping-is-answered-though-its-commit-failed
    database.exec("COMMIT");
    return result;
  } catch (error) {
    if (database.isOpen && database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

export type ChangedRows = (...values: readonly SQLInputValue[]) => readonly Record<string, SQLOutputValue>[];

/**
 * A change that says what it changed (`RETURNING`). The only way to run one: `get()`, `run()` and a loop that is left
 * early step once and end the statement, and an error of the commit at that end (a full disk) is dropped. `all()` steps
 * to the end, where the commit is, and throws.
 */
export function changedRows(database: DatabaseSync, sql: string): ChangedRows {
  const statement = database.prepare(sql);
  // plant: early
  return (...values) => statement.all(...values);
}
