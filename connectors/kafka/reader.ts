import { firstOf, type Interruption, whenAborted } from "../../src/lib/first-of.ts";
import type { ShardRead, ShardReader } from "../../src/ports/stream-source.ts";
import { abortedError, throwIfAborted } from "./fault.ts";
import type { FetchedPartition } from "./fetch-response.ts";
import { faultOfCode, nameOfCode } from "./kafkajs-errors.ts";
import { isMovedCode, isPassing, type PartitionLeaders, RECOVERY_MS, RETRY_MS } from "./leaders.ts";
import { createKafkaRecord, type KafkaPartition, type KafkaRecord } from "./record.ts";
import { RecordBatches } from "./record-batch.ts";

export interface PartitionReaderOptions {
  readonly leaders: Pick<PartitionLeaders, "ask" | "oldestOffset">;
  readonly partition: KafkaPartition;
  /** The first offset to read. */
  readonly offset: number;
  /** The offset is the oldest there was: that it is gone by the first fetch is no gap. */
  readonly isOldest: boolean;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  readonly epochMs: () => number;
}

/** A read gives way so soon, that partitions without records do not use up the engine's concurrent reads. */
const READ_WAIT_MS = 250;
/** Asked of one partition at a time; what is fetched and not read yet is held beside the engine's budget. */
const FETCH_BYTES_MAX = 1024 * 1024;
const FETCH_BYTES_LIMIT = 64 * 1024 * 1024;

/** Reads one partition from its leader, wherever that goes. Fetches only when it is asked, and has given all it has. */
export class PartitionReader implements ShardReader {
  readonly #options: PartitionReaderOptions;
  /** Where the next fetch begins. */
  #offset: number;
  #isOldest: boolean;
  #pending: Promise<FetchedPartition> | undefined;
  #batches: RecordBatches | undefined;
  /** Undone and not given yet. */
  #records: KafkaRecord[] = [];
  #given = 0;
  #fetchBytes = FETCH_BYTES_MAX;
  #lastStableOffset: number | undefined;
  #highWatermark: number | undefined;
  #newestMs: number | undefined;
  #hasGap = false;
  #failingSinceMs: number | undefined;

  constructor(options: PartitionReaderOptions) {
    this.#options = options;
    this.#offset = options.offset;
    this.#isOldest = options.isOldest;
  }

  async read(recordsMax: number, bytesMax: number, signal: AbortSignal): Promise<ShardRead> {
    throwIfAborted(signal);
    let records = this.#take(recordsMax, bytesMax);
    const startMs = this.#options.now();
    while (records.length === 0) {
      const waitMs = startMs + READ_WAIT_MS - this.#options.now();
      if (waitMs <= 0) break;
      this.#pending ??= this.#ask(bytesMax);
      const outcome = await settledWithin(this.#pending, waitMs, signal);
      if (outcome === "waiting") break;
      this.#pending = undefined;
      const isRetryLater = outcome.failed
        ? this.#fail(outcome.error)
        : await this.#accept(outcome.value, signal);
      if (isRetryLater) return this.#result([], RETRY_MS);
      records = this.#take(recordsMax, bytesMax);
      if (this.#isCaughtUp) break;
    }
    return this.#result(records, 0);
  }

  async close(): Promise<void> {
    this.#pending?.catch(() => undefined);
  }

  get #isCaughtUp(): boolean {
    return (
      this.#records.length === 0 &&
      this.#batches === undefined &&
      this.#lastStableOffset !== undefined &&
      this.#offset >= this.#lastStableOffset
    );
  }

  #ask(bytesMax: number): Promise<FetchedPartition> {
    const pending = this.#options.leaders.ask({
      partition: this.#options.partition.partition,
      offset: this.#offset,
      bytesMax: this.#fetchBytes > FETCH_BYTES_MAX ? this.#fetchBytes : Math.min(bytesMax, FETCH_BYTES_MAX),
      isIdle: this.#isCaughtUp,
    });
    // Its failure is seen by the read that waits for it, which may come later.
    pending.catch(() => undefined);
    return pending;
  }

  /** True: the partition is moving or being found again; the next read asks again. */
  async #accept(fetched: FetchedPartition, signal: AbortSignal): Promise<boolean> {
    const { partition } = this.#options;
    if (fetched.errorCode !== 0) {
      if (nameOfCode(fetched.errorCode) === "OFFSET_OUT_OF_RANGE") {
        await this.#skipGap(signal);
        return false;
      }
      const place = { action: `Fetch of ${partition.shardId}`, broker: undefined, usesTls: false };
      const fault = faultOfCode(fetched.errorCode, place);
      if (!isMovedCode(fetched.errorCode)) throw fault;
      return this.#fail(fault);
    }
    this.#failingSinceMs = undefined;
    this.#highWatermark = fetched.highWatermark;
    this.#lastStableOffset = fetched.lastStableOffset < 0 ? fetched.highWatermark : fetched.lastStableOffset;
    if (fetched.records.length === 0) return false;
    this.#batches = new RecordBatches({
      bytes: fetched.records,
      fetchOffset: this.#offset,
      aborted: fetched.aborted,
      shardId: partition.shardId,
    });
    const before = this.#offset;
    this.#undoNext();
    // Not even one batch was whole: it is asked for with more room.
    const isStuck = this.#batches === undefined && this.#offset === before && this.#records.length === 0;
    this.#fetchBytes = isStuck ? Math.min(this.#fetchBytes * 2, FETCH_BYTES_LIMIT) : FETCH_BYTES_MAX;
    return false;
  }

  /** A passing failure is waited out for a while before it shows. */
  #fail(error: unknown): boolean {
    if (!isPassing(error)) throw error;
    const nowMs = this.#options.now();
    this.#failingSinceMs ??= nowMs;
    if (nowMs - this.#failingSinceMs >= RECOVERY_MS) throw error;
    return true;
  }

  /** What is wanted was trimmed, or belonged to a topic of this name that is gone: the oldest record is next. */
  async #skipGap(signal: AbortSignal): Promise<void> {
    const { leaders, partition } = this.#options;
    this.#offset = await leaders.oldestOffset(partition.partition, signal);
    this.#hasGap ||= !this.#isOldest;
    this.#lastStableOffset = undefined;
  }

  #take(recordsMax: number, bytesMax: number): readonly KafkaRecord[] {
    const taken: KafkaRecord[] = [];
    let bytes = 0;
    while (taken.length < recordsMax) {
      const record = this.#records[this.#given];
      if (record === undefined) {
        if (!this.#undoNext(taken.length > 0)) break;
        continue;
      }
      bytes += record.bytes;
      if (bytes > bytesMax && taken.length > 0) break;
      taken.push(record);
      this.#given++;
    }
    if (this.#given >= this.#records.length) this.#undoNext(taken.length > 0);
    const last = taken.at(-1);
    if (last !== undefined) {
      this.#isOldest = false;
      this.#newestMs = last.arrivalMs;
    }
    return taken;
  }

  /**
   * Undoes the next batch of what was fetched; false: there is no more. One that cannot be read is fetched and tried again
   * by the next read, which then has nothing else to give.
   */
  #undoNext(isQuiet = false): boolean {
    this.#records = [];
    this.#given = 0;
    const batches = this.#batches;
    if (batches === undefined) return false;
    const { partition, epochMs } = this.#options;
    const readMs = epochMs();
    const records: KafkaRecord[] = [];
    let hasMore: boolean;
    try {
      hasMore = batches.next((message) => records.push(createKafkaRecord(partition, message, readMs)));
    } catch (error) {
      this.#batches = undefined;
      this.#offset = batches.nextOffset;
      if (!isQuiet) throw error;
      return false;
    }
    this.#offset = batches.nextOffset;
    this.#records = records;
    if (!hasMore) this.#batches = undefined;
    return hasMore;
  }

  #result(records: readonly KafkaRecord[], readAgainAfterMs: number): ShardRead {
    const trimmed = this.#hasGap;
    this.#hasGap = false;
    const next = this.#records[this.#given];
    const nextOffset = next === undefined ? this.#offset : Number(next.position);
    const offsetLag =
      this.#highWatermark === undefined ? {} : { offsetLag: Math.max(0, this.#highWatermark - nextOffset) };
    return { records, endOfShard: false, lagMs: this.#lagMs(), ...offsetLag, readAgainAfterMs, trimmed };
  }

  /** Kafka tells offsets, not ages: that of the newest record read, while there are newer ones. Not read is not caught up. */
  #lagMs(): number {
    if (this.#isCaughtUp && this.#failingSinceMs === undefined) return 0;
    return Math.max(1, this.#newestMs === undefined ? 1 : this.#options.epochMs() - this.#newestMs);
  }
}

type Outcome<T> =
  | { readonly failed: false; readonly value: T }
  | { readonly failed: true; readonly error: unknown };

/** One timer and one listener for a read that has to wait; the promise lives on. */
function settledWithin<T>(
  promise: Promise<T>,
  waitMs: number,
  signal: AbortSignal,
): Promise<Outcome<T> | "waiting"> {
  const outcome: Promise<Outcome<T>> = promise.then(
    (value) => ({ failed: false, value }),
    (error: unknown) => ({ failed: true, error }),
  );
  const whenTimeIsUp: Interruption<"waiting"> = ({ resolve }) => {
    const timer = setTimeout(() => resolve("waiting"), waitMs);
    return () => clearTimeout(timer);
  };
  return firstOf(outcome, whenTimeIsUp, whenAborted(signal, abortedError));
}
