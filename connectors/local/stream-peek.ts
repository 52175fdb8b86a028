import type { DatabaseSync } from "node:sqlite";
import type { KeptRecord, RecordsWanted } from "../../src/ports/embedded-sources.ts";
import { inTransaction } from "../../src/sqlite/transaction.ts";
import { findStream } from "./local-stream.ts";
import { formatPosition } from "./position.ts";
import { shardIsGone } from "./reader.ts";
import { createShardTable } from "./shard-table.ts";

/** What is shown of one record: a hundred of the largest would be a gigabyte. */
const SHOWN_BYTES_MAX = 64 * 1024;

/**
 * The oldest or newest records of a stream, or of one of its shards, in the order of their arrival.
 * @throws ERR_MILLRACE_SOURCE_NOT_FOUND
 */
export function peekRecords(
  path: string,
  database: DatabaseSync,
  name: string,
  wanted: RecordsWanted,
): readonly KeptRecord[] {
  return inTransaction(database, "DEFERRED", () => {
    const { id } = findStream(path, database, name);
    const shards = createShardTable(database)
      .all(id)
      .filter(({ shardId }) => wanted.shardId === undefined || shardId === wanted.shardId);
    if (wanted.shardId !== undefined && shards.length === 0) throw shardIsGone(wanted.shardId);
    const direction = wanted.which === "newest" ? "DESC" : "ASC";
    const ends = database.prepare(
      `SELECT sequence FROM record WHERE shard = ? ORDER BY sequence ${direction} LIMIT ?`,
    );
    const places = shards.flatMap((shard) =>
      ends.all(shard.id, wanted.recordsMax).map((row) => ({ shard, sequence: Number(row["sequence"]) })),
    );
    // Sequence numbers are the stream's: over all shards they are in the order of arrival.
    const ordered = places.toSorted((a, b) => a.sequence - b.sequence);
    const most = wanted.recordsMax;
    const chosen = wanted.which === "newest" ? ordered.slice(-most) : ordered.slice(0, most);
    const read = database.prepare(
      "SELECT arrival_ms, partition_key, length(data) AS bytes, substr(data, 1, ?) AS data FROM record " +
        "WHERE shard = ? AND sequence = ?",
    );
    return chosen.flatMap(({ shard, sequence }) => {
      const row = read.get(SHOWN_BYTES_MAX, shard.id, sequence) as unknown as RecordRow | undefined;
      if (row === undefined) return [];
      const { arrival_ms: arrivalMs, partition_key: key, bytes, data } = row;
      const sequenceNumber = formatPosition(sequence);
      return [{ shardId: shard.shardId, sequenceNumber, key, arrivalMs, data, bytes }];
    });
  });
}

/** The last sequence number that each shard of a stream has had, by the shard's id. */
export function endsOfShards(database: DatabaseSync, name: string): ReadonlyMap<string, string> {
  const rows = database
    .prepare(
      "SELECT shard_id, max(trimmed_sequence, coalesce((SELECT max(sequence) FROM record WHERE record.shard = shard.id), 0)) " +
        "AS last FROM shard JOIN stream ON stream.id = stream_id WHERE stream.name = ?",
    )
    .all(name);
  return new Map(rows.map((row) => [String(row["shard_id"]), formatPosition(Number(row["last"]))]));
}

interface RecordRow {
  readonly arrival_ms: number;
  readonly partition_key: string;
  readonly bytes: number;
  readonly data: Uint8Array;
}
