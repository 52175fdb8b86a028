import type { Checkpoint } from "../../src/model/checkpoint.ts";
import { comparePositions, indexAtOrAfter, type SimShard, startIndex } from "./world/stream.ts";

/** What a checkpoint says is settled, in indexes of the shard: all below `reached`, and `[from, to)` of each range. */
export interface SettledPlaces {
  readonly reached: number;
  readonly ranges: readonly (readonly [from: number, to: number])[];
}

export function settledPlaces(shard: SimShard, checkpoint: Checkpoint): SettledPlaces {
  const ranges = checkpoint.settledRanges.map(({ from, to }) => {
    const last = indexAtOrAfter(shard, to);
    const isThere = comparePositions(shard.records[last]?.position ?? "-1", to) === 0;
    return [indexAtOrAfter(shard, from), isThere ? last + 1 : last] as const;
  });
  return { reached: startIndex(shard, checkpoint.resume), ranges };
}

export function isSettledIn({ reached, ranges }: SettledPlaces, index: number): boolean {
  return index < reached || ranges.some(([from, to]) => from <= index && index < to);
}
