import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describeError, MillraceError } from "../../src/model/errors.ts";
import {
  isStorageError,
  SQLITE_BUSY,
  SQLITE_NOTADB,
  sqliteErrorCode,
} from "../../src/sqlite/sqlite-error.ts";
import { inTransaction } from "../../src/sqlite/transaction.ts";
import { QUEUE_SCHEMA } from "./queue-schema.ts";

/** "MRls" in the file's header: tells a stream file from any other SQLite file. */
const APPLICATION_ID = 0x4d526c73;
/** 1: streams. 2: queues too. */
const SCHEMA_VERSION = 2;
/** How long a writer waits for another process's transaction; readers never wait (write-ahead log). */
const BUSY_TIMEOUT_MS = 5_000;
const OPEN_PAUSE_MS = 20;

/**
 * Sequence numbers are counted per stream, not per shard: so "behind the newest record of now" is one number for every
 * shard, also for an empty one. Arrival times never go back within a stream: so "arrived before" is always a prefix of
 * a shard, and a timestamp is found by bisection without an index.
 */
const STREAM_SCHEMA = `
  CREATE TABLE stream (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    retention_ms INTEGER,
    last_sequence INTEGER NOT NULL DEFAULT 0,
    last_arrival_ms INTEGER NOT NULL DEFAULT 0,
    shard_count INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE TABLE shard (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    stream_id INTEGER NOT NULL REFERENCES stream (id),
    shard_id TEXT NOT NULL,
    parent_shard_ids TEXT NOT NULL,
    hash_start TEXT NOT NULL,
    hash_end TEXT NOT NULL,
    closed_ms INTEGER,
    trimmed_sequence INTEGER NOT NULL DEFAULT 0,
    UNIQUE (stream_id, shard_id)
  ) STRICT;
  CREATE TABLE record (
    shard INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    arrival_ms INTEGER NOT NULL,
    partition_key TEXT NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (shard, sequence)
  ) STRICT, WITHOUT ROWID;
`;

/** Opens a stream file that exists. Several processes may have it open at once. */
export function openStreamDatabase(path: string): DatabaseSync {
  if (!existsSync(path)) {
    throw new MillraceError(
      "ERR_MILLRACE_SOURCE_NOT_FOUND",
      `There is no local stream file at ${path}. Create the stream first, or correct the path (endpoints.LOCAL_FILE).`,
    );
  }
  return open(path, false);
}

/** Opens a stream file, and makes it and its folder when it does not exist. */
export function createStreamDatabase(path: string): DatabaseSync {
  try {
    mkdirSync(dirname(path), { recursive: true });
  } catch (error) {
    throw streamFileError(path, error);
  }
  return open(path, true);
}

function open(path: string, mayCreate: boolean): DatabaseSync {
  const giveUpAt = performance.now() + BUSY_TIMEOUT_MS;
  for (;;) {
    let database: DatabaseSync | undefined;
    try {
      database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
      prepare(path, database, mayCreate);
      return database;
    } catch (error) {
      database?.close();
      if (sqliteErrorCode(error) !== SQLITE_BUSY || performance.now() >= giveUpAt)
        throw streamFileError(path, error);
      pauseThread(OPEN_PAUSE_MS);
    }
  }
}

function prepare(path: string, database: DatabaseSync, mayCreate: boolean): void {
  // A record that append has acknowledged outlives a loss of power: were it lost, its sequence number would be given
  // to another record, which a checkpoint behind it would skip.
  database.exec("PRAGMA synchronous = FULL");
  if (mayCreate) createSchema(database);
  checkFileType(path, database);
  upgradeSchema(database);
  checkVersion(path, database);
}

/** Blocks: SQLite waits in the same way, only not for another process that turns the write-ahead log on at this moment. */
function pauseThread(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function createSchema(database: DatabaseSync): void {
  // Not empty: made before, or somebody else's, which is not to be touched; `checkFileType` tells the two apart.
  if (!isEmpty(database)) return;
  database.exec("PRAGMA journal_mode = WAL");
  inTransaction(database, "IMMEDIATE", () => {
    if (!isEmpty(database)) return;
    database.exec(STREAM_SCHEMA);
    database.exec(QUEUE_SCHEMA);
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
  });
}

/**
 * Adds to a file of an older version what it lacks. Older versions of millrace that have the file open go on: what they
 * read and write stays as it is.
 */
function upgradeSchema(database: DatabaseSync): void {
  if (readPragma(database, "user_version") !== 1) return;
  inTransaction(database, "IMMEDIATE", () => {
    // Another process may have been first.
    if (readPragma(database, "user_version") !== 1) return;
    database.exec(QUEUE_SCHEMA);
    database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
  });
}

function isEmpty(database: DatabaseSync): boolean {
  return database.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get() === undefined;
}

function checkFileType(path: string, database: DatabaseSync): void {
  if (readPragma(database, "application_id") !== APPLICATION_ID) throw notAStreamFile(path, undefined);
}

function checkVersion(path: string, database: DatabaseSync): void {
  const version = readPragma(database, "user_version");
  if (version !== SCHEMA_VERSION) {
    throw new MillraceError(
      "ERR_MILLRACE_CONFIG",
      `The local stream file ${path} has format ${version}; this version of millrace reads formats up to ${SCHEMA_VERSION}. ` +
        "Use the version of millrace that wrote it, or another file.",
    );
  }
}

function readPragma(database: DatabaseSync, name: "application_id" | "user_version"): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}

/** What SQLite or the file system threw, as an error of the catalogue. Anything else is given back as it is. */
export function streamFileError(path: string, error: unknown): unknown {
  if (!isStorageError(error)) return error;
  if (sqliteErrorCode(error) === SQLITE_NOTADB) return notAStreamFile(path, error);
  return new MillraceError(
    "ERR_MILLRACE_SOURCE_UNAVAILABLE",
    `The local stream file ${path} could not be used: ${describeError(error)}. ` +
      "Check that the file and its folder can be written and that the disk is not full; busy files are tried again.",
    { cause: error },
  );
}

function notAStreamFile(path: string, cause: unknown): MillraceError {
  return new MillraceError(
    "ERR_MILLRACE_CONFIG",
    `${path} is not a local stream file of millrace. Name a file that millrace made, or one that does not exist yet.`,
    { cause },
  );
}
