import type { DatabaseSync } from "node:sqlite";
import { describeError, MillraceError } from "../model/errors.ts";
import { createPrivateFile, makePrivate, openDatabase } from "../sqlite/database-file.ts";
import { LiveFile } from "../sqlite/live-file.ts";
import type { WaitClock } from "../sqlite/lock-wait.ts";
import { isStorageError, SQLITE_CORRUPT, SQLITE_NOTADB, sqliteErrorCode } from "../sqlite/sqlite-error.ts";
import { inTransaction } from "../sqlite/transaction.ts";
import { parkedKeyTables } from "./parked-key-statements.ts";
import { parkingTables } from "./parking-statements.ts";

/** "MRpg" in the file's header: tells a progress file from any other SQLite file. */
const APPLICATION_ID = 0x4d527067;
/** How long a call waits for a lock of another process. Short: the engine tries again. */
const LOCK_WAIT_MS = 1_000;

const SQLITE_WORDS = {
  schema: "",
  text: "TEXT",
  integer: "INTEGER",
  real: "REAL",
  bytes: "BLOB",
  end: " STRICT",
} as const;

/** The step at place n makes format n + 1 of format n. Never changed once released; a change is a new step. */
const SCHEMA_STEPS: readonly string[] = [
  `
    CREATE TABLE progress (
      mapping_uuid TEXT NOT NULL,
      shard_id TEXT NOT NULL,
      parent_shard_ids TEXT NOT NULL,
      owner TEXT,
      epoch INTEGER NOT NULL DEFAULT 0,
      counter INTEGER NOT NULL DEFAULT 0,
      handover_to TEXT,
      checkpoint_epoch INTEGER NOT NULL DEFAULT 0,
      revision INTEGER NOT NULL,
      checkpoint TEXT NOT NULL,
      PRIMARY KEY (mapping_uuid, shard_id)
    ) STRICT;
  `,
  `
    CREATE TABLE mapping (uuid TEXT PRIMARY KEY, version INTEGER NOT NULL, document TEXT NOT NULL) STRICT;
    CREATE TABLE mapping_claim (claim TEXT PRIMARY KEY, mapping_uuid TEXT NOT NULL) STRICT;
    CREATE INDEX mapping_claim_by_mapping ON mapping_claim (mapping_uuid);
    CREATE TABLE mapping_version (version INTEGER NOT NULL) STRICT;
    INSERT INTO mapping_version (version) VALUES (0);
    CREATE TABLE mapping_process (
      process_id TEXT PRIMARY KEY,
      applied_version INTEGER NOT NULL,
      beat INTEGER NOT NULL
    ) STRICT;
  `,
  // A cell that is gone keeps its revision.
  "CREATE TABLE cell (name TEXT PRIMARY KEY, revision INTEGER NOT NULL, document TEXT) STRICT",
  // A process of a format before finds its tables gone, and stops what it runs within its cut-off; until then others
  // wait for it, since its beat is taken over.
  `
    CREATE TABLE resource (
      uid TEXT PRIMARY KEY,
      kind TEXT NOT NULL,
      name TEXT NOT NULL,
      version INTEGER NOT NULL,
      document TEXT NOT NULL,
      UNIQUE (kind, name)
    ) STRICT;
    INSERT INTO resource SELECT uuid, 'mapping', uuid, version, document FROM mapping;
    CREATE TABLE resource_claim (claim TEXT PRIMARY KEY, uid TEXT NOT NULL) STRICT;
    INSERT INTO resource_claim SELECT claim, mapping_uuid FROM mapping_claim;
    CREATE INDEX resource_claim_by_uid ON resource_claim (uid);
    ALTER TABLE mapping_version RENAME TO resource_version;
    ALTER TABLE mapping_process RENAME TO process;
    DROP TABLE mapping;
    DROP TABLE mapping_claim;
  `,
  `
    CREATE TABLE failure (
      id TEXT PRIMARY KEY,
      mapping TEXT NOT NULL,
      at_ms INTEGER NOT NULL,
      state TEXT NOT NULL,
      redrive_id TEXT,
      document TEXT NOT NULL
    ) STRICT;
    CREATE INDEX failure_by_time ON failure (at_ms, id);
    CREATE INDEX failure_by_mapping ON failure (mapping, at_ms, id);
  `,
  `
    CREATE TABLE process_snapshot (process_id TEXT PRIMARY KEY, at INTEGER NOT NULL, document BLOB NOT NULL) STRICT;
    CREATE TABLE snapshot_ask (id INTEGER PRIMARY KEY CHECK (id = 1), asked_until INTEGER NOT NULL) STRICT;
  `,
  parkingTables(SQLITE_WORDS),
  // Bodies stand apart: a hold or a retry writes none of them anew.
  `
    CREATE TABLE async_item (
      id TEXT PRIMARY KEY,
      kind TEXT NOT NULL,
      lane TEXT NOT NULL,
      qualifier TEXT NOT NULL,
      put_ms INTEGER NOT NULL,
      visible_ms INTEGER NOT NULL,
      receipt TEXT,
      receive_count INTEGER NOT NULL,
      state TEXT NOT NULL,
      bytes INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX async_ready ON async_item (lane, visible_ms);
    CREATE TABLE async_body (id TEXT PRIMARY KEY, body BLOB NOT NULL) STRICT;
    CREATE TABLE cursor (name TEXT PRIMARY KEY, place TEXT NOT NULL) STRICT;
  `,
  parkedKeyTables(SQLITE_WORDS),
];
const SCHEMA_VERSION = SCHEMA_STEPS.length;

/**
 * Opens a progress file, and makes it and its folder when it does not exist.
 * @throws ERR_MILLRACE_STORE_UNAVAILABLE, ERR_MILLRACE_STORE_CORRUPT
 */
export async function openProgressFile<Tables>(
  path: string,
  attach: (database: DatabaseSync) => Tables,
  clock: WaitClock | undefined,
): Promise<LiveFile<Tables>> {
  const open = () => {
    createPrivateFile(path);
    const database = openDatabase(path, 0, (fresh) => prepare(path, fresh));
    // Only of what is known to be a store: somebody else's file stays as it is.
    makePrivate(path);
    return database;
  };
  try {
    return await LiveFile.open({
      path,
      open,
      attach,
      clock,
      lockWaitMs: LOCK_WAIT_MS,
      missing: () => fileIsGone(path),
    });
  } catch (error) {
    throw storeError(path, error);
  }
}

function prepare(path: string, database: DatabaseSync): void {
  createSchema(database);
  checkIdentity(path, database);
  migrate(database);
  // With a write-ahead log NORMAL survives the death of the process. A loss of power may take the last checkpoints
  // with it, which repeats records and loses none.
  database.exec("PRAGMA synchronous = NORMAL");
}

function createSchema(database: DatabaseSync): void {
  // Not empty: made before, or somebody else's, which is not to be touched; `checkIdentity` tells the two apart.
  if (!isEmpty(database)) return;
  database.exec("PRAGMA journal_mode = WAL");
  inTransaction(database, "IMMEDIATE", () => {
    if (!isEmpty(database)) return;
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    takeSteps(database);
  });
}

function migrate(database: DatabaseSync): void {
  if (readPragma(database, "user_version") === SCHEMA_VERSION) return;
  inTransaction(database, "IMMEDIATE", () => takeSteps(database));
}

/** Inside of a transaction: from the format that the file has now, which another process may just have raised. */
function takeSteps(database: DatabaseSync): void {
  for (const step of SCHEMA_STEPS.slice(readPragma(database, "user_version"))) database.exec(step);
  database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
}

function isEmpty(database: DatabaseSync): boolean {
  return database.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get() === undefined;
}

function checkIdentity(path: string, database: DatabaseSync): void {
  if (readPragma(database, "application_id") !== APPLICATION_ID) throw notAStore(path, undefined);
  const version = readPragma(database, "user_version");
  if (version < 1 || version > SCHEMA_VERSION) {
    throw new MillraceError(
      "ERR_MILLRACE_STORE_CORRUPT",
      `The store ${path} has format ${version}; this version of millrace reads formats up to ${SCHEMA_VERSION}. ` +
        "Run the version of millrace that wrote it, or name another file (--store sqlite:PATH).",
    );
  }
}

function readPragma(database: DatabaseSync, name: "application_id" | "user_version"): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}

/** What SQLite or the file system threw, as an error of the catalogue. Anything else is given back as it is. */
export function storeError(path: string, error: unknown): unknown {
  if (!isStorageError(error)) return error;
  const code = sqliteErrorCode(error);
  if (code === SQLITE_NOTADB) return notAStore(path, error);
  if (code === SQLITE_CORRUPT) {
    return new MillraceError(
      "ERR_MILLRACE_STORE_CORRUPT",
      `The store ${path} is damaged: ${describeError(error)}. Stop millrace, then repair the file with SQLite's ` +
        "`.recover`, bring back a copy, or remove it to begin again at the mappings' starting positions.",
      { cause: error },
    );
  }
  return new MillraceError(
    "ERR_MILLRACE_STORE_UNAVAILABLE",
    `The store ${path} could not be used: ${describeError(error)}. Check that the file and its folder can be written ` +
      "and that the disk is not full; a store that is locked by another process is tried again.",
    { cause: error },
  );
}

function fileIsGone(path: string): MillraceError {
  return new MillraceError(
    "ERR_MILLRACE_STORE_UNAVAILABLE",
    `The store ${path} was removed while this process used it: nothing can be kept, and work stops. Bring the file back; ` +
      "or start a millrace that makes a new one, which begins again at the mappings' starting positions.",
  );
}

/** Told once for each part of the store: what it held is not what is there now. */
export function fileWasReplaced(path: string): MillraceError {
  return new MillraceError(
    "ERR_MILLRACE_STORE_UNAVAILABLE",
    `The store ${path} was removed or moved away while this process used it, and another file is in its place. This ` +
      "process gives up what it held by the former file and goes on with what the new one says.",
  );
}

function notAStore(path: string, cause: unknown): MillraceError {
  return new MillraceError(
    "ERR_MILLRACE_STORE_CORRUPT",
    `${path} is not a progress store of millrace. Name a file that millrace made, or one that does not exist yet ` +
      "(--store sqlite:PATH).",
    { cause },
  );
}
