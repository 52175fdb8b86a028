import { initialCheckpoint } from "../../model/checkpoint.ts";
import type { StreamMapping } from "../../model/mapping.ts";
import type { Shard } from "../../model/record.ts";
import type { NewShard, ProgressStore, ShardProgress } from "../../ports/progress-store.ts";
import type { StreamSource } from "../../ports/stream-source.ts";

/**
 * Records a mapping's shards in the store. The starting position is applied to the shards of the first discovery only,
 * all at once; shards found later begin at their oldest record, or records would be lost (streams §2).
 * Returns the ids that the source lists now.
 */
export async function discoverShards(
  mapping: StreamMapping,
  source: StreamSource,
  store: ProgressStore,
  rows: readonly ShardProgress[],
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const shards = await source.listShards(signal);
  if (rows.length === 0) {
    const first = await Promise.all(shards.map((shard) => firstShard(mapping, source, shard, signal)));
    await store.initialise(mapping.uuid, first);
  } else {
    const known = new Set(rows.map((row) => row.shardId));
    const found = shards.filter(({ shardId }) => !known.has(shardId));
    const added = found.map((shard) => ({ shard, checkpoint: initialCheckpoint({ kind: "oldest" }) }));
    if (added.length > 0) await store.add(mapping.uuid, added);
  }
  const listed = new Set(shards.map(({ shardId }) => shardId));
  await forgetPastShards(mapping, store, rows, listed);
  return listed;
}

async function firstShard(
  mapping: StreamMapping,
  source: StreamSource,
  shard: Shard,
  signal: AbortSignal,
): Promise<NewShard> {
  const { startingPosition } = mapping;
  switch (startingPosition.kind) {
    case "TRIM_HORIZON":
      return { shard, checkpoint: initialCheckpoint({ kind: "oldest" }) };
    case "AT_TIMESTAMP":
      return {
        shard,
        checkpoint: initialCheckpoint({ kind: "timestamp", epochMs: startingPosition.epochMs }),
      };
    case "LATEST":
      return {
        shard,
        checkpoint: initialCheckpoint(await source.captureLatest(shard.shardId, signal), shard.closed),
      };
  }
}

/** Shards that are ended here and gone at the source: nothing asks for them any more. */
async function forgetPastShards(
  mapping: StreamMapping,
  store: ProgressStore,
  rows: readonly ShardProgress[],
  listed: ReadonlySet<string>,
): Promise<void> {
  for (const row of rows) {
    if (row.checkpoint.ended && row.owner === undefined && !listed.has(row.shardId)) {
      await store.remove(mapping.uuid, row.shardId);
    }
  }
}
