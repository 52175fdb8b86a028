import { existsSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { describeError, MillraceError } from "../../src/model/errors.ts";
import { createPrivateFile, fileAt, makePrivate, openDatabase } from "../../src/sqlite/database-file.ts";
import { LiveFile } from "../../src/sqlite/live-file.ts";
import type { WaitClock } from "../../src/sqlite/lock-wait.ts";
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
/** 1: streams. 2: queues too. 3: an identity. 4: when things were made, and deduplication by content. */
const SCHEMA_VERSION = 4;
/** How long a writer waits for another process's transaction; readers never wait (write-ahead log). */
export const LOCK_WAIT_MS = 5_000;
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

/**
 * Positions and receipts mean something in one file only: one that is made anew under the same path counts from 1
 * again. It goes with a file that is moved or copied.
 */
const IDENTITY_SCHEMA = `
  CREATE TABLE file_identity (id TEXT NOT NULL) STRICT;
  INSERT INTO file_identity VALUES (lower(hex(randomblob(16))));
`;

/** What producers ask for and be told. */
const PRODUCER_SCHEMA = `
  ALTER TABLE stream ADD COLUMN created_ms INTEGER;
  ALTER TABLE queue ADD COLUMN created_ms INTEGER;
  ALTER TABLE queue ADD COLUMN content_deduplication INTEGER NOT NULL DEFAULT 0;
`;

/**
 * Opens a stream file that exists, for the engine: a file that is locked is waited for beside the event loop, and one
 * that is removed or made anew is noticed at the next use.
 */
export function openLiveStreamFile<Tables>(
  path: string,
  attach: (database: DatabaseSync) => Tables,
  clock: WaitClock | undefined,
): LiveFile<Tables> {
  const open = () => {
    refuseMissing(path);
    const database = openDatabase(path, 0, (fresh) => prepare(path, fresh, false));
    makePrivate(path);
    return database;
  };
  return LiveFile.openNow({
    path,
    open,
    attach,
    clock,
    lockWaitMs: LOCK_WAIT_MS,
    missing: () => goneForNow(path, "was removed while it was read"),
    unreadable: (error) =>
      goneForNow(path, `was replaced by a file that cannot be read: ${describeError(error)}`),
  });
}

/** Opens a stream file that exists, for who may be held up by a lock. Several processes may have it open at once. */
export function openStreamDatabase(path: string, lockWaitMs: number): DatabaseSync {
  refuseMissing(path);
  return open(path, false, lockWaitMs);
}

/** Opens a stream file, and makes it and its folder when it does not exist. */
export function createStreamDatabase(path: string, lockWaitMs: number): DatabaseSync {
  try {
    createPrivateFile(path);
  } catch (error) {
    throw streamFileError(path, error);
  }
  return open(path, true, lockWaitMs);
}

function open(path: string, mayCreate: boolean, lockWaitMs: number): DatabaseSync {
  const giveUpAt = performance.now() + lockWaitMs;
  for (;;) {
    try {
      const database = openDatabase(path, lockWaitMs, (fresh) => prepare(path, fresh, mayCreate));
      makePrivate(path);
      return database;
    } catch (error) {
      if (sqliteErrorCode(error) !== SQLITE_BUSY || performance.now() >= giveUpAt)
        throw streamFileError(path, error);
      pauseThread(OPEN_PAUSE_MS);
    }
  }
}

function refuseMissing(path: string): void {
  if (existsSync(path)) return;
  throw new MillraceError(
    "ERR_MILLRACE_SOURCE_NOT_FOUND",
    `There is no local stream file at ${path}. Create the stream first, or correct the path (endpoints.LOCAL_FILE).`,
  );
}

/** Passing: nobody is to conclude from it that a shard or its records are gone. */
function goneForNow(path: string, what: string): MillraceError {
  return new MillraceError(
    "ERR_MILLRACE_SOURCE_UNAVAILABLE",
    `The local stream file ${path} ${what}. Bring it back, or make it anew; a millrace that reads it goes on as soon as it is there.`,
  );
}

/** Where tables are written. */
export interface FilePlace {
  readonly path: string;
  /**
   * Throws when the path leads to another file by now, or to none: nobody else would see what was written. To be asked
   * behind each write.
   */
  checkStillThere(): void;
}

/** The place of a file that was just opened. */
export function openedPlace(path: string): FilePlace {
  const file = fileAt(path);
  return {
    path,
    checkStillThere() {
      // plant: what-is-appended-to-a-removed-file-is-accepted
      if (fileAt(path) !== file) throw goneForNow(path, "was removed or replaced while it was written to");
    },
  };
}

/** Identity of the log of one stream or queue: of its file, and its row there. */
export function logIdOf(database: DatabaseSync, rowId: number): string {
  const row = database.prepare("SELECT id FROM file_identity").get();
  return `${String(row?.["id"])}:${rowId}`;
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

/**
 * Blocks: SQLite waits in the same way, only not for another process that turns the write-ahead log on at this moment.
 */
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
    database.exec(IDENTITY_SCHEMA);
    database.exec(PRODUCER_SCHEMA);
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
  });
}

/**
 * Adds to a file of an older version what it lacks. Older versions of millrace that have the file open go on: what they
 * read and write stays as it is.
 */
function upgradeSchema(database: DatabaseSync): void {
  const isOld = () => STEPS.has(readPragma(database, "user_version"));
  if (!isOld()) return;
  inTransaction(database, "IMMEDIATE", () => {
    // Another process may have been first.
    if (!isOld()) return;
    for (const [version, step] of STEPS) {
      if (readPragma(database, "user_version") <= version) database.exec(step);
    }
    database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
  });
}

/** By the format that lacks it, in order. */
const STEPS: ReadonlyMap<number, string> = new Map([
  [1, QUEUE_SCHEMA],
  [2, IDENTITY_SCHEMA],
  [3, PRODUCER_SCHEMA],
]);

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
