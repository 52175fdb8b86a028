import type { Position, StreamRecord } from "../../../src/model/record.ts";
import type { SeededRandom } from "../random.ts";
import { comparePositions, logIdOf } from "./log.ts";

/** What the world knows of a record beyond what the engine is shown. */
export interface SimRecord extends StreamRecord {
  readonly key: string;
  /** When it really arrived; `arrivalMs` is what the source tells of it. */
  readonly arrivedMs: number;
  /** Ordinal in the whole stream, in order of arrival: index of the checkers' arrays. */
  readonly id: number;
  readonly shard: SimShard;
  /** Place in the shard, without gaps. Positions have gaps. */
  readonly index: number;
  /** The position as a number. */
  readonly place: number;
  /** The mapping's filter lets it pass. */
  readonly accepted: boolean;
  /** Every execution of the function with it fails, until the world heals. */
  readonly poison: boolean;
  readonly unmade?: Unmade | undefined;
}

/** What cannot be made of a record; `damaged`: its source says so itself. */
export type Unmade = "event" | "filter document" | "damaged";

/**
 * One log under a shard's name. A stream that is made anew has other logs under the names of its shards, and so has a
 * shard that lost its end: then the first records of the one are those of the other.
 */
export interface SimShard {
  /** Counts all logs of the stream. */
  readonly ordinal: number;
  /** How often the stream had been made anew before. */
  readonly life: number;
  readonly shardId: string;
  readonly parents: readonly SimShard[];
  /** Key hashes from `from` up to, not including, `to` belong here; the whole ring is 0…1. */
  readonly from: number;
  readonly to: number;
  readonly records: SimRecord[];
  /** World time at which the record of the same index was trimmed; shorter than `records`. */
  readonly trimmedAt: number[];
  /** Positions that readers see and that hold no record, in order. */
  readonly places: Position[];
  /** The log that lost its end here, how many of its records were kept, and up to which position. */
  readonly before: LostEnd | undefined;
  closedAt: number | undefined;
  /** World time at which another log took its name, or the stream was made anew without it. */
  goneAt: number | undefined;
  /** Its own last position, where it is not the stream's. */
  endPosition: number | undefined;
}

export interface LostEnd {
  readonly log: SimShard;
  readonly kept: number;
  readonly to: Position;
}

export interface NewRecord {
  readonly key: string;
  readonly bytes: number;
  readonly encodedBytes: number;
  readonly accepted: boolean;
  readonly poison: boolean;
  readonly unmade?: Unmade | undefined;
  /** What the source tells of the arrival in place of the truth. */
  readonly told?: { readonly arrivalMs: number | undefined } | undefined;
  /** For events that are really encoded: their size depends on the position. */
  readonly measure?: (shardId: string, position: Position, arrivalMs: number) => MeasuredRecord;
}

export interface MeasuredRecord {
  readonly bytes: number;
  readonly encodedBytes: number;
}

/** The wall clock of the source when the world begins. */
export const EPOCH_MS = 1_750_000_000_000;

/** One stream, as the source's servers hold it: shared by all processes. */
export class SimStream {
  /** Every log that there was, those of before too. */
  readonly shards: SimShard[] = [];
  readonly records: SimRecord[] = [];
  readonly #now: () => number;
  readonly #random: SeededRandom;
  readonly #keyHashes = new Map<string, number>();
  readonly #current = new Map<string, SimShard>();
  #lastPosition = 0;
  #life = 0;
  #isAway = false;
  #retentionMs: number | undefined;
  #hasRetention = false;

  constructor(shardCount: number, now: () => number, random: SeededRandom) {
    this.#now = now;
    this.#random = random;
    this.#addShards(shardCount);
  }

  #addShards(count: number): void {
    for (let index = 0; index < count; index++) this.#addShard([], index / count, (index + 1) / count);
  }

  /** It was deleted and is not made anew yet. */
  get isAway(): boolean {
    return this.#isAway;
  }

  /** `undefined`: the source keeps all. */
  get retentionMs(): number | undefined {
    return this.#retentionMs;
  }

  set retentionMs(retentionMs: number | undefined) {
    this.#retentionMs = retentionMs;
    this.#hasRetention ||= retentionMs !== undefined;
  }

  /** The source may say of a record that it serves it no more, at any time. */
  get canExpire(): boolean {
    return this.#hasRetention || this.shards.some(({ goneAt }) => goneAt !== undefined);
  }

  /** What the source has now, ended shards too. */
  get current(): readonly SimShard[] {
    return [...this.#current.values()];
  }

  append(record: NewRecord): SimRecord {
    return this.appendTo(this.#shardOf(record.key), record);
  }

  appendTo(shard: SimShard, record: NewRecord): SimRecord {
    // Numbers without leading zeros and with gaps: neither text order nor "the next one is one more" holds.
    const position = this.#nextPosition(shard);
    const arrivalMs = Math.floor(EPOCH_MS + this.#now());
    const measured = record.measure?.(shard.shardId, position, arrivalMs) ?? record;
    const appended: SimRecord = {
      position,
      key: record.key,
      arrivalMs: record.told === undefined ? arrivalMs : record.told.arrivalMs,
      arrivedMs: arrivalMs,
      bytes: measured.bytes,
      encodedBytes: measured.encodedBytes,
      id: this.records.length,
      shard,
      index: shard.records.length,
      place: Number(position),
      accepted: record.accepted,
      poison: record.poison,
      unmade: record.unmade,
      ...(record.unmade === "damaged" && { damage: "it cannot be read" }),
    };
    shard.records.push(appended);
    this.records.push(appended);
    return appended;
  }

  #nextPosition(shard: SimShard): Position {
    const gap = this.#random.int(1, 7);
    if (shard.endPosition === undefined) this.#lastPosition += gap;
    else shard.endPosition += gap;
    return String(shard.endPosition ?? this.#lastPosition);
  }

  /** A marker, an aborted record, an expired range: the end moves on, and nothing is there. */
  appendPlace(shard: SimShard): void {
    shard.places.push(this.#nextPosition(shard));
  }

  openShards(): SimShard[] {
    return this.current.filter((shard) => shard.closedAt === undefined);
  }

  shard(shardId: string): SimShard | undefined {
    return this.#current.get(shardId);
  }

  /** The log of this id; without one the newest of the name, gone or not. */
  log(shardId: string, logId: string | undefined): SimShard | undefined {
    if (logId === undefined) return this.shards.findLast((shard) => shard.shardId === shardId);
    return this.shards.find((shard) => logIdOf(shard) === logId);
  }

  /** Deleted, with all that it holds. */
  remove(): void {
    for (const shard of this.#current.values()) shard.goneAt = this.#now();
    this.#current.clear();
    this.#isAway = true;
  }

  /** Made anew: names begin again, positions too or far behind all that there was. */
  make(shardCount: number, isLower: boolean): void {
    this.#isAway = false;
    this.#life++;
    this.#lastPosition = isLower ? 0 : this.#lastPosition + 1_000;
    this.#addShards(shardCount);
  }

  /** An open shard loses all but its first records, and goes on from there. */
  loseEnd(shard: SimShard, kept: number): boolean {
    if (shard.closedAt !== undefined || shard.goneAt !== undefined) return false;
    const to = shard.records[kept - 1]?.position ?? "0";
    shard.goneAt = this.#now();
    const log: SimShard = {
      ...shard,
      ordinal: this.shards.length,
      records: shard.records.slice(0, kept),
      trimmedAt: shard.trimmedAt.slice(0, kept),
      places: shard.places.filter((place) => comparePositions(place, to) <= 0),
      before: { log: shard, kept, to },
      goneAt: undefined,
      endPosition: Number(to),
    };
    this.#enter(log);
    return true;
  }

  /** Closes a shard; its two halves follow it. */
  split(shard: SimShard): boolean {
    if (shard.closedAt !== undefined) return false;
    shard.closedAt = this.#now();
    const middle = (shard.from + shard.to) / 2;
    this.#addShard([shard], shard.from, middle);
    this.#addShard([shard], middle, shard.to);
    return true;
  }

  /** Closes a shard and its right neighbour; one shard follows both. */
  merge(left: SimShard): boolean {
    const right = this.openShards().find((shard) => shard.from === left.to);
    if (left.closedAt !== undefined || right === undefined) return false;
    left.closedAt = this.#now();
    right.closedAt = this.#now();
    this.#addShard([left, right], left.from, right.to);
    return true;
  }

  /** The retention of the source reached the first `share` of what is there. */
  trim(shard: SimShard, share: number): number {
    const until = Math.floor(shard.records.length * share);
    const before = shard.trimmedAt.length;
    while (shard.trimmedAt.length < until) shard.trimmedAt.push(this.#now());
    return shard.trimmedAt.length - before;
  }

  #shardOf(key: string): SimShard {
    const place = this.keyHash(key);
    const shard = this.openShards().find((candidate) => candidate.from <= place && place < candidate.to);
    if (shard === undefined) throw new Error(`no open shard holds key ${key} at ${place}`);
    return shard;
  }

  /** Where a key stands on the ring of 0…1. */
  keyHash(key: string): number {
    let place = this.#keyHashes.get(key);
    if (place === undefined) {
      place = this.#random.fork(key).next();
      this.#keyHashes.set(key, place);
    }
    return place;
  }

  #addShard(parents: readonly SimShard[], from: number, to: number): void {
    this.#enter({
      ordinal: this.shards.length,
      life: this.#life,
      shardId: `shardId-${String(this.#current.size).padStart(12, "0")}`,
      parents,
      from,
      to,
      records: [],
      trimmedAt: [],
      places: [],
      before: undefined,
      closedAt: undefined,
      goneAt: undefined,
      endPosition: undefined,
    });
  }

  #enter(shard: SimShard): void {
    this.shards.push(shard);
    this.#current.set(shard.shardId, shard);
  }
}
