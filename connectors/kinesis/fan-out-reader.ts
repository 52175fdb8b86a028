import type { KinesisRecord } from "../../src/model/kinesis-event.ts";
import type { Position, StartPoint } from "../../src/model/record.ts";
import type { ShardRead, ShardReader } from "../../src/ports/stream-source.ts";
import { deaggregate } from "./aggregate.ts";
import {
  type ApiRecord,
  type HashKeyRange,
  isFault,
  type KinesisApi,
  type KinesisShardEntry,
  type ShardPlace,
  type SubscriptionEvent,
  throwIfAborted,
} from "./kinesis-api.ts";
import { comparePositions, formatInnerPosition } from "./position.ts";
import { startPlace } from "./reader.ts";
import { RecordBuffer } from "./record-buffer.ts";
import { Subscription } from "./subscription.ts";

/** The service ends a subscription after five minutes: renewed before, no record waits for the end to be noticed. */
const RENEW_MS = 290_000;
/** A consumer's shard is subscribed to again no sooner than this, or the service refuses (streams §2). */
export const RESUBSCRIBE_MS = 5_100;
/** Refusals one after another before they count as a failure: somebody else uses the consumer. */
const REFUSALS_MAX = 4;
/** How soon a reader looks for the next event; each look without one doubles it. */
const LOOK_MS_MIN = 10;
const LOOK_MS_MAX = 80;
/** Records taken apart at a time, so that the aggregates of an event do not all stand in memory at once. */
const EXPANDED_RECORDS = 1_000;

export interface FanOutReaderOptions {
  readonly api: KinesisApi;
  readonly shardId: string;
  readonly hashKeys: HashKeyRange;
  readonly start: StartPoint;
  readonly makeRecord: (
    sequence: string,
    key: string,
    data: Buffer,
    arrivalMs: number,
    position?: Position,
  ) => KinesisRecord;
  readonly onChildShards: (shards: readonly KinesisShardEntry[]) => void;
  readonly now: () => number;
}

/** Reads a shard by enhanced fan-out: pushed by the service, with a throughput of its own, aggregates taken apart. */
export class FanOutReader implements ShardReader {
  readonly #options: FanOutReaderOptions;
  readonly #buffer = new RecordBuffer();
  #subscription: Subscription | undefined;
  #subscribedMs = Number.NEGATIVE_INFINITY;
  /** Behind the last record taken from an event. */
  #place: ShardPlace;
  /** The service's own word for it, which also passes ranges without records. */
  #continuation: string | undefined;
  /** Up to here all was delivered, or was before this reader's start. */
  #delivered: Position | undefined;
  /** What is left of the last event. */
  #waiting: readonly ApiRecord[] = [];
  #isAtEnd = false;
  #lagMs: number | undefined;
  #hasGap = false;
  #lookMs = LOOK_MS_MIN;
  #refusals = 0;

  constructor(options: FanOutReaderOptions) {
    this.#options = options;
    this.#place = startPlace(options.start);
    if (options.start.kind === "after") this.#delivered = options.start.position;
  }

  async read(recordsMax: number, bytesMax: number, signal: AbortSignal): Promise<ShardRead> {
    throwIfAborted(signal);
    if (this.#buffer.isEmpty && this.#waiting.length === 0 && !this.#isAtEnd) {
      const waitMs = await this.#nextEvent(signal);
      if (waitMs > 0) return this.#nothing(waitMs);
    }
    this.#expand();
    const records = this.#buffer.take(recordsMax, bytesMax);
    const isAllServed = this.#buffer.isEmpty && this.#waiting.length === 0;
    const trimmed = this.#hasGap;
    this.#hasGap = false;
    return {
      records,
      endOfShard: isAllServed && this.#isAtEnd,
      lagMs: isAllServed ? this.#lagMs : Math.max(1, this.#lagMs ?? 1),
      readAgainAfterMs: 0,
      trimmed,
    };
  }

  async close(): Promise<void> {
    this.#unsubscribe();
  }

  /** Takes the next event over; without one, how long to wait for it. */
  async #nextEvent(signal: AbortSignal): Promise<number> {
    const { now } = this.#options;
    if (this.#subscription !== undefined && now() - this.#subscription.openedMs >= RENEW_MS) {
      this.#unsubscribe();
    }
    if (this.#subscription === undefined) {
      const waitMs = this.#subscribedMs + RESUBSCRIBE_MS - now();
      return waitMs > 0 ? waitMs : await this.#subscribe(signal);
    }
    let event: SubscriptionEvent | "ended" | undefined;
    try {
      event = this.#subscription.take();
    } catch (error) {
      this.#unsubscribe();
      if (isFault(error, "resourceInUse")) return this.#refused(error);
      throw error;
    }
    if (event === "ended") {
      this.#unsubscribe();
      return LOOK_MS_MIN;
    }
    if (event === undefined) {
      this.#lookMs = Math.min(LOOK_MS_MAX, this.#lookMs * 2);
      return this.#lookMs;
    }
    this.#takeOver(event);
    return 0;
  }

  #takeOver({ records, continuation, lagMs, childShards }: SubscriptionEvent): void {
    this.#refusals = 0;
    this.#lookMs = LOOK_MS_MIN;
    this.#waiting = records;
    const last = records.at(-1);
    if (last !== undefined) this.#place = { kind: "after", sequenceNumber: last.sequenceNumber };
    this.#continuation = continuation;
    this.#lagMs = lagMs;
    if (childShards.length > 0) this.#options.onChildShards(childShards);
    if (continuation === undefined) {
      this.#isAtEnd = true;
      this.#unsubscribe();
    }
  }

  /** How long to wait for the first event. */
  async #subscribe(signal: AbortSignal): Promise<number> {
    const { api, shardId, now } = this.#options;
    const end = new AbortController();
    const onAbort = () => end.abort();
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      const events = await api.subscribe(shardId, this.#nextPlace(), end.signal);
      this.#subscription = new Subscription(events, end, now);
      this.#subscribedMs = now();
      return LOOK_MS_MIN;
    } catch (error) {
      end.abort();
      if (isFault(error, "resourceInUse")) return this.#refused(error);
      if (isFault(error, "invalidArgument", "notFound") && this.#goBack()) return LOOK_MS_MIN;
      throw error;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  #nextPlace(): ShardPlace {
    return this.#continuation === undefined
      ? this.#place
      : { kind: "after", sequenceNumber: this.#continuation };
  }

  /** From a place that the service does not have any more to the nearest that it may have; false at the oldest. */
  #goBack(): boolean {
    if (this.#continuation !== undefined) {
      this.#continuation = undefined;
      return true;
    }
    if (this.#place.kind === "oldest" || this.#place.kind === "timestamp") return false;
    this.#place = { kind: "oldest" };
    this.#delivered = undefined;
    this.#hasGap = true;
    return true;
  }

  #refused(error: unknown): number {
    if (++this.#refusals >= REFUSALS_MAX) {
      this.#refusals = 0;
      throw error;
    }
    return RESUBSCRIBE_MS;
  }

  #unsubscribe(): void {
    this.#subscription?.close();
    this.#subscription = undefined;
  }

  #expand(): void {
    if (!this.#buffer.isEmpty || this.#waiting.length === 0) return;
    const expanded: KinesisRecord[] = [];
    let next = 0;
    for (; next < this.#waiting.length && expanded.length < EXPANDED_RECORDS; next++) {
      const record = this.#waiting[next];
      if (record !== undefined) this.#expandRecord(record, expanded);
    }
    this.#waiting = this.#waiting.slice(next);
    this.#buffer.fill(expanded);
  }

  #expandRecord(record: ApiRecord, expanded: KinesisRecord[]): void {
    const { makeRecord, hashKeys } = this.#options;
    const { sequenceNumber, partitionKey, data, arrivalMs } = record;
    const inner = deaggregate(data, hashKeys);
    if (inner === undefined) {
      if (this.#isNew(sequenceNumber)) {
        expanded.push(makeRecord(sequenceNumber, partitionKey, data, arrivalMs));
        this.#delivered = sequenceNumber;
      }
      return;
    }
    for (const [order, user] of inner.entries()) {
      // The last one ends the aggregate: a checkpoint behind it is a plain sequence number.
      const isLast = order === inner.length - 1;
      const position = isLast ? sequenceNumber : formatInnerPosition(sequenceNumber, user.index);
      if (!this.#isNew(position)) continue;
      expanded.push(makeRecord(sequenceNumber, user.partitionKey, user.data, arrivalMs, position));
      this.#delivered = position;
    }
  }

  #isNew(position: Position): boolean {
    return this.#delivered === undefined || comparePositions(position, this.#delivered) > 0;
  }

  #nothing(readAgainAfterMs: number): ShardRead {
    // Before the first event nothing is known; later the last one's word counts: an idle shard is one at its tip.
    return { records: [], endOfShard: false, lagMs: this.#lagMs ?? 1, readAgainAfterMs, trimmed: false };
  }
}
