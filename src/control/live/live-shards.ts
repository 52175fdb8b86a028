import type { LaneExplanation, ShardExplanation } from "../../engine/engine.ts";
import { isBad, placeOf, type SeenMapping, type ToldPart } from "../told-parts.ts";

/**
 * `idle`: nothing is in it; `waits`: records wait for their batch, or for a place to run; `runs`: a batch is under way;
 * `retries`: it failed and is tried again; `blocked`: it fails and has brought nothing to an end for half a minute.
 */
export type LaneState = "idle" | "waits" | "runs" | "retries" | "blocked";

export interface LiveShard {
  readonly shardId: string;
  readonly process: string;
  readonly reading: string;
  readonly bufferedRecords: number;
  readonly settledRecords: number;
  readonly lagMs: number | null;
  /** One for each lane, from lane 0 on. */
  readonly lanes: readonly LaneState[];
}

/** A stretch of a mapping's shards, worst first. */
export interface ShardStretch {
  readonly shards: readonly LiveShard[];
  readonly shardsFrom: number;
  /** That processes told of. */
  readonly shardsTotal: number;
  /** How far the last of these is behind, so that bars have one measure. */
  readonly lagMaxMs: number;
}

interface TakenShard {
  readonly shard: ShardExplanation;
  readonly process: string;
  readonly gravity: number;
}

export function shardStretch(
  living: readonly SeenMapping[],
  parts: readonly ToldPart[],
  lanes: number,
  { from, max }: { readonly from: number; readonly max: number },
): ShardStretch {
  const byShard = badByShard(parts);
  const taken = living.flatMap(({ process, mapping: { explanation } }): readonly TakenShard[] => {
    if (explanation?.kind !== "stream") return [];
    return explanation.shards.map((shard) => ({
      shard,
      process: process.snapshot.processId,
      gravity: Math.max(0, ...(byShard.get(shard.shardId) ?? []).map(gravityOfStanding)),
    }));
  });
  const sorted = taken.toSorted(
    (a, b) =>
      b.gravity - a.gravity ||
      (b.shard.lagMs ?? 0) - (a.shard.lagMs ?? 0) ||
      (a.shard.shardId < b.shard.shardId ? -1 : 1),
  );
  return {
    shards: sorted
      .slice(from, from + max)
      .map((each) => liveShard(each, byShard.get(each.shard.shardId) ?? [], lanes)),
    shardsFrom: from,
    shardsTotal: sorted.length,
    lagMaxMs: taken.reduce((most, { shard }) => Math.max(most, shard.lagMs ?? 0), 0),
  };
}

function badByShard(parts: readonly ToldPart[]): ReadonlyMap<string, readonly ToldPart[]> {
  const found = new Map<string, ToldPart[]>();
  for (const part of parts) {
    if (!isBad(part)) continue;
    const { shardId } = placeOf(part.part);
    const known = found.get(shardId);
    if (known === undefined) found.set(shardId, [part]);
    else known.push(part);
  }
  return found;
}

function gravityOfStanding({ gravity, stands }: ToldPart): number {
  return gravity + (stands ? 1 : 0);
}

function liveShard({ shard, process }: TakenShard, bad: readonly ToldPart[], lanes: number): LiveShard {
  const busy = new Map(shard.lanes.map((lane) => [lane.lane, lane]));
  const standing = new Set(bad.filter(({ stands }) => stands).map(({ part }) => placeOf(part).lane));
  return {
    shardId: shard.shardId,
    process,
    reading: shard.reading,
    bufferedRecords: shard.bufferedRecords,
    settledRecords: shard.settledRecords,
    lagMs: shard.lagMs ?? null,
    lanes: Array.from({ length: lanes }, (_, lane) => laneState(busy.get(lane), standing.has(lane))),
  };
}

function laneState(lane: LaneExplanation | undefined, isStanding: boolean): LaneState {
  if (isStanding) return "blocked";
  if (lane?.batch === undefined) return lane !== undefined && lane.waitingRecords > 0 ? "waits" : "idle";
  const { failures, throttles, failure } = lane.batch;
  if (failures + throttles > 0 || failure !== undefined) return "retries";
  return lane.batch.doing === "queued" ? "waits" : "runs";
}
