import type { Checkpoint } from "../../src/model/checkpoint.ts";
import { indexAtOrAfter, startIndex } from "./world/log.ts";
import type { SimShard } from "./world/stream.ts";

/** What a checkpoint says is settled, in indexes of the shard: all below `reached`, and `[from, to)` of each range. */
export interface SettledPlaces {
  readonly reached: number;
  readonly ranges: readonly (readonly [from: number, to: number])[];
}

/** Several checkers ask, of a shard to which nothing comes any more. */
const known = new WeakMap<Checkpoint, { readonly shard: SimShard; readonly places: SettledPlaces }>();

export function settledPlaces(shard: SimShard, checkpoint: Checkpoint): SettledPlaces {
  const before = known.get(checkpoint);
  if (before?.shard === shard) return before.places;
  const ranges = checkpoint.settledRanges.map(({ from, to }) => {
    const last = indexAtOrAfter(shard, to);
    const isThere = shard.records[last]?.place === Number(to);
    return [indexAtOrAfter(shard, from), isThere ? last + 1 : last] as const;
  });
  // Positions that hold no record make no range of records.
  const filled = ranges.filter(([from, to]) => from < to);
  const places = { reached: startIndex(shard, checkpoint.resume), ranges: filled };
  known.set(checkpoint, { shard, places });
  return places;
}

export function isSettledIn({ reached, ranges }: SettledPlaces, index: number): boolean {
  if (index < reached) return true;
  for (const [from, to] of ranges) if (from <= index && index < to) return true;
  return false;
}
