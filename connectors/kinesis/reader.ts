import type { KinesisRecord } from "../../src/model/kinesis-event.ts";
import type { StartPoint } from "../../src/model/record.ts";
import type { ShardRead, ShardReader } from "../../src/ports/stream-source.ts";
import {
  isFault,
  type KinesisApi,
  type KinesisShardEntry,
  type RecordsPage,
  type ShardPlace,
  throwIfAborted,
} from "./kinesis-api.ts";
import { parsePosition } from "./position.ts";
import { RecordBuffer } from "./record-buffer.ts";
import type { QuotaTurn } from "./shard-quota.ts";

/** AWS's own base rate of a reader that has caught up (streams §2). */
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

export interface PollingReaderOptions {
  readonly api: KinesisApi;
  readonly shardId: string;
  readonly start: StartPoint;
  readonly turn: QuotaTurn;
  readonly makeRecord: (sequence: string, key: string, data: Buffer, arrivalMs: number) => KinesisRecord;
  /** Children are told at the end of their parent, before a listing may show them. */
  readonly onChildShards: (shards: readonly KinesisShardEntry[]) => void;
  readonly idleReadMs: number;
}

/** Reads a shard with GetRecords, as fast as its quota allows while there is more, gently at its tip. */
export class PollingReader implements ShardReader {
  readonly #options: PollingReaderOptions;
  readonly #buffer = new RecordBuffer();
  /** Behind the last record of the last page: where a new iterator begins. */
  #place: ShardPlace;
  #iterator: string | undefined;
  #recoveries = 0;
  #isAtEnd = false;
  #lagMs: number | undefined;
  /** Of the last page that had records. */
  #bytesPerRecord: number | undefined;
  #hasGap = false;
  /** What the last page asks for: more at once, or a pause. */
  #pauseMs = 0;

  constructor(options: PollingReaderOptions) {
    this.#options = options;
    this.#place = startPlace(options.start);
  }

  async read(recordsMax: number, bytesMax: number, signal: AbortSignal): Promise<ShardRead> {
    throwIfAborted(signal);
    if (this.#buffer.isEmpty && !this.#isAtEnd) {
      const waitMs = this.#options.turn.waitMs();
      if (waitMs > 0) return { ...this.#nothingYet(waitMs), nothingAsked: true };
      if (!(await this.#fetch(this.#limit(recordsMax, bytesMax), signal))) return this.#nothingYet(0);
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

  /** False when the iterator was of no use any more. */
  async #fetch(recordsMax: number, signal: AbortSignal): Promise<boolean> {
    const { api, turn, onChildShards } = this.#options;
    this.#iterator ??= await this.#openIterator(signal);
    turn.use();
    let page: RecordsPage;
    try {
      page = await api.records(this.#iterator, recordsMax, signal);
    } catch (error) {
      if (!isFault(error, "expiredIterator", "invalidArgument")) throw error;
      this.#iterator = undefined;
      if (++this.#recoveries > RECOVERIES_MAX) throw error;
      return false;
    }
    this.#recoveries = 0;
    this.#keep(page, recordsMax);
    if (page.childShards.length > 0) onChildShards(page.childShards);
    return true;
  }

  #keep(page: RecordsPage, recordsMax: number): void {
    const { makeRecord, turn, idleReadMs } = this.#options;
    let bytes = 0;
    let heldBytes = 0;
    const records = page.records.map(({ sequenceNumber, partitionKey, data, arrivalMs }) => {
      const record = makeRecord(sequenceNumber, partitionKey, data, arrivalMs);
      bytes += data.length + partitionKey.length;
      heldBytes += record.bytes;
      return record;
    });
    if (records.length > 0) this.#bytesPerRecord = heldBytes / records.length;
    turn.spent(bytes);
    this.#buffer.fill(records);
    const last = records.at(-1);
    if (last !== undefined) this.#place = { kind: "after", sequenceNumber: last.sequenceNumber };
    this.#iterator = page.nextIterator;
    this.#isAtEnd = page.nextIterator === undefined;
    // A page that is as full as was asked for may have been cut, whatever the service says of the tip.
    this.#lagMs = records.length >= recordsMax ? Math.max(1, page.lagMs ?? 1) : page.lagMs;
    const isBehind = (this.#lagMs ?? 0) > 0;
    this.#pauseMs = isBehind ? 0 : Math.min(idleReadMs, records.length > 0 ? TIP_READ_MS : idleReadMs);
  }

  #serve(recordsMax: number, bytesMax: number): ShardRead {
    const records = this.#buffer.take(recordsMax, bytesMax);
    const trimmed = this.#hasGap;
    this.#hasGap = false;
    if (!this.#buffer.isEmpty) {
      return { records, endOfShard: false, lagMs: this.#lagBehind(), readAgainAfterMs: 0, trimmed };
    }
    if (this.#isAtEnd) {
      return { records, endOfShard: true, lagMs: this.#lagMs, readAgainAfterMs: 0, trimmed };
    }
    // At the tip no turn is reserved: it would keep other readers of the shard from theirs.
    const readAgainAfterMs = this.#pauseMs > 0 ? this.#pauseMs : this.#options.turn.waitMs();
    return { records, endOfShard: false, lagMs: this.#lagMs, readAgainAfterMs, trimmed };
  }

  #nothingYet(readAgainAfterMs: number): ShardRead {
    return { records: [], endOfShard: false, lagMs: this.#lagBehind(), readAgainAfterMs, trimmed: false };
  }

  /** Not read is not caught up. */
  #lagBehind(): number {
    return Math.max(1, this.#lagMs ?? 1);
  }

  async #openIterator(signal: AbortSignal): Promise<string> {
    const { api, shardId } = this.#options;
    const place = this.#place;
    try {
      return await api.shardIterator(shardId, place, signal);
    } catch (error) {
      const isPosition = place.kind === "at" || place.kind === "after";
      if (!isPosition || !isFault(error, "invalidArgument", "notFound")) throw error;
      // The record at that place is gone, or the stream was made anew. If the shard itself is gone, this throws again.
      const iterator = await api.shardIterator(shardId, { kind: "oldest" }, signal);
      this.#place = { kind: "oldest" };
      this.#hasGap = true;
      return iterator;
    }
  }
}

/** Polling delivers an aggregate as one record: a place inside of one, left by fan-out, begins with all of it again. */
export function startPlace(start: StartPoint): ShardPlace {
  if (start.kind !== "after") return start;
  const { sequenceNumber, index } = parsePosition(start.position);
  return { kind: index === undefined ? "after" : "at", sequenceNumber };
}
