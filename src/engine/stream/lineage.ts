import type { Checkpoint } from "../../model/checkpoint.ts";
import type { Shard } from "../../model/record.ts";
import type { ShardProgress } from "../../ports/progress-store.ts";

/** What the source has said of its shards. */
export interface KnownLineage {
  /** The newest listing. Where a shard was made anew under its name, its parents are those listed. */
  readonly listed: ReadonlyMap<string, Shard>;
  /** Shards that are long past: the source itself does not know them any more (`ShardInquiry`). */
  readonly past: Pick<ReadonlySet<string>, "has">;
  /** Shards that are another log in their rows than in the listing, which may be the older word (`RowSightings`). */
  readonly unsure: Pick<ReadonlySet<string>, "has">;
}

/** Calls that a look costs for shards that wait and are not listed. */
const UNLISTED_ASKED_MAX = 4;

/**
 * Shards that may be worked on: not ended, or listed as another log than the one that was ended, and every parent
 * ended, that is, read to its end and settled (streams §2.5). A parent that has no row, or that is not listed and may
 * be another log by now, is waited for until the source says that it is past: it may only be missing in a listing.
 */
export function startableShards(rows: readonly ShardProgress[], lineage: KnownLineage) {
  const byId = new Map(rows.map((row) => [row.shardId, row]));
  const parentsOf = (row: ShardProgress) =>
    lineage.listed.get(row.shardId)?.parentShardIds ?? row.parentShardIds;
  const startable: ShardProgress[] = [];
  const waiting: ShardProgress[] = [];
  const unknown = new Set<string>();
  for (const row of rows) {
    if (lineage.unsure.has(row.shardId)) {
      if (!row.checkpoint.ended) waiting.push(row);
      continue;
    }
    const isOther = isOtherLog(row.checkpoint, lineage.listed.get(row.shardId));
    // plant: an-ended-shard-that-is-another-log-by-now-stays-ended
    if (row.checkpoint.ended && !isOther) continue;
    // What has been worked on already was startable once, and stays it.
    const isBegun = row.checkpoint.revision > 0 && !isOther;
    const open = isBegun || isGone(row, lineage) ? [] : openParents(parentsOf(row), byId, lineage);
    // plant: a-merged-child-waits-for-one-of-its-parents-only
    (open.length === 0 ? startable : waiting).push(row);
    for (const parentId of open) if (isAskedFor(parentId, byId, lineage)) unknown.add(parentId);
  }
  const unlisted = waiting.filter(({ shardId }) => !lineage.listed.has(shardId));
  for (const { shardId } of unlisted.slice(0, UNLISTED_ASKED_MAX)) unknown.add(shardId);
  return { startable, waiting, unknown };
}

/** The parents that a shard waits for. */
export function waitedFor(
  row: ShardProgress,
  rows: readonly ShardProgress[],
  lineage: KnownLineage,
): readonly string[] {
  const parents = lineage.listed.get(row.shardId)?.parentShardIds ?? row.parentShardIds;
  const byId = new Map(
    rows.filter(({ shardId }) => parents.includes(shardId)).map((each) => [each.shardId, each]),
  );
  return openParents(parents, byId, lineage);
}

/**
 * The stream was made anew without it: it would wait for ever for parents that are others by now. Who begins it
 * finds its end.
 */
function isGone({ shardId }: ShardProgress, { listed, past }: KnownLineage): boolean {
  return !listed.has(shardId) && past.has(shardId);
}

/** Whether only the source can say that this open parent is past: nobody here reads it to its end. */
export function isAskedFor(
  parentId: string,
  rows: ReadonlyMap<string, ShardProgress>,
  { listed }: KnownLineage,
): boolean {
  return !listed.has(parentId) && rows.get(parentId)?.checkpoint.ended !== false;
}

/**
 * Those that are not past. One that had ended and is another log by now has not: by the listing, and where that leaves
 * it out by nobody's word but the source's.
 */
export function openParents(
  parentIds: readonly string[],
  rows: ReadonlyMap<string, ShardProgress>,
  { listed, past }: KnownLineage,
): readonly string[] {
  return parentIds.filter((parentId) => {
    const checkpoint = rows.get(parentId)?.checkpoint;
    if (checkpoint === undefined) return !past.has(parentId);
    const shard = listed.get(parentId);
    // plant: an-ended-parent-that-one-listing-leaves-out-is-taken-for-past
    const mayBeOther = shard === undefined && checkpoint.logId !== undefined && !past.has(parentId);
    // plant: a-child-starts-before-its-parents-are-done
    return !checkpoint.ended || mayBeOther || isOtherLog(checkpoint, shard);
  });
}

/** Both say which log they are, and it is not the same. */
export function isOtherLog({ logId }: Checkpoint, shard: Shard | undefined): boolean {
  return logId !== undefined && shard?.logId !== undefined && logId !== shard.logId;
}
