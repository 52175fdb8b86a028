import type { Checkpoint } from "../../../src/model/checkpoint.ts";
import type { StartPoint } from "../../../src/model/record.ts";
import type { MappingHistory } from "../history.ts";
import type { QueueHistory } from "../queue-history.ts";
import { leaseKey } from "./lease-key.ts";
import { comparePositions, endOf, logIdOf, sharedPart, startIndex } from "./log.ts";
import type { HeldWork } from "./standstill-watch.ts";
import type { StoreRows } from "./store-rows.ts";
import type { SimShard } from "./stream.ts";

/**
 * Whether all of a mapping is brought to its end, durably: also what holds no record, and what of it another log has
 * replaced.
 */
export function hasSettled({ mapping, stream }: MappingHistory, rows: StoreRows): boolean {
  if (stream.isAway) return false;
  const isPast = stream.current.every((shard) => {
    const progress = rows.find(mapping.uuid, shard.shardId);
    if (progress === undefined) return false;
    const { checkpoint, owner } = progress;
    if (!isOf(shard, checkpoint) || !hasReachedEnd(shard, checkpoint)) return false;
    if (checkpoint.window !== undefined) return false;
    return shard.closedAt === undefined ? owner !== undefined : checkpoint.ended;
  });
  // Shards that the source has no more.
  const isOver = rows
    .list(mapping.uuid)
    .every(({ shardId, checkpoint }) => stream.shard(shardId) !== undefined || checkpoint.ended);
  return isPast && isOver;
}

/** The checkpoint is of this log, as far as it says. */
function isOf(shard: SimShard, { logId }: Checkpoint): boolean {
  return logId === undefined || logId === logIdOf(shard);
}

export function hasReachedEnd(shard: SimShard, { revision, resume, ended }: Checkpoint): boolean {
  // Registered as behind the starting position.
  if (ended && revision === 0) return true;
  const reached = Math.max(startIndex(shard, resume), shard.trimmedAt.length);
  if (reached < shard.records.length) return false;
  if (ended || shard.places.length === 0) return true;
  const end = endOf(shard);
  // A time that nothing has come since is a place behind all that there is.
  if (resume.kind !== "after") return resume.kind === "timestamp";
  return end !== undefined && comparePositions(resume.position, end) >= 0;
}

/** What a mapping's shards hold, and how far each has come. */
export function openWork({ mapping, stream }: MappingHistory, rows: StoreRows): readonly HeldWork[] {
  return stream.current.flatMap((shard): HeldWork[] => {
    const row = rows.find(mapping.uuid, shard.shardId);
    if (row === undefined) return [];
    const { checkpoint, owner } = row;
    const { revision: _revision, ...reached } = checkpoint;
    const log = stream.log(shard.shardId, checkpoint.logId) ?? shard;
    const shared = sharedPart(shard, logIdOf(log))?.records ?? 0;
    const index = Math.max(Math.min(startIndex(log, checkpoint.resume), shared), shard.trimmedAt.length);
    const hasWork = index < shard.records.length || checkpoint.window !== undefined;
    const { uuid, name } = mapping;
    return [{ uuid, name, shardId: shard.shardId, hasWork, owner, progress: JSON.stringify(reached) }];
  });
}

/** A start by timestamp may lie behind all records that were there when it was registered. */
export function fillOwed(history: MappingHistory): void {
  const { stream, startPoints, owedFrom } = history;
  for (const shard of stream.shards) {
    const start = startPoints[shard.ordinal];
    owedFrom[shard.ordinal] = start === undefined ? owedOfAnew(history, shard) : startIndex(shard, start);
  }
}

/**
 * A log that nobody registered, since the one before it was known: all of it is owed, or what is written behind its
 * lost end.
 */
function owedOfAnew({ stream, startPoints, owedFrom }: MappingHistory, shard: SimShard): number | undefined {
  const { shardId, ordinal, before } = shard;
  if (before === undefined) {
    const isKnown = stream.shards.some(
      (log) => log.shardId === shardId && log.ordinal < ordinal && owedFrom[log.ordinal] !== undefined,
    );
    return isKnown ? 0 : undefined;
  }
  const from = owedFrom[before.log.ordinal];
  const start = firstStart(startPoints, before.log);
  if (start?.kind === "timestamp" && Number.isFinite(start.epochMs)) return startIndex(shard, start);
  return from === undefined ? undefined : Math.min(from, before.kept);
}

/** Ends may be lost in a row: a time that was asked for holds in all logs that follow the one that was registered. */
function firstStart(startPoints: MappingHistory["startPoints"], log: SimShard): StartPoint | undefined {
  return startPoints[log.ordinal] ?? (log.before && firstStart(startPoints, log.before.log));
}

export function leasesLeft(
  all: readonly (MappingHistory | QueueHistory)[],
  rows: StoreRows,
): { lease: string; owner: string }[] {
  const left: { lease: string; owner: string }[] = [];
  for (const { mapping } of all) {
    for (const { shardId, owner, checkpoint } of rows.list(mapping.uuid)) {
      // Nobody needs the lease of a shard that has ended.
      if (owner !== undefined && !checkpoint.ended)
        left.push({ lease: leaseKey(mapping.uuid, shardId), owner });
    }
  }
  return left;
}
