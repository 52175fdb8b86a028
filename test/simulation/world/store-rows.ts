import type { Checkpoint } from "../../../src/model/checkpoint.ts";
import type {
  HeldLease,
  LeaseSight,
  NewShard,
  Renewal,
  ShardProgress,
} from "../../../src/ports/progress-store.ts";

interface Row {
  readonly shardId: string;
  readonly parentShardIds: readonly string[];
  owner: string | undefined;
  epoch: number;
  counter: number;
  handoverTo: string | undefined;
  checkpoint: Checkpoint;
  /** Epoch that wrote the checkpoint: revisions count within one. */
  checkpointEpoch: number;
}

/** More than a shard ever has: they may begin behind a time. */
const EPOCHS_MAX = 2 ** 42;

/** The store's own state and its conditional writes: what happens once a request has arrived. */
export class StoreRows {
  readonly #mappings = new Map<string, Map<string, Row>>();
  /**
   * How often a row was removed, by mapping and shard; and of rows that were, as what each was taken, by owner and
   * epoch too.
   */
  readonly #removals = new Map<string, number>();
  readonly #takings = new Map<string, number>();

  list(mappingUuid: string): readonly ShardProgress[] {
    const rows: ShardProgress[] = [];
    for (const row of this.#mappings.get(mappingUuid)?.values() ?? []) rows.push(toProgress(row));
    return rows;
  }

  find(mappingUuid: string, shardId: string): ShardProgress | undefined {
    const row = this.#mappings.get(mappingUuid)?.get(shardId);
    return row === undefined ? undefined : toProgress(row);
  }

  /** Gives the ids of the shards that it created. */
  initialise(mappingUuid: string, shards: readonly NewShard[]): readonly string[] {
    const rows = this.#mappings.get(mappingUuid);
    return rows !== undefined && rows.size > 0 ? [] : this.add(mappingUuid, shards);
  }

  add(mappingUuid: string, shards: readonly NewShard[]): readonly string[] {
    const rows = this.#mappings.get(mappingUuid) ?? new Map<string, Row>();
    this.#mappings.set(mappingUuid, rows);
    const created: string[] = [];
    for (const { shard, checkpoint, epoch = 0 } of shards) {
      if (rows.has(shard.shardId)) continue;
      created.push(shard.shardId);
      rows.set(shard.shardId, {
        shardId: shard.shardId,
        parentShardIds: [...shard.parentShardIds],
        owner: undefined,
        epoch,
        counter: 0,
        handoverTo: undefined,
        checkpoint: copy(checkpoint),
        checkpointEpoch: 0,
      });
    }
    return created;
  }

  acquire(mappingUuid: string, shardId: string, owner: string, seen: LeaseSight): ShardProgress | undefined {
    const row = this.#mappings.get(mappingUuid)?.get(shardId);
    // plant: the-store-gives-a-lease-twice
    if (row === undefined || row.epoch !== seen.epoch || row.counter !== seen.counter) return undefined;
    row.owner = owner;
    row.epoch++;
    row.counter++;
    row.handoverTo = undefined;
    const removals = this.#removals.size === 0 ? undefined : this.#removals.get(`${mappingUuid}/${shardId}`);
    if (removals !== undefined)
      this.#takings.set(`${mappingUuid}/${shardId}/${owner}/${row.epoch}`, removals);
    return toProgress(row);
  }

  /** Epochs of a row that was removed and made again are others: for the history they go on. */
  historicEpoch(mappingUuid: string, { shardId, owner, epoch }: HeldLease): number {
    if (this.#takings.size === 0) return epoch;
    return epoch + EPOCHS_MAX * (this.#takings.get(`${mappingUuid}/${shardId}/${owner}/${epoch}`) ?? 0);
  }

  renew(mappingUuid: string, lease: HeldLease): Renewal {
    const row = this.#held(mappingUuid, lease);
    if (row === undefined) return { kind: "fenced" };
    // plant: the-store-answers-a-renewal-and-has-not-written-it
    row.counter++;
    return { kind: "renewed", handoverTo: row.handoverTo };
  }

  checkpoint(mappingUuid: string, lease: HeldLease, checkpoint: Checkpoint): "stored" | "stale" | "fenced" {
    const row = this.#held(mappingUuid, lease);
    if (row === undefined) return "fenced";
    if (row.checkpointEpoch === row.epoch && checkpoint.revision <= row.checkpoint.revision) return "stale";
    // plant: the-store-answers-a-checkpoint-and-has-not-written-it
    row.checkpoint = copy(checkpoint);
    row.checkpointEpoch = row.epoch;
    return "stored";
  }

  release(mappingUuid: string, lease: HeldLease): "released" | "fenced" {
    const row = this.#held(mappingUuid, lease);
    if (row === undefined) return "fenced";
    // Who asked for the lease stays to be seen: others leave it to the claimant.
    row.owner = undefined;
    row.counter++;
    return "released";
  }

  requestHandover(mappingUuid: string, shardId: string, seen: LeaseSight, claimant: string): void {
    const row = this.#mappings.get(mappingUuid)?.get(shardId);
    // The counter may have moved on: it does at every renewal.
    if (row?.epoch === seen.epoch) row.handoverTo = claimant;
  }

  remove(mappingUuid: string, shardId: string | undefined): void {
    const rows = this.#mappings.get(mappingUuid);
    for (const id of shardId === undefined ? (rows?.keys() ?? []) : [shardId]) {
      const key = `${mappingUuid}/${id}`;
      this.#removals.set(key, (this.#removals.get(key) ?? 0) + 1);
    }
    if (shardId === undefined) this.#mappings.delete(mappingUuid);
    else rows?.delete(shardId);
  }

  #held(mappingUuid: string, lease: HeldLease): Row | undefined {
    const row = this.#mappings.get(mappingUuid)?.get(lease.shardId);
    // plant: the-store-does-not-fence
    return row !== undefined && row.owner === lease.owner && row.epoch === lease.epoch ? row : undefined;
  }
}

function toProgress(row: Row): ShardProgress {
  const { shardId, parentShardIds, owner, epoch, counter, handoverTo, checkpoint } = row;
  return { shardId, parentShardIds, owner, epoch, counter, handoverTo, checkpoint };
}

/** A real store keeps bytes: what the caller does to its object afterwards does not reach it. */
function copy(checkpoint: Checkpoint): Checkpoint {
  return { ...checkpoint, settledRanges: checkpoint.settledRanges.map(({ from, to }) => ({ from, to })) };
}
