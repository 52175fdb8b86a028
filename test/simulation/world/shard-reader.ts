import { MillraceError } from "../../../src/model/errors.ts";
import type { Position, StartPoint } from "../../../src/model/record.ts";
import type { LogAnew, ShardRead, ShardReader } from "../../../src/ports/stream-source.ts";
import type { VirtualTime } from "../virtual-clock.ts";
import { comparePositions, logIdOf, sharedPart, startIndex } from "./log.ts";
import type { SourceOptions } from "./source.ts";
import { EPOCH_MS, type SimShard, type SimStream } from "./stream.ts";

let nextReaderId = 0;

export class SimReader implements ShardReader {
  readonly #options: SourceOptions;
  readonly #time: VirtualTime;
  readonly #shardId: string;
  readonly #id = nextReaderId++;
  #start: StartPoint;
  /** The log that was read last, or that the start belongs to; by its id, if the caller knew it. */
  #shard: SimShard;
  #logId: string | undefined;
  #next: number;
  /**
   * The last position that was looked at. A start that is one, too: were what follows it trimmed, there would be a gap.
   */
  #place: Position | undefined;
  /** The log that the present read was served from. */
  #served: SimShard;
  #isReading = false;
  #isClosed = false;
  #notBeforeLocalMs = Number.NEGATIVE_INFINITY;

  constructor(options: SourceOptions, shard: SimShard, start: StartPoint, knownLogId: string | undefined) {
    this.#options = options;
    this.#time = options.time;
    this.#shardId = shard.shardId;
    this.#logId = knownLogId;
    this.#shard = (knownLogId && options.stream.log(shard.shardId, knownLogId)) || shard;
    this.#served = this.#shard;
    this.#start = start;
    this.#next = startIndex(this.#shard, start);
    this.#place = start.kind === "after" ? start.position : undefined;
  }

  async read(recordsMax: number, bytesMax: number, signal: AbortSignal): Promise<ShardRead> {
    const { process, faults } = this.#options;
    this.#checkLaws();
    this.#isReading = true;
    const { random } = process;
    let latencyMs = 0.5 + 19.5 * random.next();
    if (faults.roll("iterator expired", random)) latencyMs += random.between(5, 100);
    if (faults.roll("read slow", random)) latencyMs += random.between(100, 3_000);
    const isTimedOut = faults.roll("read timed out", random);
    if (isTimedOut) latencyMs += random.between(1_000, 5_000);
    try {
      return await process.call({
        travelMs: latencyMs,
        replyMs: 0,
        signal,
        serve: () => this.#serve(recordsMax, bytesMax, isTimedOut),
        delivered: (read) => {
          this.#delivered(read);
          this.#options.noteRead?.(this.#shardId, "worked");
        },
      });
    } catch (error) {
      this.#options.noteRead?.(this.#shardId, "failed");
      throw error;
    } finally {
      this.#isReading = false;
    }
  }

  close(): Promise<void> {
    const { process } = this.#options;
    if (!this.#isClosed && process.state !== "dead") {
      this.#options.record({ kind: "readerClosed", at: this.#time.now, process, readerId: this.#id });
    }
    this.#isClosed = true;
    return Promise.resolve();
  }

  #checkLaws(): void {
    if (this.#isReading) this.#options.breach(`two reads of ${this.#shardId} at once by one reader`);
    if (this.#isClosed) this.#options.breach(`read of ${this.#shardId} after its reader was closed`);
    if (this.#options.process.localMs() < this.#notBeforeLocalMs - 0.01) {
      this.#options.breach(`read of ${this.#shardId} before the source's quota allowed it`);
    }
  }

  #serve(recordsMax: number, bytesMax: number, isTimedOut: boolean): ShardRead {
    const { process, faults, stream, tellsLogs } = this.#options;
    const { random } = process;
    if (isTimedOut || faults.isOut("source") || faults.roll("read failed", random)) {
      throw unavailable(`read ${this.#shardId}`);
    }
    if (faults.roll("read throttled", random)) {
      throw new MillraceError("ERR_MILLRACE_SOURCE_THROTTLED", `Reads of ${this.#shardId} exceed its quota.`);
    }
    const shard = shardOf(stream, this.#shardId);
    this.#served = shard;
    const about = {
      readAgainAfterMs: this.#options.readIntervalMs,
      answeredMs: EPOCH_MS + this.#time.now,
      ...(tellsLogs === true && { logId: logIdOf(shard) }),
    };
    const anew = this.#anewIn(shard);
    if (anew !== undefined) {
      return { records: [], endOfShard: false, lagMs: this.#lagMs(shard, 0), trimmed: false, ...about, anew };
    }
    trimExpired(shard, stream.retentionMs, this.#time.now);
    // A timestamp in the future stands behind records that have come since.
    if (this.#place === undefined) this.#next = startIndex(shard, this.#start);
    const trimmed = this.#place !== undefined && this.#next < shard.trimmedAt.length;
    const from = Math.max(this.#next, shard.trimmedAt.length);
    const isEmpty = faults.roll("read empty", random);
    const to = isEmpty ? from : this.#end(shard, from, recordsMax, bytesMax);
    const hasReadAll = to === shard.records.length;
    // Some sources tell the end with the last records, others only with a read of its own.
    const endOfShard = shard.closedAt !== undefined && hasReadAll && (to === from || random.chance(0.5));
    const lookedTo = isEmpty ? undefined : this.#lookedTo(shard, from, to);
    return {
      records: shard.records.slice(from, to),
      endOfShard,
      lagMs: this.#options.tellsLag ? this.#lagMs(shard, to) : undefined,
      trimmed,
      ...about,
      ...(lookedTo !== undefined && { lookedTo }),
    };
  }

  /** Whether the log, or the part of it that was read, is another by now. */
  #anewIn(shard: SimShard): LogAnew | undefined {
    if (this.#options.tellsLogs !== true || this.#logId === undefined) return undefined;
    const told = `${this.#shardId} was ${this.#logId} and is ${logIdOf(shard)}.`;
    const shared = sharedPart(shard, this.#logId);
    if (shared === undefined) return { because: "remade", from: { kind: "oldest" }, told };
    const { records, to } = shared;
    if (to === undefined || this.#place === undefined || comparePositions(this.#place, to) <= 0)
      return undefined;
    return {
      because: "wentBack",
      from: records === 0 ? { kind: "oldest" } : { kind: "after", position: to },
      told,
    };
  }

  /** The last place before the next record: one without a record, or one whose record was trimmed. */
  #lookedTo({ records, places }: SimShard, from: number, to: number): Position | undefined {
    // Behind a time that is still to come nothing was looked at.
    const isEarly = this.#place === undefined && this.#start.kind === "timestamp" && to === from;
    if (places.length === 0 || isEarly) return undefined;
    const next = records[to]?.position;
    const place = places.findLast((each) => next === undefined || comparePositions(each, next) < 0);
    const last = records[to - 1]?.position;
    const looked = laterOf(place, last);
    const known = to > from ? last : this.#place;
    return looked !== undefined && looked !== known && laterOf(looked, known) === looked ? looked : undefined;
  }

  #end({ records }: SimShard, from: number, recordsMax: number, bytesMax: number): number {
    let room = Math.max(1, recordsMax);
    if (this.#options.faults.roll("read truncated", this.#options.process.random)) {
      room = Math.max(1, Math.floor(room * this.#options.process.random.next() * 0.2));
    }
    let bytes = 0;
    let to = from;
    while (to < records.length && to - from < room) {
      bytes += records[to]?.bytes ?? 0;
      if (bytes > bytesMax && to > from) break;
      to++;
    }
    return to;
  }

  #lagMs({ records }: SimShard, to: number): number {
    const behind = records[to];
    return behind === undefined ? 0 : Math.max(1, EPOCH_MS + this.#time.now - behind.arrivedMs);
  }

  /** Only what reached the caller moves the reader: a read that was aborted loses nothing. */
  #delivered(read: ShardRead): void {
    const { process, record } = this.#options;
    this.#notBeforeLocalMs = process.localMs() + read.readAgainAfterMs;
    this.#shard = this.#served;
    this.#logId = read.logId;
    if (read.anew !== undefined) {
      this.#begin(read.anew.from);
      return;
    }
    const from = Math.max(this.#next, this.#shard.trimmedAt.length);
    const first = read.records[0];
    this.#place = read.lookedTo ?? read.records.at(-1)?.position ?? this.#place;
    if (first === undefined) {
      // plant: the-source-skips-a-record-after-an-empty-read
      if (read.trimmed) this.#next = from;
      if (read.lookedTo !== undefined) this.#next = startIndex(this.#shard, afterPlace(read.lookedTo));
      return;
    }
    const start = "index" in first ? Number(first.index) : from;
    this.#next = start + read.records.length;
    record({
      kind: "readReturned",
      at: this.#time.now,
      process,
      readerId: this.#id,
      shard: this.#shard,
      from: start,
      to: this.#next,
    });
  }

  #begin(start: StartPoint): void {
    this.#start = start;
    this.#next = startIndex(this.#shard, start);
    this.#place = start.kind === "after" ? start.position : undefined;
  }
}

function laterOf(a: Position | undefined, b: Position | undefined): Position | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return comparePositions(a, b) > 0 ? a : b;
}

function afterPlace(position: Position): StartPoint {
  return { kind: "after", position };
}

export function shardOf(stream: SimStream, shardId: string): SimShard {
  const shard = stream.shard(shardId);
  if (shard !== undefined) return shard;
  throw new MillraceError("ERR_MILLRACE_SOURCE_NOT_FOUND", `Stream has no shard ${shardId}.`);
}

export function trimExpired(shard: SimShard, retentionMs: number | undefined, now: number): void {
  if (retentionMs === undefined) return;
  for (;;) {
    const oldest = shard.records[shard.trimmedAt.length];
    if (oldest === undefined || oldest.arrivedMs + retentionMs > EPOCH_MS + now) return;
    shard.trimmedAt.push(now);
  }
}

export function unavailable(what: string): MillraceError {
  return new MillraceError("ERR_MILLRACE_SOURCE_UNAVAILABLE", `The simulated source did not ${what}.`);
}
