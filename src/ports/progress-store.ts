import type { Checkpoint } from "../model/checkpoint.ts";
import type { Shard } from "../model/record.ts";

/**
 * Keeper of leases and checkpoints: one record per shard of a mapping, since fencing needs one conditional write.
 *
 * A source whose broker coordinates brings its own (`StreamSource.progress`): the broker decides who reads a shard, so
 * it lists this process's shards only, `requestHandover` asks nobody, and the epoch is the broker's own fencing number.
 *
 * Laws, which the contract suite `test/contract/progress-store.ts` checks of every adapter:
 * - The epoch of a shard rises at every successful `acquire`, by one where the store counts itself, and never
 *   otherwise.
 * - `renew`, `checkpoint`, `release` take effect only for the owner and epoch that hold the lease now, and answer
 *   `fenced` otherwise.
 * - A checkpoint never goes backwards: within an epoch only a higher revision is stored, a lower one answers `stale`.
 * - What was written is what is read: by any process that opens the same store, also after a restart.
 * - A call that fails rejects with `ERR_MILLRACE_STORE_UNAVAILABLE`; whether it took effect is then *unknown*, and the
 *   caller reads the record back before it relies on either.
 */
export interface ProgressStore {
  /**
   * Where a broker coordinates: for so long after a renewal it gives the shard to nobody else. Never shorter than the
   * engine's lease.
   */
  readonly sessionMs?: number;
  /** All shard records of a mapping; empty for a mapping that was never started. */
  list(mappingUuid: string): Promise<readonly ShardProgress[]>;
  /**
   * Creates the records of a mapping's first discovery, all or none, when it has none yet; otherwise does nothing.
   * So the starting position is applied once, however often a start is cut off.
   */
  initialise(mappingUuid: string, shards: readonly NewShard[]): Promise<void>;
  /** Adds shards found later; those that exist are left as they are. */
  add(mappingUuid: string, shards: readonly NewShard[]): Promise<void>;
  /** Takes a lease that is as the caller last saw it: same epoch and same counter. Otherwise `undefined`. */
  acquire(
    mappingUuid: string,
    shardId: string,
    owner: string,
    seen: LeaseSight,
  ): Promise<ShardProgress | undefined>;
  /** Moves the counter: a sign of life that other processes look for. */
  renew(mappingUuid: string, lease: HeldLease): Promise<Renewal>;
  checkpoint(
    mappingUuid: string,
    lease: HeldLease,
    checkpoint: Checkpoint,
  ): Promise<"stored" | "stale" | "fenced">;
  /** Gives up a lease, after its last checkpoint. The record stays; its owner becomes undefined. */
  release(mappingUuid: string, lease: HeldLease): Promise<"released" | "fenced">;
  /** Asks the present owner to drain and release. Advice: the owner sees it at its next renewal. */
  requestHandover(mappingUuid: string, shardId: string, seen: LeaseSight, claimant: string): Promise<void>;
  /** Forgets a shard, once the source has forgotten it and it is ended, or a whole mapping. */
  remove(mappingUuid: string, shardId?: string): Promise<void>;
  /**
   * Calls the listener whenever a look at the leases would find something new: shards given, or to be handed over, or
   * lost. Only where the store comes to know of it by itself; otherwise a look at every interval is soon enough.
   * Returns how to end it.
   */
  onChange?(mappingUuid: string, listener: () => void): () => void;
  /** Where a broker divides the shards: whether it has, as far as this process knows. `sinceMs`: monotonic. */
  division?(): { readonly kind: "dividing" | "divided"; readonly sinceMs: number };
  close(): Promise<void>;
}

export interface NewShard {
  readonly shard: Shard;
  readonly checkpoint: Checkpoint;
  /**
   * Its epochs are higher than this; absent: than 0. A record that was removed and is made again must have other epochs
   * than before: what was seen of the old one's lease, or held of it, is to say nothing of the new one's.
   */
  readonly epoch?: number;
}

export interface LeaseSight {
  readonly epoch: number;
  readonly counter: number;
}

export interface HeldLease {
  readonly shardId: string;
  readonly owner: string;
  readonly epoch: number;
}

export type Renewal =
  | { readonly kind: "renewed"; readonly handoverTo: string | undefined }
  | { readonly kind: "fenced" };

export interface ShardProgress {
  readonly shardId: string;
  readonly parentShardIds: readonly string[];
  readonly owner: string | undefined;
  /** That of its `NewShard` for a shard that was never owned. */
  readonly epoch: number;
  /** Moves with every acquire, renew and release. */
  readonly counter: number;
  readonly handoverTo: string | undefined;
  readonly checkpoint: Checkpoint;
  /**
   * For people: why the shard begins where it does though nothing was stored for it. Told when it is taken, and in
   * status.
   */
  readonly begun?: string;
}
