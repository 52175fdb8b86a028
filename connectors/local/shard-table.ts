import type { DatabaseSync } from "node:sqlite";
import type { Shard } from "../../src/model/record.ts";
import { changedRows } from "../../src/sqlite/transaction.ts";
import type { HashRange } from "./hash-key.ts";

/** A row of the table of shards. */
export interface ShardRow extends Shard {
  /** Key of the row and of the shard's records; never given twice. */
  readonly id: number;
  readonly range: HashRange;
  /** Highest sequence number that retention has taken away; 0: none. */
  readonly trimmedSequence: number;
}

const COLUMNS =
  "id, shard_id, parent_shard_ids, hash_start, hash_end, closed_ms IS NOT NULL AS is_closed, trimmed_sequence";

export interface ShardTable {
  all(streamId: number): readonly ShardRow[];
  get(streamId: number, shardId: string): ShardRow | undefined;
  /** By the row's key: the fast way for a reader that knows its shard. */
  getById(id: number): ShardRow | undefined;
  close(id: number, epochMs: number): void;
}

export function createShardTable(database: DatabaseSync): ShardTable {
  const all = database.prepare(`SELECT ${COLUMNS} FROM shard WHERE stream_id = ? ORDER BY id`);
  const one = database.prepare(`SELECT ${COLUMNS} FROM shard WHERE stream_id = ? AND shard_id = ?`);
  const byId = database.prepare(`SELECT ${COLUMNS} FROM shard WHERE id = ?`);
  const close = database.prepare("UPDATE shard SET closed_ms = ? WHERE id = ?");
  const read = (row: unknown) => (row === undefined ? undefined : readRow(row as Row));
  return {
    all: (streamId) => all.all(streamId).map((row) => readRow(row as unknown as Row)),
    get: (streamId, shardId) => read(one.get(streamId, shardId)),
    getById: (id) => read(byId.get(id)),
    close: (id, epochMs) => void close.run(epochMs, id),
  };
}

/** Shards of a stream are numbered in the order of their creation, as in Kinesis. Returns the new shard's id. */
export function insertShard(
  database: DatabaseSync,
  streamId: number,
  range: HashRange,
  parentShardIds: readonly string[],
): string {
  const count = changedRows(
    database,
    "UPDATE stream SET shard_count = shard_count + 1 WHERE id = ? RETURNING shard_count - 1 AS number",
  );
  const shardId = `shardId-${String(count(streamId)[0]?.["number"]).padStart(12, "0")}`;
  database
    .prepare(
      "INSERT INTO shard (stream_id, shard_id, parent_shard_ids, hash_start, hash_end) VALUES (?, ?, ?, ?, ?)",
    )
    .run(streamId, shardId, JSON.stringify(parentShardIds), range.start, range.end);
  return shardId;
}

interface Row {
  readonly id: number;
  readonly shard_id: string;
  readonly parent_shard_ids: string;
  readonly hash_start: string;
  readonly hash_end: string;
  readonly is_closed: number;
  readonly trimmed_sequence: number;
}

function readRow(row: Row): ShardRow {
  return {
    id: row.id,
    shardId: row.shard_id,
    parentShardIds: JSON.parse(row.parent_shard_ids),
    closed: row.is_closed === 1,
    range: { start: row.hash_start, end: row.hash_end },
    trimmedSequence: row.trimmed_sequence,
  };
}
