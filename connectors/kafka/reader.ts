import type { LogAnew, ShardRead, ShardReader } from "../../src/ports/stream-source.ts";
import { isWholeBatch } from "./batch-head.ts";
import { isFault, type KafkaFault, throwIfAborted } from "./fault.ts";
import { faultOfCode, nameOfCode } from "./kafkajs-errors.ts";
import {
  isMovedCode,
  isPassing,
  type LeaderAnswer,
  type PartitionLeaders,
  RECOVERY_MS,
  RETRY_MS,
} from "./leaders.ts";
import { hasParted, type LogIdentity } from "./log-identity.ts";
import { LogPlace } from "./log-place.ts";
import { readWaitMs } from "./read-wait.ts";
import type { KafkaPartition, KafkaRecord } from "./record.ts";
import { settledWithin } from "./settled-within.ts";
import { UndoneRecords } from "./undone-records.ts";

export interface PartitionReaderOptions {
  readonly leaders: Pick<PartitionLeaders, "ask" | "oldestOffset" | "latestOffset" | "epochEnd">;
  readonly partition: KafkaPartition;
  /** The first offset to read. */
  readonly offset: number;
  /** The offset is the oldest there was: that it is gone by the first fetch is no gap. */
  readonly isOldest: boolean;
  /** What is known of the log that the offset belongs to. */
  readonly log: LogIdentity;
  /**
   * The topic was gone since the offset was current, and nothing is known of its log: whatever is there now is another.
   */
  readonly isLost: boolean;
  /** The topic is not there, and nothing is known of the log that was read. */
  onLost(): void;
  /** It was said that the log is another. */
  onFound(): void;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  readonly epochMs: () => number;
}

/** Asked of one partition at a time; what is fetched and not read yet is held beside the engine's budget. */
const FETCH_BYTES_MAX = 1024 * 1024;
const FETCH_BYTES_LIMIT = 64 * 1024 * 1024;
const PLACE = { broker: undefined, usesTls: false } as const;

/** Reads one partition from its leader, wherever that goes. Fetches only when it is asked, and has given all it has. */
export class PartitionReader implements ShardReader {
  readonly #options: PartitionReaderOptions;
  /** Where the next fetch begins, and in which log. */
  readonly #place: LogPlace;
  #isOldest: boolean;
  #isLost: boolean;
  /** Behind the last position that a read has told of. */
  #toldOffset: number;
  /** The leader may be another: where brokers do not compare epochs with each fetch, they are asked to. */
  #isToCompare = true;
  #pending: Promise<LeaderAnswer> | undefined;
  /** What was fetched and not given yet. */
  readonly #undone: UndoneRecords;
  #fetchBytes = FETCH_BYTES_MAX;
  #lastStableOffset: number | undefined;
  #highWatermark: number | undefined;
  #newestMs: number | undefined;
  #hasGap = false;
  #failingSinceMs: number | undefined;
  /** To be said by this read, before any record. */
  #anew: LogAnew | undefined;
  readonly #closing = new AbortController();
  #emptyReads = 0;

  constructor(options: PartitionReaderOptions) {
    this.#options = options;
    const { partition, offset, log } = options;
    this.#place = new LogPlace(partition.shardId, offset, log);
    this.#toldOffset = offset;
    this.#undone = new UndoneRecords(options);
    this.#isOldest = options.isOldest;
    this.#isLost = options.isLost;
  }

  async read(recordsMax: number, bytesMax: number, signal: AbortSignal): Promise<ShardRead> {
    throwIfAborted(signal);
    if (this.#isLost) return await this.#startAnew(undefined, signal);
    // plant: a-read-that-a-silent-broker-left-without-an-answer-counts-as-answered
    let isHeard = !this.#undone.isEmpty;
    let records = await this.#take(recordsMax, bytesMax, signal);
    const startMs = this.#options.now();
    const longestMs = readWaitMs(this.#options.partition.partition, this.#emptyReads);
    while (records.length === 0) {
      const waitMs = startMs + longestMs - this.#options.now();
      if (waitMs <= 0) break;
      this.#pending ??= this.#ask(bytesMax);
      const outcome = await settledWithin(this.#pending, waitMs, signal);
      if (outcome === "waiting") break;
      this.#pending = undefined;
      const remadeAs = outcome.failed ? undefined : outcome.value.remadeAs;
      if (remadeAs !== undefined) return await this.#startAnew(remadeAs, signal);
      const next = outcome.failed ? this.#fail(outcome.error) : await this.#accept(outcome.value, signal);
      if (next === "wait") return { ...this.#result([], RETRY_MS), nothingHeard: true };
      isHeard = true;
      if (next === "ask") continue;
      if (this.#anew !== undefined) return this.#sayAnew(this.#anew);
      records = await this.#take(recordsMax, bytesMax, signal);
      if (this.#isCaughtUp) break;
    }
    this.#emptyReads = records.length === 0 ? this.#emptyReads + 1 : 0;
    return { ...this.#result(records, 0), ...(isHeard ? {} : { nothingHeard: true }) };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#undone.close();
  }

  get #isCaughtUp(): boolean {
    return (
      this.#undone.isEmpty &&
      this.#lastStableOffset !== undefined &&
      this.#place.offset >= this.#lastStableOffset
    );
  }

  #ask(bytesMax: number): Promise<LeaderAnswer> {
    const { topicId, offset, lastEpoch } = this.#place;
    const pending = this.#options.leaders.ask({
      partition: this.#options.partition.partition,
      ...{ topicId, offset, lastEpoch },
      bytesMax: this.#fetchBytes > FETCH_BYTES_MAX ? this.#fetchBytes : Math.min(bytesMax, FETCH_BYTES_MAX),
      // Whoever fails wants to know soon that it is over.
      isIdle: this.#isCaughtUp && this.#failingSinceMs === undefined,
      signal: this.#closing.signal,
    });
    // Its failure is seen by the read that waits for it, which may come later.
    pending.catch(() => undefined);
    return pending;
  }

  /** `ask`: the place has moved. `wait`: the partition is moving or being found again. */
  async #accept(fetched: LeaderAnswer, signal: AbortSignal): Promise<"taken" | "ask" | "wait"> {
    const { partition } = this.#options;
    if (fetched.errorCode !== 0) {
      const fault = faultOfCode(fetched.errorCode, { ...PLACE, action: `Fetch of ${partition.shardId}` });
      if (nameOfCode(fetched.errorCode) === "OFFSET_OUT_OF_RANGE") return this.#findPlace(fault, signal);
      if (!isMovedCode(fetched.errorCode)) throw fault;
      return this.#fail(fault);
    }
    this.#failingSinceMs = undefined;
    const diverging = fetched.diverging ?? (await this.#compare(fetched, signal));
    if (diverging !== undefined) {
      this.#lastStableOffset = undefined;
      this.#place.diverged(diverging);
      return "ask";
    }
    this.#anew = this.#place.takeAnew();
    if (fetched.ofTopic !== undefined) this.#place.sawTopicId(fetched.ofTopic);
    this.#highWatermark = fetched.highWatermark;
    this.#lastStableOffset = fetched.lastStableOffset < 0 ? fetched.highWatermark : fetched.lastStableOffset;
    this.#open(fetched);
    return "taken";
  }

  #open(fetched: LeaderAnswer): void {
    if (fetched.records.length === 0) return;
    // Not even one batch is whole: it is asked for with more room.
    const isStuck = !isWholeBatch(fetched.records);
    this.#fetchBytes = isStuck ? Math.min(this.#fetchBytes * 2, FETCH_BYTES_LIMIT) : FETCH_BYTES_MAX;
    if (isStuck) return;
    this.#undone.open({
      bytes: fetched.records,
      fetchOffset: this.#place.offset,
      aborted: fetched.aborted,
      shardId: this.#options.partition.shardId,
      onEpoch: (epoch, baseOffset) => this.#place.sawEpoch(epoch, baseOffset),
    });
  }

  /** A passing failure is waited out for a while before it shows. */
  #fail(error: unknown): "wait" {
    this.#isToCompare = true;
    if (isFault(error, "notFound") && this.#place.topicId === undefined) {
      this.#isLost = true;
      this.#options.onLost();
    }
    if (!isPassing(error)) throw error;
    const nowMs = this.#options.now();
    this.#failingSinceMs ??= nowMs;
    if (nowMs - this.#failingSinceMs >= RECOVERY_MS) throw error;
    return "wait";
  }

  /** Brokers before Kafka 3.1, which are asked by name, do not compare what was read with what they hold. */
  async #compare({ topicId }: LeaderAnswer, signal: AbortSignal) {
    if (topicId !== undefined || !this.#isToCompare) return undefined;
    const end = await this.#epochEnd(signal);
    this.#isToCompare = false;
    const { lastEpoch, offset } = this.#place;
    return end !== undefined && hasParted(end, lastEpoch, offset) ? end : undefined;
  }

  async #epochEnd(signal: AbortSignal) {
    const { leaders, partition } = this.#options;
    const { lastEpoch } = this.#place;
    return lastEpoch < 0 ? undefined : await leaders.epochEnd(partition.partition, lastEpoch, signal);
  }

  /** The log does not have the offset: its start lies behind it, or its end before it. */
  async #findPlace(refusal: KafkaFault, signal: AbortSignal): Promise<"ask"> {
    const { leaders, partition } = this.#options;
    const oldest = await leaders.oldestOffset(partition.partition, signal);
    this.#lastStableOffset = undefined;
    const { lastEpoch, offset } = this.#place;
    if (offset < oldest) {
      this.#place.trimmedTo(oldest);
      this.#hasGap ||= !this.#isOldest;
      return "ask";
    }
    const end = await this.#epochEnd(signal);
    if (end !== undefined && hasParted(end, lastEpoch, offset)) this.#place.diverged(end);
    else {
      // By its own word the log has the place: one answer is not enough to read all of it again.
      const latest = await leaders.latestOffset(partition.partition, signal);
      // plant: one-answer-that-an-offset-is-out-of-range-reads-the-whole-log-again
      if ((lastEpoch < 0 || end !== undefined) && offset <= latest) throw refusal;
      this.#place.wentBackSomewhere(oldest);
    }
    return "ask";
  }

  /** The topic is another one: all of it is new. */
  async #startAnew(topicId: string | undefined, signal: AbortSignal): Promise<ShardRead> {
    const { leaders, partition } = this.#options;
    const oldest = await leaders.oldestOffset(partition.partition, signal);
    this.#isLost = false;
    this.#options.onFound();
    this.#failingSinceMs = undefined;
    this.#lastStableOffset = undefined;
    this.#highWatermark = undefined;
    return this.#sayAnew(this.#place.remade(topicId, oldest));
  }

  async #take(recordsMax: number, bytesMax: number, signal: AbortSignal): Promise<readonly KafkaRecord[]> {
    if (this.#undone.isEmpty) return [];
    let taken: readonly KafkaRecord[];
    try {
      taken = await this.#undone.take(recordsMax, bytesMax, signal);
    } finally {
      this.#place.moveTo(this.#undone.nextOffset);
    }
    const last = taken.at(-1);
    if (last !== undefined) {
      this.#isOldest = false;
      this.#newestMs = last.arrivalMs;
    }
    return taken;
  }

  /** In a read without records: those that were fetched already are the next one's. */
  #sayAnew(anew: LogAnew): ShardRead {
    this.#anew = undefined;
    // What is next is the oldest, or stands right behind what was read: that it is gone by the next fetch is no gap.
    this.#isOldest = true;
    this.#hasGap = false;
    const { lookedTo: _, ...read } = this.#result([], 0);
    this.#toldOffset = Number.NEGATIVE_INFINITY;
    return { ...read, anew };
  }

  #result(records: readonly KafkaRecord[], readAgainAfterMs: number): ShardRead {
    const trimmed = this.#hasGap;
    this.#hasGap = false;
    const nextOffset = this.#undone.isEmpty ? this.#place.offset : this.#undone.takenOffset;
    const { logId } = this.#place;
    // Markers and aborted records are no records of ours, and the position is behind them all the same.
    // plant: a-read-tells-of-its-last-record-only
    const hasMoved = nextOffset > this.#toldOffset;
    this.#toldOffset = nextOffset;
    return {
      ...{ records, endOfShard: false, lagMs: this.#lagMs(), readAgainAfterMs, trimmed },
      ...(hasMoved ? { lookedTo: String(nextOffset - 1) } : {}),
      ...(logId === undefined ? {} : { logId }),
      ...(this.#highWatermark === undefined
        ? {}
        : { offsetLag: Math.max(0, this.#highWatermark - nextOffset) }),
    };
  }

  /** Kafka tells offsets, not ages: that of the newest record read, while there are newer ones. */
  #lagMs(): number {
    if (this.#isCaughtUp && this.#failingSinceMs === undefined) return 0;
    return Math.max(1, this.#newestMs === undefined ? 1 : this.#options.epochMs() - this.#newestMs);
  }
}
