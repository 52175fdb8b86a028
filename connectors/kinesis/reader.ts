import type { KinesisRecord } from "../../src/model/kinesis-event.ts";
import type { StartPoint } from "../../src/model/record.ts";
import type { LogAnew, ShardRead, ShardReader } from "../../src/ports/stream-source.ts";
import {
  type ApiRecord,
  isFault,
  type KinesisApi,
  type KinesisShardEntry,
  type RecordsPage,
  type ShardPlace,
  throwIfAborted,
} from "./kinesis-api.ts";
import { LogWatch, type LogWatchOptions } from "./log-watch.ts";
import { comparePositions, parsePosition } from "./position.ts";
import { RecordBuffer } from "./record-buffer.ts";
import type { QuotaTurn } from "./shard-quota.ts";

/** AWS's own base rate of a reader that has caught up (streams §2.2). */
export const IDLE_READ_MS = 1_000;
/** At the tip with records coming in: half of the shard's calls are left to its other readers. */
export const TIP_READ_MS = 400;

const RECORDS_MAX = 10_000;
/** Asked for before a page has shown how large records are. */
const FIRST_RECORDS = 1_000;
/** Asked for at least, however little room there is: calls are scarce. */
const RECORDS_MIN = 100;
/** Iterators that are refused one after another before it counts as a failure. */
const RECOVERIES_MAX = 3;
/** Places that one read may ask an iterator for: one that is refused once, and the one behind it. */
const PLACES_MAX = 3;
const AGAIN_MS = 1_000;

export interface PollingReaderOptions extends LogWatchOptions {
  readonly api: KinesisApi;
  readonly shardId: string;
  readonly start: StartPoint;
  readonly turn: QuotaTurn;
  readonly makeRecord: (
    sequence: string,
    key: string,
    data: Buffer,
    arrivalMs: number | undefined,
  ) => KinesisRecord;
  /** Children are told at the end of their parent, before a listing may show them. */
  readonly onChildShards: (shards: readonly KinesisShardEntry[]) => void;
  readonly idleReadMs: number;
}

/** Reads a shard with GetRecords, as fast as its quota allows while there is more, gently at its tip. */
export class PollingReader implements ShardReader {
  readonly #options: PollingReaderOptions;
  readonly #buffer = new RecordBuffer();
  readonly #watch: LogWatch;
  /** The refused place: what lies before it is not given again. */
  #passedOver: ShardPlace | undefined;
  /** Behind the last record of the last page: where a new iterator begins. */
  #place: ShardPlace;
  #iterator: string | undefined;
  #recoveries = 0;
  #isAtEnd = false;
  /** By the last page, which may not have been the service's. */
  #isEndSaid = false;
  #lagMs: number | undefined;
  /** As the last page had them that had records. */
  #bytesPerRecord: number | undefined;
  #hasGap = false;
  #answered: Pick<ShardRead, "answeredMs"> = {};
  /** What the last page asks for: more at once, or a pause. */
  #pauseMs = 0;

  constructor(options: PollingReaderOptions) {
    this.#options = options;
    this.#watch = new LogWatch(options);
    this.#place = startPlace(options.start);
  }

  async read(recordsMax: number, bytesMax: number, signal: AbortSignal): Promise<ShardRead> {
    throwIfAborted(signal);
    if (this.#buffer.isEmpty && !this.#isAtEnd) {
      const waitMs = this.#options.turn.waitMs();
      if (waitMs > 0) return { ...this.#nothingYet(waitMs), nothingHeard: true };
      const anew = await this.#watch.look(signal);
      if (anew !== undefined) return this.#beginAnew(anew);
      const fetched = await this.#fetch(this.#limit(recordsMax, bytesMax), signal);
      if (fetched !== undefined) return { ...this.#nothingYet(fetched), nothingHeard: true };
    }
    return this.#serve(recordsMax, bytesMax);
  }

  async close(): Promise<void> {}

  /** GetRecords knows no bound of bytes: by what records were like so far, so that little is held beyond the bounds. */
  #limit(recordsMax: number, bytesMax: number): number {
    const fitting =
      this.#bytesPerRecord === undefined ? FIRST_RECORDS : Math.ceil(bytesMax / this.#bytesPerRecord);
    return Math.min(recordsMax, RECORDS_MAX, Math.max(fitting, RECORDS_MIN));
  }

  #beginAnew(anew: LogAnew): ShardRead {
    this.#place = { kind: "oldest" };
    this.#iterator = undefined;
    this.#passedOver = undefined;
    return { ...this.#nothingYet(0), anew };
  }

  /** Without a page: how long to wait before the next try. */
  async #fetch(recordsMax: number, signal: AbortSignal): Promise<number | undefined> {
    const { api, turn, onChildShards } = this.#options;
    for (let tries = 0; this.#iterator === undefined && tries < PLACES_MAX; tries++) {
      const { iterator, waitMs } = await this.#openIterator(signal);
      if (waitMs > 0) return waitMs;
      this.#iterator = iterator;
    }
    if (this.#iterator === undefined) return AGAIN_MS;
    turn.use();
    let page: RecordsPage;
    try {
      page = await api.records(this.#iterator, recordsMax, signal);
    } catch (error) {
      if (!isFault(error, "expiredIterator", "invalidArgument")) throw error;
      this.#iterator = undefined;
      if (++this.#recoveries > RECOVERIES_MAX) throw error;
      return 0;
    }
    this.#recoveries = 0;
    this.#keep(page, recordsMax);
    if (page.childShards.length > 0) onChildShards(page.childShards);
    return this.#iterator === undefined && !this.#isAtEnd ? await this.#fetch(recordsMax, signal) : undefined;
  }

  /**
   * An end is for good. A page that holds nothing at all may be anybody's: it is asked for once more, by an iterator of
   * its own.
   */
  #isEnd({ nextIterator, records, childShards }: RecordsPage): boolean {
    const wasSaid = this.#isEndSaid;
    this.#isEndSaid = nextIterator === undefined;
    // plant: an-empty-page-without-an-iterator-ends-its-shard
    return this.#isEndSaid && (wasSaid || records.length > 0 || childShards.length > 0);
  }

  #keep(page: RecordsPage, recordsMax: number): void {
    const { makeRecord, turn, idleReadMs } = this.#options;
    let bytes = 0;
    let heldBytes = 0;
    const records = this.#wanted(page.records).map(({ sequenceNumber, partitionKey, data, arrivalMs }) => {
      const record = makeRecord(sequenceNumber, partitionKey, data, arrivalMs);
      bytes += data.length + partitionKey.length;
      heldBytes += record.bytes;
      return record;
    });
    if (records.length > 0) this.#bytesPerRecord = heldBytes / records.length;
    turn.spent(bytes);
    this.#buffer.fill(records);
    const last = page.records.at(-1);
    if (last !== undefined) this.#place = { kind: "after", sequenceNumber: last.sequenceNumber };
    this.#answered = page.answeredMs === undefined ? {} : { answeredMs: page.answeredMs };
    this.#iterator = page.nextIterator;
    this.#isAtEnd = this.#isEnd(page);
    // A page that is as full as was asked for may have been cut, whatever the service says of the tip.
    this.#lagMs = records.length >= recordsMax ? Math.max(1, page.lagMs ?? 1) : page.lagMs;
    const isBehind = (this.#lagMs ?? 0) > 0;
    this.#pauseMs = isBehind ? 0 : Math.min(idleReadMs, records.length > 0 ? TIP_READ_MS : idleReadMs);
  }

  /** Without those that were read before the place was refused. */
  #wanted(records: readonly ApiRecord[]): readonly ApiRecord[] {
    const place = this.#passedOver;
    if (place === undefined || !("sequenceNumber" in place)) return records;
    const least = place.kind === "at" ? 0 : 1;
    return records.filter((each) => comparePositions(each.sequenceNumber, place.sequenceNumber) >= least);
  }

  #serve(recordsMax: number, bytesMax: number): ShardRead {
    const records = this.#buffer.take(recordsMax, bytesMax);
    const served = { records, trimmed: this.#hasGap, ...this.#answered, ...this.#watch.told };
    this.#hasGap = false;
    if (!this.#buffer.isEmpty) {
      return { ...served, endOfShard: false, lagMs: this.#lagBehind(), readAgainAfterMs: 0 };
    }
    if (this.#isAtEnd) return { ...served, endOfShard: true, lagMs: this.#lagMs, readAgainAfterMs: 0 };
    // At the tip no turn is reserved: it would keep other readers of the shard from theirs.
    const readAgainAfterMs = this.#pauseMs > 0 ? this.#pauseMs : this.#options.turn.waitMs();
    return { ...served, endOfShard: false, lagMs: this.#lagMs, readAgainAfterMs };
  }

  #nothingYet(readAgainAfterMs: number): ShardRead {
    const lagMs = this.#lagBehind();
    return { records: [], endOfShard: false, lagMs, readAgainAfterMs, trimmed: false, ...this.#watch.told };
  }

  /** Not read is not caught up. */
  #lagBehind(): number {
    return Math.max(1, this.#lagMs ?? 1);
  }

  /** Without an iterator the place was refused; how long to wait before it is asked for again. */
  async #openIterator(signal: AbortSignal): Promise<{ iterator?: string; waitMs: number }> {
    const { api, shardId } = this.#options;
    const place = this.#place;
    try {
      const iterator = await api.shardIterator(shardId, place, signal);
      this.#watch.accepted();
      return { iterator, waitMs: 0 };
    } catch (error) {
      const isPosition = place.kind === "at" || place.kind === "after";
      if (!isPosition || !isFault(error, "invalidArgument", "notFound")) throw error;
      const refusal = this.#watch.refused();
      if (refusal.kind === "again") {
        // That the shard or the stream is not found the engine looks into itself.
        if (refusal.afterMs > 0 && isFault(error, "notFound")) throw error;
        return { waitMs: refusal.afterMs };
      }
      if (isFault(error, "notFound")) throw error;
      // The record at that place is gone. Where it is known to be the same stream, what lies before it is not given
      // again.
      this.#place = { kind: "oldest" };
      this.#passedOver = this.#watch.logId === undefined ? undefined : place;
      this.#hasGap = true;
      return { waitMs: 0 };
    }
  }
}

/** Polling delivers an aggregate as one record: a place inside of one, left by fan-out, begins with all of it again. */
export function startPlace(start: StartPoint): ShardPlace {
  if (start.kind !== "after") return start;
  const { sequenceNumber, index } = parsePosition(start.position);
  return { kind: index === undefined ? "after" : "at", sequenceNumber };
}
