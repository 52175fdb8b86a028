import type { DatabaseSync } from "node:sqlite";
import { MillraceError } from "../../src/model/errors.ts";
import type { StartPoint } from "../../src/model/record.ts";
import type { ShardReader, StreamSource } from "../../src/ports/stream-source.ts";
import { inTransaction } from "../../src/sqlite/transaction.ts";
import { createLocalEvents, createLocalRecordFactory } from "./event.ts";
import { findStream } from "./local-stream.ts";
import { comparePositions, formatPosition } from "./position.ts";
import { createReaderTables, ShardCursor, shardIsGone } from "./reader.ts";
import { createShardTable, type ShardRow } from "./shard-table.ts";
import type { StreamArn } from "./stream-arn.ts";
import { openStreamDatabase, streamFileError } from "./stream-database.ts";

export const KIND = "local";

/**
 * Opens a local stream for reading.
 * @throws ERR_MILLRACE_SOURCE_NOT_FOUND when the file or the stream does not exist.
 */
export function openLocalSource(path: string, arn: StreamArn, now: () => number = Date.now): StreamSource {
  const database = openStreamDatabase(path);
  try {
    return createSource(path, arn, database, now);
  } catch (error) {
    database.close();
    throw streamFileError(path, error);
  }
}

function createSource(path: string, arn: StreamArn, database: DatabaseSync, now: () => number): StreamSource {
  const stream = findStream(path, database, arn.name);
  const shards = createShardTable(database);
  const tables = createReaderTables(database, shards);
  const tip = database.prepare("SELECT last_sequence FROM stream WHERE id = ?");

  const guard = async <T>(signal: AbortSignal, read: () => T): Promise<T> => {
    throwIfAborted(signal);
    try {
      return inTransaction(database, "DEFERRED", read);
    } catch (error) {
      throw streamFileError(path, error);
    }
  };
  const findShard = (shardId: string): ShardRow => {
    const shard = shards.get(stream.id, shardId);
    if (shard === undefined) throw shardIsGone(shardId);
    return shard;
  };
  const openReader = (shardId: string, start: StartPoint): ShardReader => {
    const makeRecord = createLocalRecordFactory(arn, shardId);
    const cursor = new ShardCursor(tables, findShard(shardId), start, makeRecord, now);
    return {
      read: (recordsMax, bytesMax, signal) => guard(signal, () => cursor.read(recordsMax, bytesMax)),
      close: async () => {},
    };
  };
  return {
    description: {
      kind: KIND,
      eventSourceArn: arn.arn,
      batchInfoName: "KinesisBatchInfo",
      arrivalPrecision: "milliseconds",
      retentionMs: stream.retentionMs,
    },
    events: createLocalEvents(arn.arn),
    listShards: (signal) =>
      guard(signal, () =>
        shards
          .all(stream.id)
          .map(({ shardId, parentShardIds, closed }) => ({ shardId, parentShardIds, closed })),
      ),
    captureLatest: (shardId, signal) =>
      guard(signal, () => {
        findShard(shardId);
        // The newest sequence number of the whole stream: behind all that any shard holds, before all that comes.
        const position = formatPosition(Number(tip.get(stream.id)?.["last_sequence"]));
        return { kind: "after", position } as const;
      }),
    openReader: (shardId, start, signal) => guard(signal, () => openReader(shardId, start)),
    comparePositions,
    async close() {
      if (database.isOpen) database.close();
    },
  };
}

function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) {
    throw new MillraceError("ERR_MILLRACE_ABORTED", "The caller stopped reading from a local stream.");
  }
}
