import type { DatabaseSync, StatementSync } from "node:sqlite";
import { MillraceError } from "../../src/model/errors.ts";
import type { KinesisRecord } from "../../src/model/kinesis-event.ts";
import type { StartPoint } from "../../src/model/record.ts";
import type { LogAnew, ShardRead } from "../../src/ports/stream-source.ts";
import { type ArrivalSearch, createArrivalSearch } from "./arrival-search.ts";
import { formatPosition, parsePosition } from "./position.ts";
import type { ShardRow, ShardTable } from "./shard-table.ts";

/** How soon a reader that has caught up may look again: an idle shard costs ten look-ups a second. */
const IDLE_READ_MS = 100;

/** One stream of the file that is open now. */
export interface ReaderTables {
  readonly shards: ShardTable;
  readonly arrivals: ArrivalSearch;
  readonly recordsAfter: StatementSync;
  readonly logId: string;
  /** The newest sequence number that the stream has given. */
  readonly tip: () => number;
  readonly findShard: (shards: ShardTable, shardId: string) => ShardRow | undefined;
}

export type MakeRecord = (position: string, key: string, data: Buffer, arrivalMs: number) => KinesisRecord;

export function createReaderTables(database: DatabaseSync, shards: ShardTable) {
  const recordsAfter = database.prepare(
    "SELECT sequence, arrival_ms, partition_key, data FROM record WHERE shard = ? AND sequence > ? " +
      "ORDER BY sequence LIMIT ?",
  );
  recordsAfter.setReturnArrays(true);
  return { shards, arrivals: createArrivalSearch(database), recordsAfter };
}

export interface CursorOptions {
  readonly shardId: string;
  readonly start: StartPoint;
  /** The log that `start` belongs to; `undefined`: not known. */
  readonly knownLogId: string | undefined;
  readonly makeRecord: MakeRecord;
  readonly now: () => number;
}

/** The place of one reader in its shard. Every call belongs inside a read transaction, for one view of the file. */
export class ShardCursor {
  readonly #shardId: string;
  readonly #makeRecord: MakeRecord;
  readonly #now: () => number;
  #tables: ReaderTables;
  #rowId: number;
  /** That the place below is one of. */
  #logId: string | undefined;
  /** Sequence number of the last record read; `undefined` as long as the beginning is not found or does not matter. */
  #after: number | undefined;
  /** Set until the first record at or behind this moment is there. */
  #sinceMs: number | undefined;

  constructor(tables: ReaderTables, { shardId, start, knownLogId, makeRecord, now }: CursorOptions) {
    this.#shardId = shardId;
    this.#makeRecord = makeRecord;
    this.#now = now;
    this.#tables = tables;
    this.#rowId = rowIdOf(tables, shardId);
    this.#logId = knownLogId;
    // plant: a-local-stream-begins-a-record-too-far
    if (start.kind === "after") this.#after = parsePosition(start.position);
    if (start.kind === "timestamp") this.#sinceMs = start.epochMs;
  }

  /** `tables`: of the file that is open now, which may have been made anew since the last read. */
  read(tables: ReaderTables, recordsMax: number, bytesMax: number): ShardRead {
    if (tables !== this.#tables) {
      this.#rowId = rowIdOf(tables, this.#shardId);
      this.#tables = tables;
    }
    const anew = this.#lookAtLog(tables);
    this.#logId = tables.logId;
    const read =
      anew === undefined
        ? this.#read(recordsMax, bytesMax)
        : { ...atTip([], false, { trimmed: false }), anew };
    return { ...read, logId: tables.logId };
  }

  /** A place in another log, or behind the end of this one, says nothing of what is there: all of it is read. */
  #lookAtLog({ logId, tip }: ReaderTables): LogAnew | undefined {
    // plant: a-local-stream-that-was-made-anew-is-read-on-from-the-old-ones-place
    const isOther = this.#logId !== undefined && this.#logId !== logId;
    const isBehindTip = this.#after !== undefined && this.#after > tip();
    if (!isOther && !isBehindTip) return undefined;
    const told = isOther
      ? `the local stream was made anew: log ${this.#logId} of ${this.#shardId} was read, and the file holds log ${logId}`
      : `${this.#shardId} was read to ${this.#after}, and the local stream ends at ${tip()}: its file was made anew or ` +
        "is an older copy";
    const from = { kind: "oldest" } as const;
    this.#after = undefined;
    this.#sinceMs = undefined;
    return { because: isOther || this.#logId === undefined ? "remade" : "wentBack", from, told };
  }

  #read(recordsMax: number, bytesMax: number): ShardRead {
    const shard = this.#tables.shards.getById(this.#rowId);
    if (shard === undefined) throw shardIsGone(this.#shardId);
    const trimmed = this.#after !== undefined && this.#after < shard.trimmedSequence;
    const answered = { trimmed, answeredMs: this.#now() };
    if (!this.#findStart()) return atTip([], shard.closed, answered);
    const { records, isCut } = this.#readRecords(
      recordsMax,
      bytesMax,
      Math.max(this.#after ?? 0, shard.trimmedSequence),
    );
    const last = records.at(-1);
    if (!isCut || last?.arrivalMs === undefined) return atTip(records, shard.closed, answered);
    const lagMs = Math.max(1, answered.answeredMs - last.arrivalMs);
    return { records, endOfShard: false, lagMs, readAgainAfterMs: 0, ...answered };
  }

  /** Turns a moment into a place, once there is a record that arrived then or later. */
  #findStart(): boolean {
    if (this.#sinceMs === undefined) return true;
    const first = this.#tables.arrivals.firstSince(this.#rowId, this.#sinceMs);
    if (first === undefined) return false;
    this.#after = first - 1;
    this.#sinceMs = undefined;
    return true;
  }

  #readRecords(recordsMax: number, bytesMax: number, after: number): Page {
    const records: KinesisRecord[] = [];
    let bytes = 0;
    let last = after;
    let isCut = false;
    // One row more than wanted tells whether this is the tip.
    const rows = this.#tables.recordsAfter.iterate(this.#rowId, after, recordsMax + 1);
    for (const row of rows as Iterable<unknown> as Iterable<RecordRow>) {
      const record = this.#toRecord(row);
      bytes += record.bytes;
      isCut = records.length === recordsMax || (records.length > 0 && bytes > bytesMax);
      if (isCut) break;
      records.push(record);
      last = row[0];
    }
    // Only now: a read that fails midway is made again from where it began. And also without records, so that a gap is
    // told once.
    this.#after = last;
    return { records, isCut };
  }

  #toRecord([sequence, arrivalMs, key, data]: RecordRow): KinesisRecord {
    const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    return this.#makeRecord(formatPosition(sequence), key, bytes, arrivalMs);
  }
}

function rowIdOf({ shards, findShard }: ReaderTables, shardId: string): number {
  const shard = findShard(shards, shardId);
  if (shard === undefined) throw shardIsGone(shardId);
  return shard.id;
}

interface Page {
  readonly records: readonly KinesisRecord[];
  /** There are more records behind these. */
  readonly isCut: boolean;
}

type RecordRow = readonly [sequence: number, arrivalMs: number, key: string, data: Uint8Array];

/** The clock of a local stream is its host's, by which records arrive in it. */
function atTip(
  records: readonly KinesisRecord[],
  closed: boolean,
  answered: Pick<ShardRead, "trimmed" | "answeredMs">,
): ShardRead {
  return { records, endOfShard: closed, lagMs: 0, readAgainAfterMs: IDLE_READ_MS, ...answered };
}

export function shardIsGone(shardId: string): MillraceError {
  return new MillraceError(
    "ERR_MILLRACE_SOURCE_NOT_FOUND",
    `The local stream has no shard ${shardId}: it never had, or retention has ended all its records and the shard itself.`,
  );
}
