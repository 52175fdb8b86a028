import {
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  type TransactWriteItem,
  TransactWriteItemsCommand,
} from "@aws-sdk/client-dynamodb";
import type { NewShard } from "../ports/progress-store.ts";
import { readCheckpoint, writeCheckpoint } from "./checkpoint-json.ts";
import { packText, unpackText } from "./dynamodb-checkpoint.ts";
import { corruptStore } from "./dynamodb-errors.ts";
import { keyOf, newShardItem, numberOf, SHARD_PREFIX, textOf, tooLarge } from "./dynamodb-items.ts";
import { primaryKeyOf, queryItems } from "./dynamodb-query.ts";
import { type DynamodbTable, type Item, PARTITION_KEY, SORT_KEY } from "./dynamodb-table.ts";

/** A transaction holds a hundred items, of which one is the head. */
const SHARDS_PER_STEP = 90;
const HEAD = "mapping";

/**
 * Creates the shards of a mapping all or none, however many they are. A transaction holds a hundred items, so the head
 * item, put on condition, is the commit point: it holds the whole list. From it the shards' items are then made step by
 * step, each in one transaction that moves the head on from that step; so every step is done once, in order, by whoever
 * comes first. Who lists a mapping ends what another began.
 */
export async function startMapping(
  table: DynamodbTable,
  mappingUuid: string,
  shards: readonly NewShard[],
): Promise<void> {
  const head = await readHead(table, mappingUuid);
  if (isUnfinished(head)) return await finishStart(table, mappingUuid, head);
  if (shards.length === 0 || (await hasShards(table, mappingUuid))) return;
  const list = await packText(JSON.stringify(shards.map(writeShard)));
  if (list === undefined) throw tooLarge(table.name, mappingUuid, `${shards.length} shards`);
  const generation = head === undefined ? 0 : numberOf(head, "generation");
  const next: Item = {
    ...keyOf(mappingUuid, HEAD),
    generation: { N: String(generation + 1) },
    steps: { N: String(Math.ceil(shards.length / SHARDS_PER_STEP)) },
    done: { N: "0" },
    list: { B: list },
  };
  const put = new PutItemCommand({
    TableName: table.name,
    Item: next,
    ConditionExpression: head === undefined ? "attribute_not_exists(#key)" : "#generation = :generation",
    ExpressionAttributeNames:
      head === undefined ? { "#key": PARTITION_KEY } : { "#generation": "generation" },
    ...(head === undefined
      ? {}
      : { ExpressionAttributeValues: { ":generation": { N: String(generation) } } }),
  });
  // Where it fails another process has started the mapping, and what it began is ended all the same.
  const isOurs = await table.sendIf("PutItem", (client, options) => client.send(put, options));
  const committed = isOurs === undefined ? await readHead(table, mappingUuid) : next;
  if (isUnfinished(committed)) await finishStart(table, mappingUuid, committed);
}

export function isHead(item: Item): boolean {
  return textOf(item, SORT_KEY) === HEAD;
}

/** Its shards are committed, and not all of them have their items. */
export function isUnfinished(head: Item | undefined): head is Item {
  return head !== undefined && numberOf(head, "done") < numberOf(head, "steps");
}

export async function finishStart(table: DynamodbTable, mappingUuid: string, head: Item): Promise<void> {
  const shards = await readList(table, mappingUuid, head);
  const steps = numberOf(head, "steps");
  for (let step = numberOf(head, "done"); step < steps; step++) {
    const ofStep = shards.slice(step * SHARDS_PER_STEP, (step + 1) * SHARDS_PER_STEP);
    const puts = ofStep.map(async (shard) => ({
      Put: { TableName: table.name, Item: await newShardItem(table.name, mappingUuid, shard) },
    }));
    const items = [
      moveHead(table.name, mappingUuid, numberOf(head, "generation"), step, steps),
      ...(await Promise.all(puts)),
    ];
    // Where it fails another process has done this step.
    await table.sendIf("TransactWriteItems", (client, options) =>
      client.send(new TransactWriteItemsCommand({ TransactItems: items }), options),
    );
  }
}

/** Whether it was still as it was seen, and is gone. */
export async function deleteHead(table: DynamodbTable, head: Item): Promise<boolean> {
  const request = new DeleteItemCommand({
    TableName: table.name,
    Key: primaryKeyOf(head),
    ConditionExpression: "#generation = :generation AND #done = :done",
    ExpressionAttributeNames: { "#generation": "generation", "#done": "done" },
    ExpressionAttributeValues: {
      ":generation": { N: String(numberOf(head, "generation")) },
      ":done": { N: String(numberOf(head, "done")) },
    },
  });
  const deleted = await table.sendIf("DeleteItem", (client, options) => client.send(request, options));
  return deleted !== undefined;
}

function moveHead(
  table: string,
  mappingUuid: string,
  generation: number,
  step: number,
  steps: number,
): TransactWriteItem {
  const dropList = step + 1 === steps ? " REMOVE #list" : "";
  return {
    Update: {
      TableName: table,
      Key: keyOf(mappingUuid, HEAD),
      UpdateExpression: `SET #done = :next${dropList}`,
      ConditionExpression: "#generation = :generation AND #done = :done",
      ExpressionAttributeNames: {
        "#done": "done",
        "#generation": "generation",
        ...(dropList === "" ? {} : { "#list": "list" }),
      },
      ExpressionAttributeValues: {
        ":next": { N: String(step + 1) },
        ":done": { N: String(step) },
        ":generation": { N: String(generation) },
      },
    },
  };
}

async function readHead(table: DynamodbTable, mappingUuid: string): Promise<Item | undefined> {
  const Key = keyOf(mappingUuid, HEAD);
  const request = new GetItemCommand({ TableName: table.name, Key, ConsistentRead: true });
  return (await table.send("GetItem", (client, options) => client.send(request, options))).Item;
}

async function hasShards(table: DynamodbTable, mappingUuid: string): Promise<boolean> {
  return (await queryItems(table, mappingUuid, SHARD_PREFIX, { Limit: 1 })).length > 0;
}

function writeShard({ shard, checkpoint }: NewShard): readonly unknown[] {
  return [shard.shardId, shard.parentShardIds, writeCheckpoint(checkpoint)];
}

async function readList(table: DynamodbTable, mappingUuid: string, head: Item): Promise<readonly NewShard[]> {
  const bytes = head["list"]?.B;
  const text = bytes === undefined ? undefined : await unpackText(bytes);
  const shards = parseList(text ?? "").map(readNewShard);
  const whole = shards.filter((shard) => shard !== undefined);
  if (whole.length > 0 && whole.length === shards.length) return whole;
  throw corruptStore(
    table.name,
    `holds a list of shards of mapping ${mappingUuid} that cannot be read`,
    `Delete the items of the key progress#${mappingUuid}, which starts the mapping at its starting position`,
  );
}

function parseList(text: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}

function readNewShard(value: unknown): NewShard | undefined {
  if (!Array.isArray(value)) return undefined;
  const [shardId, parents, text] = value as readonly unknown[];
  const checkpoint = typeof text === "string" ? readCheckpoint(text) : undefined;
  if (typeof shardId !== "string" || !Array.isArray(parents) || checkpoint === undefined) return undefined;
  return { shard: { shardId, parentShardIds: parents.map(String), closed: false }, checkpoint };
}
