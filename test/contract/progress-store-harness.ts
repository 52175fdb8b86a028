import assert from "node:assert/strict";
import { type Checkpoint, initialCheckpoint } from "../../src/model/checkpoint.ts";
import type { HeldLease, NewShard, ProgressStore, ShardProgress } from "../../src/ports/progress-store.ts";

export interface ProgressStoreHarness {
  /** An empty store of its own for one test. Disposing closes all handles that were opened on it. */
  createStore(): Promise<ProgressStoreFixture>;
  /** Ways in which this store cannot write. Empty only where there are none. */
  readonly writeFaults: readonly WriteFault[];
}

export interface WriteFault {
  /** Behind "on a". */
  readonly name: string;
  createStore(): Promise<FaultyStoreFixture>;
}

export interface FaultyStoreFixture extends ProgressStoreFixture {
  /** From now on the store can write nothing. */
  begin(): Promise<void>;
  end(): Promise<void>;
}

export interface ProgressStoreFixture extends AsyncDisposable {
  /** Another handle on the same content, as another process has it. */
  open(): Promise<ProgressStore>;
}

export const MAPPING = "11111111-1111-4111-8111-111111111111";
export const OTHER_MAPPING = "22222222-2222-4222-8222-222222222222";
export function newShard(
  shardId: string,
  parentShardIds: readonly string[] = [],
  checkpoint = initialCheckpoint({ kind: "oldest" }),
): NewShard {
  return { shard: { shardId, parentShardIds, closed: false }, checkpoint };
}

/** In the order of their ids. */
export function manyShards(count: number): readonly NewShard[] {
  return Array.from({ length: count }, (_, index) => {
    const checkpoint = initialCheckpoint({ kind: "after", position: `${index}`.padStart(56, "4") });
    return newShard(`shardId-${`${index}`.padStart(12, "0")}`, [], checkpoint);
  });
}

export function checkpointAt(revision: number, position: string): Checkpoint {
  return { ...initialCheckpoint({ kind: "after", position }), revision };
}

export async function sorted(store: ProgressStore, mapping: string): Promise<readonly ShardProgress[]> {
  return [...(await store.list(mapping))].sort((a, b) => (a.shardId < b.shardId ? -1 : 1));
}

export async function look(store: ProgressStore, shardId: string): Promise<ShardProgress> {
  const progress = (await store.list(MAPPING)).find((shard) => shard.shardId === shardId);
  assert.ok(progress !== undefined, `no record of shard ${shardId}`);
  return progress;
}

export async function take(
  store: ProgressStore,
  shardId: string,
  owner: string,
): Promise<{ readonly lease: HeldLease; readonly progress: ShardProgress }> {
  const progress = await store.acquire(MAPPING, shardId, owner, await look(store, shardId));
  assert.ok(progress !== undefined, `${owner} could not take shard ${shardId}`);
  return { lease: { shardId, owner, epoch: progress.epoch }, progress };
}

export async function assertFenced(store: ProgressStore, lease: HeldLease): Promise<void> {
  assert.deepEqual(await store.renew(MAPPING, lease), { kind: "fenced" });
  assert.equal(await store.checkpoint(MAPPING, lease, checkpointAt(1_000, "1000")), "fenced");
  assert.equal(await store.release(MAPPING, lease), "fenced");
}
