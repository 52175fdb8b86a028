import type { Checkpoint } from "../../src/model/checkpoint.ts";
import { indexAtOrAfter, startIndex } from "./world/log.ts";
import type { SimShard } from "./world/stream.ts";

/** Indexes of a shard, without the last one. */
export type IndexRange = readonly [from: number, to: number];

/** What a checkpoint says is settled, in indexes of the shard: all below `reached`, and each range. */
export class SettledPlaces {
  readonly reached: number;
  readonly ranges: readonly IndexRange[];
  /** The same places, in order, and none twice: they are asked for each record of each checkpoint. */
  readonly #ordered: readonly IndexRange[];

  constructor(reached: number, ranges: readonly IndexRange[]) {
    this.reached = reached;
    this.ranges = ranges;
    this.#ordered = isOrdered(ranges) ? ranges : merged(ranges);
  }

  has(index: number): boolean {
    if (index < this.reached) return true;
    let low = 0;
    let high = this.#ordered.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const range = this.#ordered[middle];
      if (range === undefined || index < range[0]) high = middle;
      else if (index < range[1]) return true;
      else low = middle + 1;
    }
    return false;
  }
}

function isOrdered(ranges: readonly IndexRange[]): boolean {
  let end = 0;
  for (const range of ranges) {
    if (range[0] < end) return false;
    end = range[1];
  }
  return true;
}

function merged(ranges: readonly IndexRange[]): readonly IndexRange[] {
  const ordered: [from: number, to: number][] = [];
  for (const [from, to] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const last = ordered.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
    else ordered.push([from, to]);
  }
  return ordered;
}

/** Several checkers ask, of a shard to which nothing comes any more. */
const known = new WeakMap<SimShard, Map<Checkpoint, SettledPlaces>>();

export function settledPlaces(shard: SimShard, checkpoint: Checkpoint): SettledPlaces {
  let ofShard = known.get(shard);
  if (ofShard === undefined) {
    ofShard = new Map();
    known.set(shard, ofShard);
  }
  let places = ofShard.get(checkpoint);
  if (places === undefined) {
    places = createPlaces(shard, checkpoint);
    ofShard.set(checkpoint, places);
  }
  return places;
}

function createPlaces(shard: SimShard, { resume, settledRanges }: Checkpoint): SettledPlaces {
  const ranges: IndexRange[] = [];
  for (const { from, to } of settledRanges) {
    const first = indexAtOrAfter(shard, from);
    const last = indexAtOrAfter(shard, to);
    const end = shard.records[last]?.place === Number(to) ? last + 1 : last;
    // Positions that hold no record make no range of records.
    if (first < end) ranges.push([first, end]);
  }
  return new SettledPlaces(startIndex(shard, resume), ranges);
}
