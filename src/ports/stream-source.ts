import type { BatchInfoName } from "../model/failure-record.ts";
import type { Position, Shard, StartPoint, StreamRecord, TumblingWindow } from "../model/record.ts";
import type { TraceCarrier } from "../model/trace-context.ts";
import type { ProgressStore } from "./progress-store.ts";

/**
 * A sharded, ordered, re-readable source of one stream, whoever keeps it.
 *
 * Laws, which the contract suite `test/contract/stream-source.ts` checks of every adapter:
 * - Resuming after position p yields exactly what follows p, in the same order.
 * - An empty read is not the end of a shard; only `endOfShard` is.
 * - An expired iterator is recovered inside the adapter, from its last position.
 * - A position that the source has trimmed is continued from the oldest record, and says so (`trimmed`).
 * - An abort makes a pending call reject with `ERR_MILLRACE_ABORTED` within one second.
 * - `close` is idempotent. Failures reject with `ERR_MILLRACE_SOURCE_UNAVAILABLE`, `…_THROTTLED` or `…_NOT_FOUND`; the
 *   engine pauses and goes on.
 */
export interface StreamSource {
  readonly description: StreamDescription;
  readonly events: StreamEvents;
  /**
   * Set where the source's broker itself keeps progress and says which process reads a shard (consumer groups):
   * it then takes the place of the engine's store. Its `list` gives the shards that are this process's to read now and
   * no others. Closed by `close` of the source.
   */
  readonly progress?: ProgressStore;
  /**
   * All shards that the source still knows, closed ones too, in any order. A listing may lag or leave one out: that it
   * does ends no shard.
   */
  listShards(signal: AbortSignal): Promise<readonly Shard[]>;
  /**
   * The source's own answer about this one shard, not a look into a listing: `false` says that it had none of this name
   * or has given it up with its last record. Believed when it is said twice, some seconds apart; then what is left of
   * the shard is counted as trimmed. Rejects when the stream as a whole cannot be found. Without this member shards are
   * never given up.
   */
  knowsShard?(shardId: string, signal: AbortSignal): Promise<boolean>;
  /** A durable point just behind the newest record of now: what comes later is read, what is there is not. */
  captureLatest(shardId: string, signal: AbortSignal): Promise<StartPoint>;
  /**
   * `knownLogId`: the log that `start` belongs to, as far as the checkpoint knows. Where the shard is another log by
   * now, the first read says so (`ShardRead.anew`) and reading goes on where that log begins.
   */
  openReader(
    shardId: string,
    start: StartPoint,
    signal: AbortSignal,
    knownLogId?: string,
  ): Promise<ShardReader>;
  /**
   * Whether the source still serves the record at this position: asked of a record that is retried for long, since only
   * the source's own word ends it. An answer that cannot be had rejects, like any read. Without this member the source
   * keeps its records for ever. `logId`: the log that the position belongs to, where that is known: another log serves
   * none of it. `false` is believed when it was said twice, some seconds apart.
   */
  stillServes?(shardId: string, position: Position, signal: AbortSignal, logId?: string): Promise<boolean>;
  /** < 0 when `a` stands before `b` in their shard, 0 when they are the same, > 0 behind. */
  comparePositions(a: Position, b: Position): number;
  close(): Promise<void>;
}

export interface StreamDescription {
  /** Closed set, from the connector registry: the `source` label of metrics. */
  readonly kind: string;
  /** What events and failure records show; `undefined`: a self-managed source, which has none. */
  readonly eventSourceArn: string | undefined;
  /** Addresses of a source that has no ARN, with commas, as events and failure records show them. */
  readonly bootstrapServers?: string;
  /** What spans call the source, where its ARN does not tell, and who reads it. */
  readonly sourceName?: string;
  readonly consumerGroup?: string;
  /**
   * Reads of its shards travel together, and one that waits for records holds nothing that others need: any number of
   * them may be under way. Without this member they take turns (`concurrentReads`).
   */
  readonly sharesReads?: true;
  readonly batchInfoName: BatchInfoName;
  readonly arrivalPrecision: "milliseconds" | "seconds";
  /**
   * What becomes of a record that no event can hold. `retried` (also without this member): it fails like any other
   * (streams §3.6). `givenUp`: at once (kafka §4).
   */
  readonly oversizedRecord?: "retried" | "givenUp";
  /**
   * When a lane's batching window begins: as soon as the invocation before it has ended (also without this member), or
   * when the first record of its batch arrives (queues §1.3).
   */
  readonly batchingWindowFrom?: "lastInvocation" | "firstRecord";
}

/** Reads one shard from one place on. One `read` at a time. */
export interface ShardReader {
  /**
   * The next records in order, at most `recordsMax`. At most `bytesMax` bytes of them, but always at least one record
   * if there is one, so that a record larger than the bound does not stop the shard.
   */
  read(recordsMax: number, bytesMax: number, signal: AbortSignal): Promise<ShardRead>;
  close(): Promise<void>;
}

export interface ShardRead {
  readonly records: readonly StreamRecord[];
  /** The shard is closed and this was its last read. */
  readonly endOfShard: boolean;
  /**
   * Age of the newest record read against the tip of the shard; 0 is caught up; `undefined`: the source does not say.
   */
  readonly lagMs: number | undefined;
  /**
   * How far the tip of the shard lies behind the last of these records, in positions that count records
   * (offsets). Absent: the source does not say.
   */
  readonly offsetLag?: number;
  /** The source's quota: the next read of this shard is made no earlier than this many milliseconds from now. */
  readonly readAgainAfterMs: number;
  /**
   * Without records: the source was not asked, since its quota says to wait, or it has not answered yet. That such a
   * read does not fail proves nothing: back-off and what is told of the source stay as they were.
   */
  readonly nothingHeard?: true;
  /** Records between the wanted start and these were trimmed by the source before they could be read. */
  readonly trimmed: boolean;
  /**
   * The last position that this read has looked at, at or behind its last record: markers, aborted and expired ranges
   * move progress too. Absent: the last record.
   */
  readonly lookedTo?: Position;
  /** The source's own clock when it answered, epoch milliseconds. Absent: its answers carry no date. */
  readonly answeredMs?: number;
  /**
   * What is known of the log that these positions belong to: the source's own text, which may grow without the log
   * being another (epochs of leaders). Only `anew` says that it is. Absent: the source knows nothing.
   */
  readonly logId?: string;
  /**
   * The log is not the one that was read before, or not all of it: a read without records. What was read before it is
   * brought to its end, settled ranges are forgotten, and reading goes on with the same reader from `from`.
   */
  readonly anew?: LogAnew;
}

/**
 * `remade`: another log under the same name, which begins at `from`. `wentBack`: the same log lost its end and was
 * written on; up to `from` it is the one that was read.
 */
export interface LogAnew {
  readonly because: "remade" | "wentBack";
  readonly from: StartPoint;
  /** For people: what the source said, with its names and positions, never content of records. */
  readonly told: string;
}

/**
 * The source's Lambda event: pure functions of the records. The engine hands back only records that this source gave.
 */
export interface StreamEvents {
  /**
   * The invocation payload of records of one shard. Without a window it has exactly `envelopeBytes(shardId) + Σ
   * encodedBytes + (n − 1)` bytes for n > 0 records (one comma between two); with a window it is larger by the window's
   * members.
   */
  encode(records: readonly StreamRecord[], window: TumblingWindow | undefined): Uint8Array;
  /** The record's element of the event, byte for byte: what `encode` makes of it. */
  element(record: StreamRecord): Uint8Array;
  /**
   * The event of such elements of one shard, also of those that another process has made: `eventOf(shard, records.map(
   * element))` is `encode(records)` without a window.
   */
  eventOf(shardId: string, elements: readonly Uint8Array[]): Uint8Array;
  /** Bytes of an event of this shard beside its records: `{"Records":[]}`; some name the shard. */
  envelopeBytes(shardId: string): number;
  /** What filter patterns see of a record. */
  filterDocument(record: StreamRecord): FilterDocument;
  /** Member of the filter document that holds the record's own data (`data`). */
  readonly filterDataKey: string;
  /**
   * What functions call a record in a partial response, and failure records in their spans. Several records may share
   * one; the first of them is then meant. Without this member it is the record's position.
   */
  itemIdentifier?(record: StreamRecord): string;
  /**
   * The item identifier that an `itemIdentifier` of a partial response stands for, in a batch of this shard;
   * `undefined` when it names no record of the shard. Its argument is untrusted JSON, with integers beyond 2⁵³ as
   * `bigint`. Without this member only a string is one.
   */
  readItemIdentifier?(value: unknown, shardId: string): string | undefined;
  /** Trace headers that came with the record. Only asked when the engine traces. Without it records carry none. */
  traceCarrier?(record: StreamRecord): TraceCarrier | undefined;
  /**
   * What comes again after a partial response. `fromFirst` (also without this member): the first record listed and all
   * behind it (streams §5.4). `listed`: the records listed and those of their keys behind them (kafka §4, decision
   * 0017).
   */
  readonly partialRetry?: "fromFirst" | "listed";
}

export interface FilterDocument {
  /** A JSON value, as `JSON.parse` gives it. Never changed by the reader of it. */
  readonly document: unknown;
  /** The record's data is a JSON object. If not, a pattern on the data key does not match (streams §8.1). */
  readonly isDataJson: boolean;
  /**
   * Another rule in its place: by member of the document, the form that its data has. What a pattern asks of data in
   * another form is left aside, and the rest of the pattern decides (filters §3).
   */
  readonly dataForms?: Readonly<Record<string, DataForm>>;
}

/** `absent`: a tombstone's value or a missing key; patterns of either form see the null that it is. */
export type DataForm = "json" | "text" | "binary" | "absent";
