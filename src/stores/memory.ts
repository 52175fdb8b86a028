import type { Checkpoint } from "../model/checkpoint.ts";
import type { HeldLease, NewShard, ProgressStore, ShardProgress } from "../ports/progress-store.ts";

interface Entry {
  progress: ShardProgress;
  /** Epoch that wrote the checkpoint; 0: the starting position. */
  checkpointEpoch: number;
}

/**
 * Keeps progress for the life of one process: for trials and tests. `close` forgets nothing, so that one store may
 * serve several engines one after the other.
 */
export function createMemoryStore(): ProgressStore {
  return new MemoryStore();
}

class MemoryStore implements ProgressStore {
  readonly #mappings = new Map<string, Map<string, Entry>>();

  async list(mappingUuid: string): Promise<readonly ShardProgress[]> {
    return [...this.#shards(mappingUuid).values()].map((entry) => entry.progress);
  }

  async initialise(mappingUuid: string, shards: readonly NewShard[]): Promise<void> {
    if (this.#shards(mappingUuid).size === 0) await this.add(mappingUuid, shards);
  }

  async add(mappingUuid: string, shards: readonly NewShard[]): Promise<void> {
    const entries = this.#shards(mappingUuid);
    for (const { shard, checkpoint, epoch = 0 } of shards) {
      if (entries.has(shard.shardId)) continue;
      const { shardId, parentShardIds } = shard;
      const unowned = { owner: undefined, epoch, counter: 0, handoverTo: undefined };
      const progress = { shardId, parentShardIds, ...unowned, checkpoint };
      entries.set(shardId, { progress, checkpointEpoch: 0 });
    }
    this.#mappings.set(mappingUuid, entries);
  }

  async acquire(
    mappingUuid: string,
    shardId: string,
    owner: string,
    seen: { readonly epoch: number; readonly counter: number },
  ): Promise<ShardProgress | undefined> {
    const entry = this.#shards(mappingUuid).get(shardId);
    if (entry === undefined) return undefined;
    const { epoch, counter } = entry.progress;
    if (epoch !== seen.epoch || counter !== seen.counter) return undefined;
    return change(entry, { owner, epoch: epoch + 1, counter: counter + 1, handoverTo: undefined });
  }

  async renew(mappingUuid: string, lease: HeldLease) {
    const entry = this.#held(mappingUuid, lease);
    if (entry === undefined) return { kind: "fenced" } as const;
    const { handoverTo } = change(entry, { counter: entry.progress.counter + 1 });
    return { kind: "renewed", handoverTo } as const;
  }

  async checkpoint(mappingUuid: string, lease: HeldLease, checkpoint: Checkpoint) {
    const entry = this.#held(mappingUuid, lease);
    if (entry === undefined) return "fenced";
    const isSameEpoch = entry.checkpointEpoch === lease.epoch;
    if (isSameEpoch && checkpoint.revision <= entry.progress.checkpoint.revision) return "stale";
    change(entry, { checkpoint });
    entry.checkpointEpoch = lease.epoch;
    return "stored";
  }

  async release(mappingUuid: string, lease: HeldLease) {
    const entry = this.#held(mappingUuid, lease);
    if (entry === undefined) return "fenced";
    change(entry, { owner: undefined, counter: entry.progress.counter + 1 });
    return "released";
  }

  async requestHandover(
    mappingUuid: string,
    shardId: string,
    seen: { readonly epoch: number },
    claimant: string,
  ) {
    const entry = this.#shards(mappingUuid).get(shardId);
    // The counter is left out of the comparison: it moves with every renewal, and advice may come a little late.
    if (entry?.progress.epoch === seen.epoch) change(entry, { handoverTo: claimant });
  }

  async remove(mappingUuid: string, shardId?: string): Promise<void> {
    if (shardId === undefined) this.#mappings.delete(mappingUuid);
    else this.#shards(mappingUuid).delete(shardId);
  }

  async close(): Promise<void> {}

  #shards(mappingUuid: string): Map<string, Entry> {
    return this.#mappings.get(mappingUuid) ?? new Map();
  }

  #held(mappingUuid: string, lease: HeldLease): Entry | undefined {
    const entry = this.#shards(mappingUuid).get(lease.shardId);
    const isHeld = entry?.progress.owner === lease.owner && entry.progress.epoch === lease.epoch;
    return isHeld ? entry : undefined;
  }
}

/** Progress that was handed out is never changed. */
function change(entry: Entry, changes: Partial<ShardProgress>): ShardProgress {
  entry.progress = { ...entry.progress, ...changes };
  return entry.progress;
}
