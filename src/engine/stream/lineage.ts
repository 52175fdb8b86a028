import type { Shard } from "../../model/record.ts";
import type { ShardProgress } from "../../ports/progress-store.ts";

/** What the source has said of its shards. */
export interface KnownLineage {
  /** The newest listing. Where a shard was made anew under its name, its parents are those listed. */
  readonly listed: ReadonlyMap<string, Shard>;
  /** Parents that are long past: the source itself does not know them any more (`ShardInquiry`). */
  readonly past: ReadonlySet<string>;
}

/**
 * Shards that may be worked on: not ended, and every parent ended, that is, read to its end and settled (streams §2.5).
 * A parent that has no row is waited for until the source says that it is past: it may only be missing in a listing.
 */
export function startableShards(rows: readonly ShardProgress[], { listed, past }: KnownLineage) {
  const byId = new Map(rows.map((row) => [row.shardId, row]));
  const isPast = (parentId: string) => byId.get(parentId)?.checkpoint.ended ?? past.has(parentId);
  const parentsOf = (row: ShardProgress) => listed.get(row.shardId)?.parentShardIds ?? row.parentShardIds;
  const startable: ShardProgress[] = [];
  const waiting: ShardProgress[] = [];
  const unknownParents = new Set<string>();
  for (const row of rows) {
    if (row.checkpoint.ended) continue;
    // What has been worked on already was startable once, and stays it.
    const open = row.checkpoint.revision > 0 ? [] : parentsOf(row).filter((parentId) => !isPast(parentId));
    (open.length === 0 ? startable : waiting).push(row);
    for (const parentId of open) if (!byId.has(parentId)) unknownParents.add(parentId);
  }
  return { startable, waiting, unknownParents };
}
