import type { Shard } from "../../src/model/record.ts";
import type { HashKeyRange, KinesisShardEntry } from "./kinesis-api.ts";

/** The shards of a stream as far as this process has heard of them, from listings and from the ends of parents. */
export class KnownShards {
  #listed = new Map<string, KinesisShardEntry>();
  /** The keys of every shard that was ever heard of: a listing that leaves one out once takes nothing away. */
  readonly #hashKeys = new Map<string, HashKeyRange>();
  /**
   * Shards that the end of their parent named and that no listing has shown yet: a listing may lag behind, and children
   * that are found late begin late.
   */
  readonly #unlisted = new Map<string, KinesisShardEntry>();

  add(children: readonly KinesisShardEntry[]): void {
    for (const shard of children) {
      this.#hashKeys.set(shard.shardId, shard.hashKeys);
      if (!this.#listed.has(shard.shardId)) this.#unlisted.set(shard.shardId, shard);
    }
  }

  /** All shards, with a new listing. */
  merge(listing: readonly KinesisShardEntry[]): readonly Shard[] {
    this.#listed = new Map(listing.map((shard) => [shard.shardId, shard]));
    // Listed once, a shard is not needed there any more, and is not to come back when the listing drops it.
    for (const { shardId, hashKeys } of listing) {
      this.#unlisted.delete(shardId);
      this.#hashKeys.set(shardId, hashKeys);
    }
    return [...listing, ...this.#unlisted.values()].map(({ shardId, parentShardIds, closed }) => ({
      shardId,
      parentShardIds,
      closed,
    }));
  }

  hashKeysOf(shardId: string): HashKeyRange | undefined {
    return this.#hashKeys.get(shardId);
  }
}
