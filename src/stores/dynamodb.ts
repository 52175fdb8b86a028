import {
  type AttributeValue,
  DeleteItemCommand,
  PutItemCommand,
  type TransactWriteItem,
  TransactWriteItemsCommand,
  type Update,
  UpdateItemCommand,
  type UpdateItemCommandInput,
  type UpdateItemCommandOutput,
} from "@aws-sdk/client-dynamodb";
import type { Checkpoint } from "../model/checkpoint.ts";
import type {
  HeldLease,
  LeaseSight,
  NewShard,
  ProgressStore,
  ShardProgress,
} from "../ports/progress-store.ts";
import { type PackedCheckpoint, packCheckpoint, partsOf } from "./dynamodb-checkpoint.ts";
import { busyStore, conditionItem, isConditionFailure } from "./dynamodb-errors.ts";
import { openDynamodbTable } from "./dynamodb-format.ts";
import {
  findParts,
  newShardItem,
  numberOf,
  PART_PREFIX,
  partItem,
  partVersion,
  readShard,
  SHARD_PREFIX,
  shardKey,
  someoneOf,
  textOf,
  tooLarge,
} from "./dynamodb-items.ts";
import { deleteItems, queryItems } from "./dynamodb-query.ts";
import { deleteHead, finishStart, isHead, isUnfinished, startMapping } from "./dynamodb-start.ts";
import {
  DYNAMODB_LIMITS,
  type DynamodbLimits,
  type DynamodbTable,
  type Item,
  PARTITION_KEY,
  pause,
  SORT_KEY,
} from "./dynamodb-table.ts";

const PUTS_AT_ONCE = 10;
const LOOKS_MAX = 8;
const LOOK_PAUSE_MS = 20;

/**
 * Keeps progress in one DynamoDB table, which it makes when it does not exist. Every write is conditional on the item
 * and is sent once: whether a write took effect whose answer was lost is for the caller to read back. No clock takes
 * part.
 * @throws ERR_MILLRACE_STORE_UNAVAILABLE when the table cannot be used or made, ERR_MILLRACE_STORE_CORRUPT when it is
 * not millrace's or of a newer version.
 */
export async function openDynamodbStore(
  table: string,
  limits: DynamodbLimits = DYNAMODB_LIMITS,
): Promise<ProgressStore> {
  return new DynamodbStore(await openDynamodbTable(table, limits));
}

class DynamodbStore implements ProgressStore {
  readonly #table: DynamodbTable;

  constructor(table: DynamodbTable) {
    this.#table = table;
  }

  async list(mappingUuid: string): Promise<readonly ShardProgress[]> {
    for (let look = 1; look <= LOOKS_MAX; look++) {
      const items = await queryItems(this.#table, mappingUuid);
      const head = items.find(isHead);
      const shards = isUnfinished(head) ? undefined : await this.#readAll(mappingUuid, items);
      if (shards !== undefined) return shards;
      if (isUnfinished(head)) await finishStart(this.#table, mappingUuid, head);
      else await pause(LOOK_PAUSE_MS * look);
    }
    throw busyStore(this.#table.name, `a checkpoint of mapping ${mappingUuid} changed whenever it was read`);
  }

  async initialise(mappingUuid: string, shards: readonly NewShard[]): Promise<void> {
    await startMapping(this.#table, mappingUuid, shards);
  }

  async add(mappingUuid: string, shards: readonly NewShard[]): Promise<void> {
    const { name: TableName } = this.#table;
    for (let first = 0; first < shards.length; first += PUTS_AT_ONCE) {
      const puts = shards.slice(first, first + PUTS_AT_ONCE).map(async (shard) => {
        const request = new PutItemCommand({
          TableName,
          Item: await newShardItem(TableName, mappingUuid, shard),
          ConditionExpression: `attribute_not_exists(#${PARTITION_KEY})`,
          ExpressionAttributeNames: names(PARTITION_KEY),
        });
        await this.#table.sendIf("PutItem", (client, options) => client.send(request, options));
      });
      await Promise.all(puts);
    }
  }

  async acquire(
    mappingUuid: string,
    shardId: string,
    owner: string,
    seen: LeaseSight,
  ): Promise<ShardProgress | undefined> {
    const taken = await this.#update(mappingUuid, shardId, {
      UpdateExpression:
        "SET #owner = :owner, #epoch = #epoch + :one, #counter = #counter + :one, #handoverTo = :nobody",
      // plant: a-lease-of-dynamodb-is-taken-though-it-has-moved
      ConditionExpression: "#epoch = :epoch AND #counter = :counter",
      ExpressionAttributeNames: names("owner", "epoch", "counter", "handoverTo"),
      ExpressionAttributeValues: {
        ":owner": { S: owner },
        ":one": { N: "1" },
        ":nobody": { S: "" },
        ":epoch": { N: String(seen.epoch) },
        ":counter": { N: String(seen.counter) },
      },
      ReturnValues: "ALL_NEW",
    });
    const item = taken?.Attributes;
    if (item === undefined) return undefined;
    // Nobody but us may write its checkpoint from now on: the parts are those that belong to it.
    const hasParts = partsOf(item["checkpoint"]) > 0;
    const parts = hasParts ? await queryItems(this.#table, mappingUuid, `${PART_PREFIX}${shardId}#`) : [];
    return await readShard(this.#table.name, mappingUuid, item, findParts(item, parts) ?? []);
  }

  async renew(mappingUuid: string, lease: HeldLease) {
    const renewed = await this.#update(mappingUuid, lease.shardId, {
      // To set what it is: so the answer has it, and has not the whole item.
      UpdateExpression: "SET #counter = #counter + :one, #handoverTo = #handoverTo",
      ConditionExpression: HELD,
      ExpressionAttributeNames: names("owner", "epoch", "counter", "handoverTo"),
      ExpressionAttributeValues: { ...heldBy(lease), ":one": { N: "1" } },
      ReturnValues: "UPDATED_NEW",
    });
    if (renewed === undefined) return { kind: "fenced" } as const;
    return { kind: "renewed", handoverTo: someoneOf(renewed.Attributes, "handoverTo") } as const;
  }

  async checkpoint(mappingUuid: string, lease: HeldLease, checkpoint: Checkpoint) {
    const packed = await packCheckpoint(checkpoint);
    const { shardId, owner, epoch } = lease;
    if (packed === undefined) throw tooLarge(this.#table.name, mappingUuid, `shard ${shardId}`);
    const { revision } = checkpoint;
    const update: Update = {
      TableName: this.#table.name,
      Key: shardKey(mappingUuid, shardId),
      UpdateExpression: "SET #checkpoint = :checkpoint, #revision = :revision, #checkpointEpoch = :epoch",
      // plant: a-checkpoint-of-dynamodb-goes-back
      ConditionExpression: `${HELD} AND (#checkpointEpoch < :epoch OR #revision < :revision)`,
      ExpressionAttributeNames: names("owner", "epoch", "checkpoint", "revision", "checkpointEpoch"),
      ExpressionAttributeValues: {
        ...heldBy(lease),
        ":checkpoint": packed.attribute,
        ":revision": { N: String(revision) },
      },
      ReturnValuesOnConditionCheckFailure: "ALL_OLD",
    };
    try {
      const version = partVersion(epoch, revision);
      await this.#writeCheckpoint(update, this.#partPuts(mappingUuid, shardId, version, packed));
      return "stored";
    } catch (error) {
      if (!isConditionFailure(error)) throw error;
      const item = conditionItem(error);
      const isHeld = someoneOf(item, "owner") === owner && numberOf(item, "epoch") === epoch;
      return isHeld ? "stale" : "fenced";
    }
  }

  async release(mappingUuid: string, lease: HeldLease) {
    const released = await this.#update(mappingUuid, lease.shardId, {
      UpdateExpression: "SET #counter = #counter + :one, #owner = :nobody",
      ConditionExpression: HELD,
      ExpressionAttributeNames: names("owner", "epoch", "counter"),
      ExpressionAttributeValues: { ...heldBy(lease), ":one": { N: "1" }, ":nobody": { S: "" } },
    });
    return released === undefined ? "fenced" : "released";
  }

  async requestHandover(
    mappingUuid: string,
    shardId: string,
    seen: LeaseSight,
    claimant: string,
  ): Promise<void> {
    await this.#update(mappingUuid, shardId, {
      UpdateExpression: "SET #handoverTo = :claimant",
      // The counter is left out: it moves with every renewal, and advice may come a little late.
      ConditionExpression: "#epoch = :epoch",
      ExpressionAttributeNames: names("epoch", "handoverTo"),
      ExpressionAttributeValues: { ":claimant": { S: claimant }, ":epoch": { N: String(seen.epoch) } },
    });
  }

  async remove(mappingUuid: string, shardId?: string): Promise<void> {
    if (shardId !== undefined) return await this.#removeShard(mappingUuid, shardId);
    // The head last, and as it was seen: as long as it stands nobody starts the mapping anew, whose items this would
    // delete, and who still ends a start stops when it is gone.
    for (let look = 1; look <= LOOKS_MAX; look++) {
      const items = await queryItems(this.#table, mappingUuid);
      const [head, others] = [items.find(isHead), items.filter((item) => !isHead(item))];
      await deleteItems(this.#table, others);
      if (others.length === 0 && (head === undefined || (await deleteHead(this.#table, head)))) return;
    }
    throw busyStore(this.#table.name, `mapping ${mappingUuid} could not be removed, as others write to it`);
  }

  async close(): Promise<void> {
    this.#table.close();
  }

  async #removeShard(mappingUuid: string, shardId: string): Promise<void> {
    const request = new DeleteItemCommand({
      TableName: this.#table.name,
      Key: shardKey(mappingUuid, shardId),
    });
    await this.#table.send("DeleteItem", (client, options) => client.send(request, options));
    const parts = await queryItems(this.#table, mappingUuid, `${PART_PREFIX}${shardId}#`);
    await deleteItems(
      this.#table,
      parts.filter((part) => textOf(part, "shardId") === shardId),
    );
  }

  /** `undefined` when a checkpoint was written while its parts were read. */
  async #readAll(mappingUuid: string, items: readonly Item[]): Promise<readonly ShardProgress[] | undefined> {
    const parts = items.filter((item) => textOf(item, SORT_KEY).startsWith(PART_PREFIX));
    const shards: ShardProgress[] = [];
    for (const item of items) {
      if (!textOf(item, SORT_KEY).startsWith(SHARD_PREFIX)) continue;
      const ofShard = partsOf(item["checkpoint"]) === 0 ? [] : findParts(item, parts);
      if (ofShard === undefined) return undefined;
      shards.push(await readShard(this.#table.name, mappingUuid, item, ofShard));
    }
    return shards;
  }

  #partPuts(
    mappingUuid: string,
    shardId: string,
    version: string,
    packed: PackedCheckpoint,
  ): readonly TransactWriteItem[] {
    return packed.parts.map((_, index) => ({
      Put: {
        TableName: this.#table.name,
        Item: partItem(mappingUuid, shardId, version, packed, index),
      },
    }));
  }

  /** With its parts, all or none; the fence of the shard's item holds for them too. */
  async #writeCheckpoint(update: Update, parts: readonly TransactWriteItem[]): Promise<void> {
    if (parts.length === 0) {
      const request = new UpdateItemCommand(update);
      await this.#table.send("UpdateItem", (client, options) => client.send(request, options));
      return;
    }
    const TransactItems = [{ Update: update }, ...parts];
    await this.#table.send("TransactWriteItems", (client, options) =>
      client.send(new TransactWriteItemsCommand({ TransactItems }), options),
    );
  }

  /** `undefined` when the condition did not hold. */
  async #update(
    mappingUuid: string,
    shardId: string,
    input: Omit<UpdateItemCommandInput, "TableName" | "Key">,
  ): Promise<UpdateItemCommandOutput | undefined> {
    const Key = shardKey(mappingUuid, shardId);
    const request = new UpdateItemCommand({ ...input, TableName: this.#table.name, Key });
    return await this.#table.sendIf("UpdateItem", (client, options) => client.send(request, options));
  }
}

/** The fence: only who holds the lease now, in this epoch, changes the item. */
// plant: a-former-life-of-dynamodb-is-not-fenced
const HELD = "#owner = :owner AND #epoch = :epoch";

function heldBy({ owner, epoch }: HeldLease): Record<string, AttributeValue> {
  return { ":owner": { S: owner }, ":epoch": { N: String(epoch) } };
}

/** Many of DynamoDB's reserved words are ours too. */
function names(...attributes: readonly string[]): Record<string, string> {
  return Object.fromEntries(attributes.map((attribute) => [`#${attribute}`, attribute]));
}
