import { type Checkpoint, initialCheckpoint } from "../../model/checkpoint.ts";
import type { StreamMapping } from "../../model/mapping.ts";
import type { Shard, StartPoint } from "../../model/record.ts";
import type { Clock } from "../../ports/clock.ts";
import type { NewShard, ProgressStore, ShardProgress } from "../../ports/progress-store.ts";
import type { StreamSource } from "../../ports/stream-source.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import { isOtherLog } from "./lineage.ts";
import type { ShardInquiry } from "./shard-inquiry.ts";
import { listWithParents } from "./unlisted-parents.ts";

/** Ended shards that a listing lacks are asked for one by one: so many in each discovery, since calls are scarce. */
const INQUIRIES_MAX = 4;

export interface DiscoveryOptions {
  readonly mapping: StreamMapping;
  readonly source: StreamSource;
  readonly store: ProgressStore;
  readonly inquiry: ShardInquiry;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/**
 * Records a mapping's shards in the store. The starting position is applied to the shards of the first discovery only,
 * all at once; shards found later begin at their oldest record, or records would be lost (streams §2.5).
 * Returns what the source lists now, by id.
 */
export async function discoverShards(
  options: DiscoveryOptions,
  rows: readonly ShardProgress[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Shard>> {
  const { mapping, source, store, inquiry } = options;
  const isFirst = rows.length === 0;
  // plant: a-parent-that-the-first-listing-leaves-out-is-owed
  const isPastWanted = isFirst && isAtTip(mapping);
  const { shards, past } = isPastWanted
    ? await listWithParents(source, signal)
    : { shards: await source.listShards(signal), past: [] };
  for (const { shardId } of shards) inquiry.seen(shardId);
  if (isFirst) {
    const first = await Promise.all(shards.map((shard) => firstShard(mapping, source, shard, signal)));
    await store.initialise(mapping.uuid, [...first, ...past]);
  } else {
    const known = new Set(rows.map((row) => row.shardId));
    const found = shards.filter(({ shardId }) => !known.has(shardId));
    const behind = isAtTip(mapping) ? shardsBehind(shards, rows) : NONE;
    // A shard of the same name may have been here, and was forgotten: no process may take its lease for this one's.
    const epoch = options.clock.now();
    // plant: a-shard-that-is-found-later-begins-at-its-tip
    const added = found.map((shard) => ({ ...newShard(shard, behind.has(shard.shardId)), epoch }));
    if (added.length > 0) await store.add(mapping.uuid, added);
  }
  const listed = new Map(shards.map((shard) => [shard.shardId, shard]));
  await forgetPastShards(options, rows, listed, signal);
  return listed;
}

function newShard(shard: Shard, ended = false): NewShard {
  return { shard, checkpoint: beginningOf(shard, { kind: "oldest" }, ended) };
}

const NONE: ReadonlySet<string> = new Set();

/** All that had ended when such a mapping began is behind it, whether the first listing shows it or leaves it out. */
function isAtTip({ startingPosition }: StreamMapping): boolean {
  return startingPosition.kind === "LATEST";
}

/**
 * Ancestors of what has ended here, which no listing has shown so far. Read now, they would bring records from before
 * the starting position, beside those that came after them. One that is another log by now is no ancestor.
 */
function shardsBehind(shards: readonly Shard[], rows: readonly ShardProgress[]): ReadonlySet<string> {
  const listed = new Map(shards.map((shard) => [shard.shardId, shard]));
  const behind = new Set<string>();
  for (const { shardId, checkpoint } of rows) {
    // plant: a-shard-behind-the-starting-position-is-read
    if (checkpoint.ended) addAncestors(shardId, checkpoint, listed, behind);
  }
  return behind;
}

function addAncestors(
  shardId: string,
  checkpoint: Checkpoint,
  listed: ReadonlyMap<string, Shard>,
  behind: Set<string>,
): void {
  const shard = listed.get(shardId);
  if (shard === undefined || isOtherLog(checkpoint, shard)) return;
  for (const parentId of shard.parentShardIds) {
    if (behind.has(parentId)) continue;
    behind.add(parentId);
    addAncestors(parentId, checkpoint, listed, behind);
  }
}

/** With the log that the shard is, where the listing tells it: it may be another one when its first read comes. */
function beginningOf({ logId }: Shard, start: StartPoint, ended = false): Checkpoint {
  const checkpoint = initialCheckpoint(start, ended);
  return logId === undefined ? checkpoint : { ...checkpoint, logId };
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
      return newShard(shard);
    case "AT_TIMESTAMP":
      return {
        shard,
        checkpoint: beginningOf(shard, { kind: "timestamp", epochMs: startingPosition.epochMs }),
      };
    case "LATEST":
      return {
        shard,
        checkpoint: beginningOf(shard, await source.captureLatest(shard.shardId, signal), shard.closed),
      };
  }
}

/**
 * Shards that are ended here and gone at the source: nothing asks for them any more. Forgotten too early, a shard that
 * comes back in a listing would be read again from its oldest record: so the source itself is asked.
 */
async function forgetPastShards(
  { mapping, store, inquiry, telemetry }: DiscoveryOptions,
  rows: readonly ShardProgress[],
  listed: ReadonlyMap<string, Shard>,
  signal: AbortSignal,
): Promise<void> {
  const missing = rows.filter(({ checkpoint, owner, shardId }) => {
    return checkpoint.ended && owner === undefined && !listed.has(shardId);
  });
  if (missing.length > 0) telemetry.mark("shard missing in a listing");
  for (const { shardId } of missing.slice(0, INQUIRIES_MAX)) {
    // plant: an-ended-shard-that-one-listing-leaves-out-is-forgotten
    if (await inquiry.isGone(shardId, signal)) await store.remove(mapping.uuid, shardId);
  }
}
