import { knownArrivalMs } from "../../src/model/arrival.ts";
import { MillraceError } from "../../src/model/errors.ts";
import type { StreamRecord } from "../../src/model/record.ts";
import type { ShardRead, ShardReader } from "../../src/ports/stream-source.ts";
import { comparePositions } from "./position.ts";
import type { ChangeRecord, IteratorStart, StreamApi } from "./stream-api.ts";

/**
 * AWS's own pollers make 4 reads a second and shard; the API allows 5, which are used while there is data (streams §7).
 */
const IDLE_INTERVAL_MS = 250;
const BUSY_INTERVAL_MS = 200;
const PAGE_RECORDS_MAX = 1_000;
/**
 * So often one read looks for a live iterator: an expired one, a trimmed place, a trim in between. Beyond is no chance.
 */
const ITERATORS_MAX = 4;
/**
 * An iterator may need several empty reads to get to the next record (API reference of GetRecords), and the API tells
 * no lag. So many empty reads on end, a second's worth, are taken for the tip.
 */
const EMPTY_PAGES_AT_TIP = 4;

/**
 * Creation times are rounded down, by DynamoDB to the second and by DynamoDB Local to the minute; and the service's
 * hosts may differ by some seconds.
 */
const LATEST_MARGIN_MS = 65_000;

/** Where the next page begins, in words that outlive an iterator. */
export type Place =
  | { readonly kind: "oldest" }
  | { readonly kind: "after"; readonly sequenceNumber: string }
  /** A captured latest point: exact as long as its iterator lives. */
  | { readonly kind: "latest"; readonly iterator: string; readonly capturedMs: number }
  /** The same once the iterator is dead: the oldest record that arrived at this moment or later. */
  | { readonly kind: "since"; readonly epochMs: number };

export interface ReaderOptions {
  readonly api: StreamApi;
  readonly shardId: string;
  readonly place: Place;
  /** The stream's own ARN: a stream that is switched off and on again has another one. */
  readonly logId: string;
  readonly knownLogId: string | undefined;
  readonly retentionMs: number;
  makeRecord(change: ChangeRecord): StreamRecord;
  monotonic(): number;
}

/** Reads one shard. No more than one reader a shard and mapping is open: DynamoDB allows two in all (streams §7). */
export class DynamodbShardReader implements ShardReader {
  readonly #options: ReaderOptions;
  #place: Place;
  #iterator: string | undefined;
  #isAtEnd = false;
  /** By a page of this read that held nothing. */
  #isEndSaid = false;
  /** What the last page held beyond the bounds of the read that fetched it: never more than one page. */
  #waiting: StreamRecord[] = [];
  #hasGap = false;
  /** The last record that was read, when its place was called trimmed. */
  #passedOver: string | undefined;
  /** Records at or before it were served all the same. */
  #isPlaceServed = false;
  /** The checkpoint is of another stream, which is still to be told. */
  #isOther: boolean;
  #answered: Pick<ShardRead, "answeredMs"> = {};
  #emptyPages = 0;
  #newestArrivalMs: number | undefined;

  constructor(options: ReaderOptions) {
    this.#options = options;
    this.#place = options.place;
    const { knownLogId, logId } = options;
    this.#isOther = knownLogId !== undefined && knownLogId !== logId;
    if (this.#isOther) this.#place = { kind: "oldest" };
    else if (options.place.kind === "latest") this.#iterator = options.place.iterator;
  }

  async read(recordsMax: number, bytesMax: number, signal: AbortSignal): Promise<ShardRead> {
    if (signal.aborted) throw readIsAborted(this.#options.shardId);
    const startedMs = this.#options.monotonic();
    if (this.#isOther) return this.#tellAnew();
    if (this.#waiting.length === 0 && !this.#isAtEnd) await this.#fetchPage(recordsMax, signal);
    const records = this.#takeWaiting(recordsMax, bytesMax);
    const trimmed = this.#hasGap;
    this.#hasGap = false;
    const endOfShard = this.#isAtEnd && this.#waiting.length === 0;
    return {
      records,
      endOfShard,
      lagMs: this.#lagMs(endOfShard),
      readAgainAfterMs: this.#readAgainAfterMs(startedMs),
      trimmed,
      ...this.#answered,
      logId: this.#options.logId,
    };
  }

  #tellAnew(): ShardRead {
    this.#isOther = false;
    const { logId, knownLogId } = this.#options;
    const told = `The table has another stream by now: it was ${knownLogId}, and is ${logId}.`;
    const anew = { because: "remade", from: { kind: "oldest" }, told } as const;
    return { records: [], endOfShard: false, lagMs: 1, readAgainAfterMs: 0, trimmed: false, logId, anew };
  }

  async close(): Promise<void> {}

  async #fetchPage(recordsMax: number, signal: AbortSignal): Promise<void> {
    const { api, shardId } = this.#options;
    const limit = Math.min(recordsMax, PAGE_RECORDS_MAX);
    for (let iterators = 0; iterators < ITERATORS_MAX; iterators++) {
      const iterator = this.#iterator ?? (await this.#openIterator(signal));
      if (iterator === undefined) continue;
      const answer = await api.getRecords(shardId, iterator, limit, signal);
      switch (answer.kind) {
        case "records":
          this.#takePage(answer.records);
          this.#answered = answer.answeredMs === undefined ? {} : { answeredMs: answer.answeredMs };
          this.#iterator = answer.next;
          this.#isAtEnd = answer.next === undefined && this.#isEnd(answer.records.length);
          if (answer.next === undefined && !this.#isAtEnd) break;
          this.#isEndSaid = false;
          if (this.#isAtEnd) this.#passed();
          return;
        case "expired":
          this.#losesIterator();
          break;
        case "trimmed":
          this.#losesIterator();
          this.#startAtOldest();
          break;
      }
    }
    throw new MillraceError(
      "ERR_MILLRACE_SOURCE_UNAVAILABLE",
      `Shard ${shardId} had only expired or trimmed iterators, ${ITERATORS_MAX} times on end. It is tried again.`,
    );
  }

  /**
   * An end is for good. A page that holds nothing at all may be anybody's: it is asked for once more, by an iterator of
   * its own. A latest point has only the one.
   */
  #isEnd(records: number): boolean {
    const wasSaid = this.#isEndSaid;
    this.#isEndSaid = true;
    // plant: an-empty-page-of-changes-without-an-iterator-ends-its-shard
    return wasSaid || records > 0 || this.#place.kind === "latest";
  }

  /** `undefined`: the place is trimmed, and another one takes its place. */
  async #openIterator(signal: AbortSignal): Promise<string | undefined> {
    const { api, shardId } = this.#options;
    const answer = await api.openIterator(shardId, iteratorStart(this.#place), signal);
    if (answer.kind === "trimmed") {
      this.#startAtOldest();
      return undefined;
    }
    this.#iterator = answer.iterator;
    return answer.iterator;
  }

  #losesIterator(): void {
    this.#iterator = undefined;
    const place = this.#place;
    if (place.kind !== "latest") return;
    const { api, retentionMs } = this.#options;
    if (api.now() - place.capturedMs >= retentionMs) this.#hasGap = true;
    this.#place = { kind: "since", epochMs: place.capturedMs - LATEST_MARGIN_MS };
  }

  /**
   * Behind a known record there may be something that is gone now: what is there will say. The other places begin at
   * the oldest record anyway.
   */
  #startAtOldest(): void {
    if (this.#place.kind !== "after") return;
    this.#passedOver ??= this.#place.sequenceNumber;
    this.#place = { kind: "oldest" };
  }

  /** Without those that were read before their place was called trimmed: that they are there says that it was not. */
  #unread(records: StreamRecord[]): StreamRecord[] {
    const place = this.#passedOver;
    if (place === undefined) return records;
    // plant: one-answer-that-a-place-is-trimmed-gives-a-shard-again
    const unread = records.filter(({ position }) => comparePositions(position, place) > 0);
    this.#isPlaceServed ||= unread.length < records.length;
    if (unread.length > 0) this.#passed();
    return unread;
  }

  /** What follows the place that was called trimmed is found, or there is nothing. */
  #passed(): void {
    this.#hasGap ||= this.#passedOver !== undefined && !this.#isPlaceServed;
    this.#passedOver = undefined;
    this.#isPlaceServed = false;
  }

  #takePage(changes: readonly ChangeRecord[]): void {
    const records = changes.map((change) => this.#options.makeRecord(change));
    const last = records.at(-1);
    this.#emptyPages = last === undefined ? this.#emptyPages + 1 : 0;
    if (last === undefined) return;
    const place = this.#place;
    this.#waiting =
      place.kind === "since"
        ? records.filter((each) => isSince(each.arrivalMs, place.epochMs))
        : this.#unread(records);
    this.#newestArrivalMs = knownArrivalMs(last.arrivalMs);
    // While a latest point is searched for, what comes next may still be older than it.
    if (place.kind === "since" && this.#waiting.length === 0) return;
    this.#place = { kind: "after", sequenceNumber: last.position };
  }

  #takeWaiting(recordsMax: number, bytesMax: number): readonly StreamRecord[] {
    let count = 0;
    let bytes = 0;
    for (const record of this.#waiting) {
      bytes += record.bytes;
      if (count === recordsMax || (count > 0 && bytes > bytesMax)) break;
      count++;
    }
    const records = this.#waiting.slice(0, count);
    this.#waiting = this.#waiting.slice(count);
    return records;
  }

  #lagMs(endOfShard: boolean): number {
    if (endOfShard || this.#emptyPages >= EMPTY_PAGES_AT_TIP) return 0;
    const newestMs = this.#newestArrivalMs;
    return newestMs === undefined ? 1 : Math.max(1, this.#options.api.now() - newestMs);
  }

  #readAgainAfterMs(startedMs: number): number {
    if (this.#waiting.length > 0 || this.#isAtEnd) return 0;
    const elapsedMs = this.#options.monotonic() - startedMs;
    return Math.max(0, (this.#emptyPages === 0 ? BUSY_INTERVAL_MS : IDLE_INTERVAL_MS) - elapsedMs);
  }
}

/** A record whose time nobody knows may have come since: rather once more than never. */
function isSince(arrivalMs: number | undefined, epochMs: number): boolean {
  return (knownArrivalMs(arrivalMs) ?? epochMs) >= epochMs;
}

function iteratorStart(place: Place): IteratorStart {
  return place.kind === "after" ? place : { kind: "oldest" };
}

function readIsAborted(shardId: string): MillraceError {
  return new MillraceError("ERR_MILLRACE_ABORTED", `The caller stopped reading shard ${shardId}.`);
}
