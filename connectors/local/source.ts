import type { DatabaseSync } from "node:sqlite";
import { MillraceError } from "../../src/model/errors.ts";
import type { StreamSource } from "../../src/ports/stream-source.ts";
import type { LiveFile } from "../../src/sqlite/live-file.ts";
import type { WaitClock } from "../../src/sqlite/lock-wait.ts";
import { inTransaction } from "../../src/sqlite/transaction.ts";
import { createLocalEvents, createLocalRecordFactory } from "./event.ts";
import { findStream } from "./local-stream.ts";
import { comparePositions, formatPosition, parsePosition } from "./position.ts";
import { createReaderTables, type ReaderTables, ShardCursor, shardIsGone } from "./reader.ts";
import { createShardTable } from "./shard-table.ts";
import type { StreamArn } from "./stream-arn.ts";
import { logIdOf, openLiveStreamFile, streamFileError } from "./stream-database.ts";

export const KIND = "local";

export interface LocalSourceOptions {
  /** Epoch milliseconds. */
  readonly now?: () => number;
  readonly clock?: WaitClock | undefined;
}

/**
 * Opens a local stream for reading.
 * @throws ERR_MILLRACE_SOURCE_NOT_FOUND when the file or the stream does not exist.
 */
export function openLocalSource(
  path: string,
  arn: StreamArn,
  { now = Date.now, clock }: LocalSourceOptions = {},
): StreamSource {
  try {
    const file = openLiveStreamFile(path, (database) => attachStream(path, database, arn.name), clock);
    return createSource(path, arn, file, now);
  } catch (error) {
    throw streamFileError(path, error);
  }
}

/** The stream in the file that is open now. */
interface OpenStream extends ReaderTables {
  readonly id: number;
  hasRecord(shard: number, sequence: number): boolean;
}

function attachStream(path: string, database: DatabaseSync, name: string): OpenStream {
  const stream = findStream(path, database, name);
  const record = database.prepare("SELECT 1 FROM record WHERE shard = ? AND sequence = ?");
  const tip = database.prepare("SELECT last_sequence FROM stream WHERE id = ?");
  return {
    ...stream,
    ...createReaderTables(database, createShardTable(database)),
    hasRecord: (shard, sequence) => record.get(shard, sequence) !== undefined,
    logId: logIdOf(database, stream.id),
    tip: () => Number(tip.get(stream.id)?.["last_sequence"]),
    findShard: (shards, shardId) => shards.get(stream.id, shardId),
  };
}

function createSource(
  path: string,
  arn: StreamArn,
  file: LiveFile<OpenStream>,
  now: () => number,
): StreamSource {
  const guard = async <T>(signal: AbortSignal, read: (stream: OpenStream) => T): Promise<T> => {
    throwIfAborted(signal);
    try {
      return await file.read(
        (stream, database) => inTransaction(database, "DEFERRED", () => read(stream)),
        signal,
      );
    } catch (error) {
      throwIfAborted(signal);
      throw streamFileError(path, error);
    }
  };
  return {
    description: {
      kind: KIND,
      eventSourceArn: arn.arn,
      batchInfoName: "KinesisBatchInfo",
      arrivalPrecision: "milliseconds",
    },
    events: createLocalEvents(arn.arn),
    listShards: (signal) =>
      guard(signal, ({ id, shards }) =>
        shards.all(id).map(({ shardId, parentShardIds, closed }) => ({ shardId, parentShardIds, closed })),
      ),
    captureLatest: (shardId, signal) =>
      guard(signal, ({ id, shards, tip }) => {
        if (shards.get(id, shardId) === undefined) throw shardIsGone(shardId);
        // The newest sequence number of the whole stream: behind all that any shard holds, before all that comes.
        return { kind: "after", position: formatPosition(tip()) } as const;
      }),
    openReader: (shardId, start, signal, knownLogId) =>
      guard(signal, (stream) => {
        const makeRecord = createLocalRecordFactory(arn, shardId);
        const cursor = new ShardCursor(stream, { shardId, start, knownLogId, makeRecord, now });
        return {
          read: (recordsMax: number, bytesMax: number, abort: AbortSignal) =>
            guard(abort, (current) => cursor.read(current, recordsMax, bytesMax)),
          close: async () => {},
        };
      }),
    knowsShard: (shardId, signal) => guard(signal, ({ id, shards }) => shards.get(id, shardId) !== undefined),
    stillServes: (shardId, position, signal, logId) =>
      guard(signal, (stream) => {
        if (logId !== undefined && logId !== stream.logId) return false;
        const shard = stream.shards.get(stream.id, shardId);
        return shard !== undefined && stream.hasRecord(shard.id, parsePosition(position));
      }),
    comparePositions,
    async close() {
      file.close();
    },
  };
}

function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) {
    throw new MillraceError("ERR_MILLRACE_ABORTED", "The caller stopped reading from a local stream.");
  }
}
