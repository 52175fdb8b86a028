import type { ShardProgress } from "../../ports/progress-store.ts";

/**
 * Shards that may be worked on: not ended, and every parent ended, that is, read to its end and settled (streams §2).
 * A parent that neither the store nor the source knows any more is long past; one that only the source knows is still
 * to be recorded, and its children wait.
 */
export function startableShards(rows: readonly ShardProgress[], listedShardIds: ReadonlySet<string>) {
  const byId = new Map(rows.map((row) => [row.shardId, row]));
  const isPast = (parentId: string) => {
    const parent = byId.get(parentId);
    return parent === undefined ? !listedShardIds.has(parentId) : parent.checkpoint.ended;
  };
  const open = rows.filter((row) => !row.checkpoint.ended);
  return {
    startable: open.filter((row) => row.parentShardIds.every(isPast)),
    waiting: open.filter((row) => !row.parentShardIds.every(isPast)),
  };
}
