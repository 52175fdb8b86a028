import { initialCheckpoint } from "../../model/checkpoint.ts";
import type { Shard } from "../../model/record.ts";
import type { NewShard } from "../../ports/progress-store.ts";
import type { StreamSource } from "../../ports/stream-source.ts";

/** A first listing is made so often at most, until it shows all parents that the source knows. */
const LISTINGS_MAX = 5;
/** Parents that are asked for after each of them, since calls are scarce. */
const INQUIRIES_MAX = 4;

type ListingSource = Pick<StreamSource, "listShards" | "knowsShard">;

export interface FirstListing {
  readonly shards: readonly Shard[];
  /** Parents of them that are past, or that no listing showed. */
  readonly past: readonly NewShard[];
}

/**
 * Lists again while the source knows a parent that its listings leave out: a parent that has a row of its own is known
 * by its log, and is not taken for the same when its stream is made anew.
 */
export async function listWithParents(source: ListingSource, signal: AbortSignal): Promise<FirstListing> {
  const shards = new Map<string, Shard>();
  for (let listings = 1; ; listings++) {
    for (const shard of await source.listShards(signal)) shards.set(shard.shardId, shard);
    const parents = unlistedParents(shards);
    // plant: a-parent-that-the-first-listing-leaves-out-is-taken-for-past
    const isComplete = !(await knowsOne(source, parents, signal));
    if (isComplete || listings === LISTINGS_MAX) {
      return { shards: [...shards.values()], past: parents.map((shard) => pastShard(shard, isComplete)) };
    }
  }
}

async function knowsOne(
  source: ListingSource,
  parents: readonly Shard[],
  signal: AbortSignal,
): Promise<boolean> {
  for (const { shardId } of parents.slice(0, INQUIRIES_MAX)) {
    if (await source.knowsShard?.(shardId, signal)) return true;
  }
  return false;
}

/** They had ended, since their children are there. A child waits for no parent of which there is nothing to read. */
function unlistedParents(shards: ReadonlyMap<string, Shard>): readonly Shard[] {
  const parents = new Map<string, Shard>();
  for (const child of shards.values()) {
    for (const shardId of child.parentShardIds) {
      if (!shards.has(shardId)) parents.set(shardId, { ...child, shardId, parentShardIds: [], closed: true });
    }
  }
  return [...parents.values()];
}

/** One that the source denies was of the log of its child: what is listed under its name from now on is another. */
function pastShard(shard: Shard, isDenied: boolean): NewShard {
  const checkpoint = initialCheckpoint({ kind: "oldest" }, true);
  const { logId } = shard;
  return { shard, checkpoint: isDenied && logId !== undefined ? { ...checkpoint, logId } : checkpoint };
}
