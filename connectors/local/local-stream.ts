import type { DatabaseSync } from "node:sqlite";
import { MillraceError } from "../../src/model/errors.ts";
import type { Position } from "../../src/model/record.ts";
import { inTransaction } from "../../src/sqlite/transaction.ts";
import { type ArrivalSearch, createArrivalSearch } from "./arrival-search.ts";
import { type HashKey, hashKeyOf, joinRanges, parseHashKey, splitRange, toDecimal } from "./hash-key.ts";
import { formatPosition } from "./position.ts";
import { createShardTable, insertShard, type ShardRow, type ShardTable } from "./shard-table.ts";
import { type FilePlace, streamFileError } from "./stream-database.ts";

/** One stream of a file, to append to and to reshard. Functions see its records as Kinesis records. */
export interface LocalStream {
  readonly name: string;
  readonly retentionMs: number | undefined;
  readonly createdMs: number | undefined;
  /**
   * Appends all records or none, in their order, and gives their places. When it returns, they are on the disk.
   * Records that retention has ended are trimmed along the way.
   * @throws ERR_MILLRACE_CONFIG when a record is not valid.
   */
  append(records: readonly AppendedRecord[]): readonly RecordPlace[];
  /** Closes a shard and opens two, the second from `startingHashKey` (decimal) or the middle on. */
  splitShard(shardId: string, startingHashKey?: string): readonly string[];
  /** Closes two shards with adjacent hash ranges and opens one. */
  mergeShards(shardId: string, adjacentShardId: string): string;
  listShards(): readonly LocalShard[];
  /**
   * Takes away what arrived before `before` (epoch milliseconds), or what retention has ended, and the closed shards
   * that are empty by it. Returns the number of records.
   */
  trim(before?: number): number;
  /** Idempotent; closes the file. */
  close(): void;
}

export interface AppendedRecord {
  /** 1…256 characters. Records of one key stay in order. */
  readonly partitionKey: string;
  /** At most 10 MiB; text becomes UTF-8. */
  readonly data: string | Uint8Array;
  /** A decimal number below 2^128 that chooses the shard instead of the key's MD5. */
  readonly explicitHashKey?: string;
}

export interface RecordPlace {
  readonly shardId: string;
  readonly position: Position;
}

export interface LocalShard {
  readonly shardId: string;
  readonly parentShardIds: readonly string[];
  readonly closed: boolean;
  /** Decimal, both included. */
  readonly hashKeyRange: { readonly startingHashKey: string; readonly endingHashKey: string };
}

const KEY_CHARS_MAX = 256;
const DATA_BYTES_MAX = 10 * 1024 * 1024;
/** A trim holds the file's write lock no longer than it takes to delete so many records of a shard. */
const TRIM_RECORDS_MAX = 10_000;

export function openStreamTable(
  place: FilePlace,
  database: DatabaseSync,
  name: string,
  now: () => number,
): LocalStream {
  return new StreamTable(place, database, name, now);
}

class StreamTable implements LocalStream {
  readonly name: string;
  readonly retentionMs: number | undefined;
  readonly createdMs: number | undefined;
  readonly #path: string;
  readonly #place: FilePlace;
  readonly #database: DatabaseSync;
  readonly #now: () => number;
  readonly #streamId: number;
  readonly #shards: ShardTable;
  readonly #arrivals: ArrivalSearch;
  readonly #sql: ReturnType<typeof prepareStatements>;

  constructor(place: FilePlace, database: DatabaseSync, name: string, now: () => number) {
    const { path } = place;
    const row = findStream(path, database, name);
    this.name = name;
    this.retentionMs = row.retentionMs;
    this.createdMs = row.createdMs;
    this.#path = path;
    this.#place = place;
    this.#database = database;
    this.#now = now;
    this.#streamId = row.id;
    this.#shards = createShardTable(database);
    this.#arrivals = createArrivalSearch(database);
    this.#sql = prepareStatements(database);
  }

  append(records: readonly AppendedRecord[]): readonly RecordPlace[] {
    const keyed = records.map(checkedRecord);
    return this.#write(() => {
      const open = this.#shards.all(this.#streamId).filter((shard) => !shard.closed);
      const tip = this.#sql.tip.get(this.#streamId) as unknown as { sequence: number; arrival_ms: number };
      // The clock of the host may be set back; a stream's arrival times must not be (see the schema).
      const arrivalMs = Math.max(this.#now(), tip.arrival_ms);
      let sequence = tip.sequence;
      const places = keyed.map(({ hashKey, partitionKey, data }) => {
        const shard = shardOf(open, hashKey);
        sequence += 1;
        this.#sql.insertRecord.run(shard.id, sequence, arrivalMs, partitionKey, data);
        return { shardId: shard.shardId, position: formatPosition(sequence) };
      });
      this.#sql.setTip.run(sequence, arrivalMs, this.#streamId);
      if (this.retentionMs !== undefined) this.#trimOnce(arrivalMs - this.retentionMs);
      return places;
    });
  }

  splitShard(shardId: string, startingHashKey?: string): readonly string[] {
    const at = startingHashKey === undefined ? undefined : parseHashKey(startingHashKey);
    return this.#write(() => {
      const shard = this.#openShard(shardId);
      const ranges = splitRange(shard.range, at);
      if (ranges === undefined) {
        const { hashKeyRange } = toLocalShard(shard);
        throw invalid(
          `The shard ${shardId} cannot be split there: choose a hash key above ${hashKeyRange.startingHashKey} ` +
            `and not above ${hashKeyRange.endingHashKey}`,
        );
      }
      this.#shards.close(shard.id, this.#now());
      return ranges.map((range) => insertShard(this.#database, this.#streamId, range, [shardId]));
    });
  }

  mergeShards(shardId: string, adjacentShardId: string): string {
    return this.#write(() => {
      const shards = [this.#openShard(shardId), this.#openShard(adjacentShardId)] as const;
      const range = joinRanges(shards[0].range, shards[1].range);
      if (range === undefined) {
        throw invalid(`The shards ${shardId} and ${adjacentShardId} are not adjacent: merge neighbours only`);
      }
      for (const shard of shards) this.#shards.close(shard.id, this.#now());
      return insertShard(this.#database, this.#streamId, range, [shardId, adjacentShardId]);
    });
  }

  listShards(): readonly LocalShard[] {
    return this.#guard(() => this.#shards.all(this.#streamId).map(toLocalShard));
  }

  trim(before?: number): number {
    const cutoffMs = before ?? (this.retentionMs === undefined ? undefined : this.#now() - this.retentionMs);
    if (cutoffMs === undefined) return 0;
    let total = 0;
    // Ends: every round but the last takes records away, and what arrives meanwhile is not older than the cut-off.
    for (;;) {
      const trimmed = this.#write(() => this.#trimOnce(cutoffMs));
      if (trimmed === 0) return total;
      total += trimmed;
    }
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  #trimOnce(cutoffMs: number): number {
    let trimmed = 0;
    for (const shard of this.#shards.all(this.#streamId)) trimmed += this.#trimShard(shard, cutoffMs);
    this.#sql.dropShards.run(this.#streamId, cutoffMs);
    return trimmed;
  }

  #trimShard(shard: ShardRow, cutoffMs: number): number {
    const oldest = this.#sql.oldest.get(shard.id)?.["arrival_ms"];
    if (oldest === undefined || Number(oldest) >= cutoffMs) return 0;
    const kept = this.#arrivals.firstSince(shard.id, cutoffMs) ?? Number.MAX_SAFE_INTEGER;
    const last = this.#sql.lastToTrim.get(shard.id, kept, TRIM_RECORDS_MAX)?.["sequence"];
    const boundary = Number(last);
    this.#sql.setTrimmed.run(boundary, shard.id);
    return Number(this.#sql.deleteRecords.run(shard.id, boundary).changes);
  }

  #openShard(shardId: string): ShardRow {
    const shard = this.#shards.get(this.#streamId, shardId);
    if (shard === undefined) {
      throw new MillraceError(
        "ERR_MILLRACE_SOURCE_NOT_FOUND",
        `The stream "${this.name}" in ${this.#path} has no shard ${shardId}. List its shards for the right name.`,
      );
    }
    if (shard.closed) throw invalid(`The shard ${shardId} is closed already: reshard its children`);
    return shard;
  }

  #write<T>(work: () => T): T {
    return this.#guard(() => {
      const result = inTransaction(this.#database, "IMMEDIATE", work);
      this.#place.checkStillThere();
      return result;
    });
  }

  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw streamFileError(this.#path, error);
    }
  }
}

export interface StreamRow {
  readonly id: number;
  readonly retentionMs: number | undefined;
  readonly createdMs: number | undefined;
}

/** @throws ERR_MILLRACE_SOURCE_NOT_FOUND, with the names of the streams that there are. */
export function findStream(path: string, database: DatabaseSync, name: string): StreamRow {
  const row = database.prepare("SELECT id, retention_ms, created_ms FROM stream WHERE name = ?").get(name);
  if (row === undefined) {
    const names = database.prepare("SELECT name FROM stream ORDER BY name LIMIT 20").all();
    const known = names.length === 0 ? "none" : names.map((each) => `"${each["name"]}"`).join(", ");
    throw new MillraceError(
      "ERR_MILLRACE_SOURCE_NOT_FOUND",
      `There is no stream "${name}" in ${path} (streams there: ${known}). Create it, or correct the name at the end ` +
        "of eventSourceArn.",
    );
  }
  const optional = (value: unknown) => (value === null ? undefined : Number(value));
  return {
    id: Number(row["id"]),
    retentionMs: optional(row["retention_ms"]),
    createdMs: optional(row["created_ms"]),
  };
}

function prepareStatements(database: DatabaseSync) {
  return {
    tip: database.prepare(
      "SELECT last_sequence AS sequence, last_arrival_ms AS arrival_ms FROM stream WHERE id = ?",
    ),
    setTip: database.prepare("UPDATE stream SET last_sequence = ?, last_arrival_ms = ? WHERE id = ?"),
    insertRecord: database.prepare("INSERT INTO record VALUES (?, ?, ?, ?, ?)"),
    oldest: database.prepare("SELECT arrival_ms FROM record WHERE shard = ? ORDER BY sequence LIMIT 1"),
    lastToTrim: database.prepare(
      "SELECT max(sequence) AS sequence FROM " +
        "(SELECT sequence FROM record WHERE shard = ? AND sequence < ? ORDER BY sequence LIMIT ?)",
    ),
    setTrimmed: database.prepare("UPDATE shard SET trimmed_sequence = ? WHERE id = ?"),
    deleteRecords: database.prepare("DELETE FROM record WHERE shard = ? AND sequence <= ?"),
    dropShards: database.prepare(
      "DELETE FROM shard WHERE stream_id = ? AND closed_ms < ? " +
        "AND NOT EXISTS (SELECT 1 FROM record WHERE record.shard = shard.id)",
    ),
  };
}

/** With the hash key that places it. @throws ERR_MILLRACE_CONFIG when it is not valid. */
export function checkedRecord({ partitionKey, data, explicitHashKey }: AppendedRecord) {
  if (partitionKey.length < 1 || partitionKey.length > KEY_CHARS_MAX || !partitionKey.isWellFormed()) {
    throw invalid(`A partition key has 1 to ${KEY_CHARS_MAX} characters of well-formed Unicode`);
  }
  const bytes = typeof data === "string" ? Buffer.from(data) : data;
  if (bytes.length > DATA_BYTES_MAX) {
    throw invalid(`A record holds at most ${DATA_BYTES_MAX} bytes of data, not ${bytes.length}`);
  }
  const hashKey = explicitHashKey === undefined ? hashKeyOf(partitionKey) : parseHashKey(explicitHashKey);
  return { hashKey, partitionKey, data: bytes };
}

/** The open shards of a stream cover all hash keys, without overlap. */
function shardOf(openShards: readonly ShardRow[], hashKey: HashKey): ShardRow {
  for (const shard of openShards) {
    if (shard.range.start <= hashKey && hashKey <= shard.range.end) return shard;
  }
  throw new MillraceError("ERR_MILLRACE_INVARIANT", `No open shard owns the hash key ${hashKey}.`);
}

function toLocalShard({ shardId, parentShardIds, closed, range }: ShardRow): LocalShard {
  const hashKeyRange = { startingHashKey: toDecimal(range.start), endingHashKey: toDecimal(range.end) };
  return { shardId, parentShardIds, closed, hashKeyRange };
}

function invalid(message: string): MillraceError {
  return new MillraceError("ERR_MILLRACE_CONFIG", `${message}.`);
}
