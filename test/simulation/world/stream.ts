import type { Position, StartPoint, StreamRecord } from "../../../src/model/record.ts";
import type { SeededRandom } from "../random.ts";

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
}

export interface SimShard {
  readonly ordinal: number;
  readonly shardId: string;
  readonly parents: readonly SimShard[];
  /** Key hashes from `from` up to, not including, `to` belong here; the whole ring is 0…1. */
  readonly from: number;
  readonly to: number;
  readonly records: SimRecord[];
  /** World time at which the record of the same index was trimmed; shorter than `records`. */
  readonly trimmedAt: number[];
  closedAt: number | undefined;
}

export interface NewRecord {
  readonly key: string;
  readonly bytes: number;
  readonly encodedBytes: number;
  readonly accepted: boolean;
  readonly poison: boolean;
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
  readonly shards: SimShard[] = [];
  readonly records: SimRecord[] = [];
  readonly #now: () => number;
  readonly #random: SeededRandom;
  readonly #keyHashes = new Map<string, number>();
  #lastPosition = 0;

  constructor(shardCount: number, now: () => number, random: SeededRandom) {
    this.#now = now;
    this.#random = random;
    for (let index = 0; index < shardCount; index++) {
      this.#addShard([], index / shardCount, (index + 1) / shardCount);
    }
  }

  append(record: NewRecord): SimRecord {
    return this.appendTo(this.#shardOf(record.key), record);
  }

  appendTo(shard: SimShard, record: NewRecord): SimRecord {
    // Numbers without leading zeros and with gaps: neither text order nor "the next one is one more" holds.
    this.#lastPosition += this.#random.int(1, 7);
    const position = String(this.#lastPosition);
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
      place: this.#lastPosition,
      accepted: record.accepted,
      poison: record.poison,
    };
    shard.records.push(appended);
    this.records.push(appended);
    return appended;
  }

  openShards(): SimShard[] {
    return this.shards.filter((shard) => shard.closedAt === undefined);
  }

  shard(shardId: string): SimShard | undefined {
    return this.shards.find((shard) => shard.shardId === shardId);
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
    const shard = this.shards.find(
      (candidate) => candidate.closedAt === undefined && candidate.from <= place && place < candidate.to,
    );
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
    const ordinal = this.shards.length;
    this.shards.push({
      ordinal,
      shardId: `shardId-${String(ordinal).padStart(12, "0")}`,
      parents,
      from,
      to,
      records: [],
      trimmedAt: [],
      closedAt: undefined,
    });
  }
}

/** Index of the first record of a shard that reading from `start` gives, trimmed ones not regarded. */
export function startIndex(shard: SimShard, start: StartPoint): number {
  switch (start.kind) {
    case "oldest":
      return 0;
    case "timestamp":
      return lowerBound(shard, start.epochMs, (record) => record.arrivedMs);
    case "after":
      // Places are whole numbers.
      return lowerBound(shard, Number(start.position) + 1, placeOf);
  }
}

export function comparePositions(a: Position, b: Position): number {
  return Number(a) - Number(b);
}

/** The last record of a run is the one at or before `position`. */
export function indexAtOrAfter(shard: SimShard, position: Position): number {
  return lowerBound(shard, Number(position), placeOf);
}

function placeOf(record: SimRecord): number {
  return record.place;
}

/** Index of the first record whose value is `least` or more. Values do not fall. */
function lowerBound(shard: SimShard, least: number, valueIn: (record: SimRecord) => number): number {
  let low = 0;
  let high = shard.records.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const record = shard.records[middle];
    if (record !== undefined && valueIn(record) >= least) high = middle;
    else low = middle + 1;
  }
  return low;
}
