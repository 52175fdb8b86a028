import type { DatabaseSync } from "node:sqlite";
import { MillraceError } from "../../src/model/errors.ts";
import { inTransaction } from "../../src/sqlite/transaction.ts";
import { evenRanges } from "./hash-key.ts";
import { type LocalQueue, openQueueTable } from "./local-queue.ts";
import { type LocalStream, openStreamTable } from "./local-stream.ts";
import { insertQueue, type NewQueue } from "./new-queue.ts";
import { insertShard } from "./shard-table.ts";
import {
  createStreamDatabase,
  LOCK_WAIT_MS,
  openedPlace,
  openStreamDatabase,
  streamFileError,
} from "./stream-database.ts";

/**
 * A file that holds streams and queues. Any number of processes of one host may have it open at once, to append and to
 * read. Every function throws `ERR_MILLRACE_SOURCE_UNAVAILABLE` when the file cannot be used now.
 */
export interface StreamFile {
  streamNames(): readonly string[];
  hasStream(name: string): boolean;
  /** @throws ERR_MILLRACE_CONFIG when the stream exists already or a value is out of range. */
  createStream(stream: NewStream): LocalStream;
  /** @throws ERR_MILLRACE_SOURCE_NOT_FOUND */
  openStream(name: string): LocalStream;
  queueNames(): readonly string[];
  hasQueue(name: string): boolean;
  /**
   * @throws ERR_MILLRACE_CONFIG when the queue exists already or a value is out of range, ERR_MILLRACE_SOURCE_NOT_FOUND
   *   when its dead-letter queue does not exist.
   */
  createQueue(queue: NewQueue): LocalQueue;
  /** @throws ERR_MILLRACE_SOURCE_NOT_FOUND */
  openQueue(name: string): LocalQueue;
  /** Idempotent. Streams and queues opened from this file are closed with it. */
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
  /** Epoch milliseconds: the arrival time of what is appended and sent; holds and delays end by it. */
  readonly now?: () => number;
  /** How long a call may hold its caller up while another process writes. Left out: five seconds. */
  readonly lockWaitMs?: number;
}

const SHARDS_MAX = 1_000;

/** Opens a stream file and makes it, with its folder, when it does not exist. */
export function openStreamFile(path: string, options: StreamFileOptions = {}): StreamFile {
  return useStreamFile(path, createStreamDatabase(path, options.lockWaitMs ?? LOCK_WAIT_MS), options);
}

/**
 * Opens one stream of a file that exists; closing the stream closes the file.
 * @throws ERR_MILLRACE_SOURCE_NOT_FOUND when the file or the stream does not exist.
 */
export function openLocalStream(path: string, name: string, options: StreamFileOptions = {}): LocalStream {
  const file = useStreamFile(path, openStreamDatabase(path, options.lockWaitMs ?? LOCK_WAIT_MS), options);
  try {
    return file.openStream(name);
  } catch (error) {
    file.close();
    throw error;
  }
}

/**
 * Opens one queue of a file that exists; closing the queue closes the file.
 * @throws ERR_MILLRACE_SOURCE_NOT_FOUND when the file or the queue does not exist.
 */
export function openLocalQueue(path: string, name: string, options: StreamFileOptions = {}): LocalQueue {
  const file = useStreamFile(path, openStreamDatabase(path, options.lockWaitMs ?? LOCK_WAIT_MS), options);
  try {
    return file.openQueue(name);
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Over a file that is open already; closing it closes that. */
export function useStreamFile(
  path: string,
  database: DatabaseSync,
  { now = Date.now }: StreamFileOptions,
): StreamFile {
  const place = openedPlace(path);
  const guard = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw streamFileError(path, error);
    }
  };
  const names = (table: "stream" | "queue") =>
    guard(() => database.prepare(`SELECT name FROM ${table} ORDER BY name`).all()).map((row) =>
      String(row["name"]),
    );
  const has = (table: "stream" | "queue", name: string) =>
    guard(() => database.prepare(`SELECT 1 FROM ${table} WHERE name = ?`).get(name) !== undefined);
  const openStream = (name: string) => guard(() => openStreamTable(place, database, name, now));
  const openQueue = (name: string) => guard(() => openQueueTable(place, database, name, now));
  return {
    streamNames: () => names("stream"),
    hasStream: (name) => has("stream", name),
    createStream(stream) {
      checkNewStream(stream);
      guard(() => inTransaction(database, "IMMEDIATE", () => insertStream(path, database, stream, now())));
      return openStream(stream.name);
    },
    openStream,
    queueNames: () => names("queue"),
    hasQueue: (name) => has("queue", name),
    createQueue(queue) {
      guard(() => inTransaction(database, "IMMEDIATE", () => insertQueue(path, database, queue, now())));
      return openQueue(queue.name);
    },
    openQueue,
    close() {
      if (database.isOpen) database.close();
    },
  };
}

function insertStream(
  path: string,
  database: DatabaseSync,
  { name, shards, retentionMs }: NewStream,
  createdMs: number,
): void {
  const insert = database.prepare(
    "INSERT INTO stream (name, retention_ms, created_ms) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
  );
  const { changes, lastInsertRowid } = insert.run(name, retentionMs ?? null, createdMs);
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
