import { chmodSync, closeSync, mkdirSync, openSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** Progress, records and messages are for their owner only. SQLite gives its log and index the rights of the file. */
const FILE_MODE = 0o600;
const OTHERS = 0o077;
const COMPANIONS = ["-wal", "-shm"];

/** Makes the file, empty, and its folder where they do not exist. */
export function createPrivateFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  if (!createEmpty(path)) return;
  // Left by a file that was removed without them: SQLite would take the old log for that of the new file.
  for (const companion of COMPANIONS) rmSync(path + companion, { force: true });
}

/**
 * Takes the rights of others from a file and what SQLite keeps beside it. Whoever does not own a file has no say in its
 * rights, and may still use it.
 */
export function makePrivate(path: string): void {
  for (const companion of ["", ...COMPANIONS]) {
    const mode = statSync(path + companion, { throwIfNoEntry: false })?.mode ?? 0;
    if ((mode & OTHERS) === 0) continue;
    try {
      chmodSync(path + companion, mode & 0o7777 & ~OTHERS);
    } catch {}
  }
}

/** Only of a file that is new: closing one that this process has open elsewhere would drop SQLite's locks on it. */
function createEmpty(path: string): boolean {
  try {
    closeSync(openSync(path, "wx", FILE_MODE));
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

/** Opens the file that is at a path and prepares it; what fails leaves nothing open. */
export function openDatabase(
  path: string,
  busyTimeoutMs: number,
  prepare: (database: DatabaseSync) => void,
): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: busyTimeoutMs });
  try {
    prepare(database);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Which file a path leads to now; `undefined`: none. */
export function fileAt(path: string): string | undefined {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? undefined : `${stats.dev}:${stats.ino}`;
}
