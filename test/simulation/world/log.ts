import type { Position, StartPoint } from "../../../src/model/record.ts";
import type { SimRecord, SimShard } from "./stream.ts";

export function logIdOf(shard: SimShard): string {
  return `log-${shard.ordinal}`;
}

/** How far two logs are the same: so many records, up to that position. */
export interface SharedPart {
  readonly records: number;
  readonly to: Position | undefined;
}

/** What a log has of the one with this id; `undefined`: nothing, it was made anew. `to` is `undefined`: all of it. */
export function sharedPart(shard: SimShard, logId: string): SharedPart | undefined {
  let shared: SharedPart = { records: shard.records.length, to: undefined };
  for (let log = shard; logIdOf(log) !== logId; log = log.before.log) {
    if (log.before === undefined) return undefined;
    const { kept, to } = log.before;
    if (shared.to === undefined || comparePositions(to, shared.to) < 0) shared = { records: kept, to };
  }
  return shared;
}

/** The record is one of this log. */
export function isIn(shard: SimShard, record: SimRecord): boolean {
  return shard.records[record.index] === record;
}

/** The last position of a shard, with or without a record; `undefined`: it is empty. */
export function endOf(shard: SimShard): Position | undefined {
  const record = shard.records.at(-1)?.position;
  const place = shard.places.at(-1);
  if (record === undefined || place === undefined) return record ?? place;
  return comparePositions(record, place) > 0 ? record : place;
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
