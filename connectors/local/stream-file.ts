import type { DatabaseSync } from "node:sqlite";
import { MillraceError } from "../../src/model/errors.ts";
import { evenRanges } from "./hash-key.ts";
import { type LocalStream, openStreamTable } from "./local-stream.ts";
import { insertShard } from "./shard-table.ts";
import {
  createStreamDatabase,
  inTransaction,
  openStreamDatabase,
  streamFileError,
} from "./stream-database.ts";

/**
 * A file that holds streams. Any number of processes of one host may have it open at once, to append and to read.
 * Every function throws `ERR_MILLRACE_SOURCE_UNAVAILABLE` when the file cannot be used now.
 */
export interface StreamFile {
  streamNames(): readonly string[];
  hasStream(name: string): boolean;
  /** @throws ERR_MILLRACE_CONFIG when the stream exists already or a value is out of range. */
  createStream(stream: NewStream): LocalStream;
  /** @throws ERR_MILLRACE_SOURCE_NOT_FOUND */
  openStream(name: string): LocalStream;
  /** Idempotent. Streams opened from this file are closed with it. */
  close(): void;
}

export interface NewStream {
  /** 1…128 letters, digits, `_`, `.` and `-`, as in Kinesis. */
  readonly name: string;
  /** 1…1,000 shards to begin with. */
  readonly shards: number;
  /** How long a record is kept; left out: for ever. */
  readonly retentionMs?: number;
}

export interface StreamFileOptions {
  /** Epoch milliseconds: the arrival time of what is appended. */
  readonly now?: () => number;
}

const SHARDS_MAX = 1_000;

/** Opens a stream file and makes it, with its folder, when it does not exist. */
export function openStreamFile(path: string, options: StreamFileOptions = {}): StreamFile {
  return useStreamFile(path, createStreamDatabase(path), options.now ?? Date.now);
}

/**
 * Opens one stream of a file that exists; closing the stream closes the file.
 * @throws ERR_MILLRACE_SOURCE_NOT_FOUND when the file or the stream does not exist.
 */
export function openLocalStream(path: string, name: string, options: StreamFileOptions = {}): LocalStream {
  const file = useStreamFile(path, openStreamDatabase(path), options.now ?? Date.now);
  try {
    return file.openStream(name);
  } catch (error) {
    file.close();
    throw error;
  }
}

function useStreamFile(path: string, database: DatabaseSync, now: () => number): StreamFile {
  const guard = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw streamFileError(path, error);
    }
  };
  const names = () => database.prepare("SELECT name FROM stream ORDER BY name").all();
  const openStream = (name: string) => guard(() => openStreamTable(path, database, name, now));
  const hasStream = (name: string) =>
    guard(() => database.prepare("SELECT 1 FROM stream WHERE name = ?").get(name) !== undefined);
  return {
    streamNames: () => guard(() => names().map((row) => String(row["name"]))),
    hasStream,
    createStream(stream) {
      checkNewStream(stream);
      guard(() => inTransaction(database, "IMMEDIATE", () => insertStream(path, database, stream)));
      return openStream(stream.name);
    },
    openStream,
    close() {
      if (database.isOpen) database.close();
    },
  };
}

function insertStream(path: string, database: DatabaseSync, { name, shards, retentionMs }: NewStream): void {
  const insert = database.prepare(
    "INSERT INTO stream (name, retention_ms) VALUES (?, ?) ON CONFLICT DO NOTHING",
  );
  const { changes, lastInsertRowid } = insert.run(name, retentionMs ?? null);
  if (changes === 0) {
    throw new MillraceError(
      "ERR_MILLRACE_CONFIG",
      `The stream "${name}" exists already in ${path}. Open it, or choose another name.`,
    );
  }
  const streamId = Number(lastInsertRowid);
  for (const range of evenRanges(shards)) insertShard(database, streamId, range, []);
}

function checkNewStream({ name, shards, retentionMs }: NewStream): void {
  if (!/^[a-zA-Z0-9_.-]{1,128}$/.test(name)) {
    throw invalid(
      `"${name.slice(0, 200)}" is not a stream name: use 1 to 128 letters, digits, "_", "." and "-"`,
    );
  }
  if (!Number.isInteger(shards) || shards < 1 || shards > SHARDS_MAX) {
    throw invalid(`A stream has 1 to ${SHARDS_MAX} shards, not ${shards}`);
  }
  if (retentionMs !== undefined && !(Number.isSafeInteger(retentionMs) && retentionMs > 0)) {
    throw invalid(
      `retentionMs must be a whole number above 0, not ${retentionMs}; leave it out to keep for ever`,
    );
  }
}

function invalid(message: string): MillraceError {
  return new MillraceError("ERR_MILLRACE_CONFIG", `${message}.`);
}
