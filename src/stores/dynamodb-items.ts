import type { NewShard, ShardProgress } from "../ports/progress-store.ts";
import { readStrings } from "./checkpoint-json.ts";
import { type PackedCheckpoint, packCheckpoint, partsOf, unpackCheckpoint } from "./dynamodb-checkpoint.ts";
import { corruptStore } from "./dynamodb-errors.ts";
import { type Item, PARTITION_KEY, SORT_KEY } from "./dynamodb-table.ts";

/**
 * The items of one mapping, all under one partition key: `mapping`, which says whether its shards are there;
 * `shard#ID` for each shard; `part#ID#N` for checkpoints that are larger than an item.
 */
export const SHARD_PREFIX = "shard#";
export const PART_PREFIX = "part#";

/** Stands for nobody: an attribute that is always there can be kept by an update that gives it back. */
const NOBODY = "";

export function keyOf(mappingUuid: string, item: string): Item {
  return { [PARTITION_KEY]: { S: `progress#${mappingUuid}` }, [SORT_KEY]: { S: item } };
}

export function shardKey(mappingUuid: string, shardId: string): Item {
  return keyOf(mappingUuid, `${SHARD_PREFIX}${shardId}`);
}

export async function newShardItem(table: string, mappingUuid: string, newShard: NewShard): Promise<Item> {
  const { shard, checkpoint, epoch = 0 } = newShard;
  const packed = await packCheckpoint(checkpoint);
  // A shard begins with a position at most.
  if (packed === undefined || packed.parts.length > 0) throw tooLarge(table, mappingUuid, shard.shardId);
  return {
    ...shardKey(mappingUuid, shard.shardId),
    shardId: { S: shard.shardId },
    parents: { S: JSON.stringify(shard.parentShardIds) },
    owner: { S: NOBODY },
    epoch: { N: String(epoch) },
    counter: { N: "0" },
    handoverTo: { S: NOBODY },
    checkpointEpoch: { N: "0" },
    revision: { N: String(checkpoint.revision) },
    checkpoint: packed.attribute,
  };
}

/** Which checkpoint a part belongs to. */
export function partVersion(epoch: number, revision: number): string {
  return `${epoch}.${revision}`;
}

export function partItem(
  mappingUuid: string,
  shardId: string,
  version: string,
  { parts }: PackedCheckpoint,
  index: number,
): Item {
  return {
    ...keyOf(mappingUuid, `${PART_PREFIX}${shardId}#${index}`),
    shardId: { S: shardId },
    version: { S: version },
    index: { N: String(index) },
    bytes: { B: parts[index] ?? new Uint8Array() },
  };
}

/** The parts of a shard's checkpoint among `items`; `undefined` when not all are there: it was written meanwhile. */
export function findParts(shard: Item, items: readonly Item[]): readonly Uint8Array[] | undefined {
  const count = partsOf(shard["checkpoint"]);
  const version = partVersion(numberOf(shard, "checkpointEpoch"), numberOf(shard, "revision"));
  const parts = items.filter((item) => textOf(item, "version") === version && isOfShard(item, shard));
  if (parts.length !== count) return undefined;
  return parts
    .toSorted((a, b) => numberOf(a, "index") - numberOf(b, "index"))
    .map((item) => item["bytes"]?.B ?? new Uint8Array());
}

/** @throws ERR_MILLRACE_STORE_CORRUPT: to guess at progress would lose records or repeat all of them. */
export async function readShard(
  table: string,
  mappingUuid: string,
  item: Item,
  parts: readonly Uint8Array[],
): Promise<ShardProgress> {
  const shardId = textOf(item, "shardId");
  const checkpoint = await unpackCheckpoint(item["checkpoint"], parts);
  const parentShardIds = readStrings(textOf(item, "parents"));
  if (checkpoint === undefined || parentShardIds === undefined) {
    throw corruptStore(
      table,
      `holds progress of shard ${shardId} of mapping ${mappingUuid} that cannot be read`,
      `Stop millrace, then restore the table, or delete the items of the key progress#${mappingUuid}, which starts the ` +
        "mapping again at its starting position",
    );
  }
  return {
    shardId,
    parentShardIds,
    owner: someoneOf(item, "owner"),
    epoch: numberOf(item, "epoch"),
    counter: numberOf(item, "counter"),
    handoverTo: someoneOf(item, "handoverTo"),
    checkpoint,
  };
}

export function tooLarge(table: string, mappingUuid: string, what: string) {
  return corruptStore(
    table,
    `cannot hold the progress of mapping ${mappingUuid}: that of ${what} is larger than DynamoDB's items and transactions`,
    "Use another store for this mapping, such as postgres:",
  );
}

export function someoneOf(item: Item | undefined, name: string): string | undefined {
  const text = textOf(item, name);
  return text === NOBODY ? undefined : text;
}

export function textOf(item: Item | undefined, name: string): string {
  return item?.[name]?.S ?? "";
}

export function numberOf(item: Item | undefined, name: string): number {
  return Number(item?.[name]?.N ?? Number.NaN);
}

function isOfShard(part: Item, shard: Item): boolean {
  return textOf(part, "shardId") === textOf(shard, "shardId");
}
