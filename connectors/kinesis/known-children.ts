import type { Shard } from "../../src/model/record.ts";
import type { KinesisShardEntry } from "./kinesis-api.ts";

/**
 * Shards that the end of their parent named and that no listing has shown yet: a listing may lag behind, and children
 * that are found late begin late.
 */
export class KnownChildren {
  readonly #unlisted = new Map<string, KinesisShardEntry>();

  add(shards: readonly KinesisShardEntry[]): void {
    for (const shard of shards) this.#unlisted.set(shard.shardId, shard);
  }

  merge(listed: readonly KinesisShardEntry[]): readonly Shard[] {
    // Listed once, a shard is not needed here any more, and is not to come back when the listing drops it.
    for (const { shardId } of listed) this.#unlisted.delete(shardId);
    return [...listed, ...this.#unlisted.values()].map(({ shardId, parentShardIds, closed }) => ({
      shardId,
      parentShardIds,
      closed,
    }));
  }
}
