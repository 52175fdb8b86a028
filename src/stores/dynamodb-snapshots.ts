import {
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import type { SnapshotStore, StoredSnapshot } from "../ports/snapshot-store.ts";
import { openDynamodbTable } from "./dynamodb-format.ts";
import { numberOf, textOf } from "./dynamodb-items.ts";
import { primaryKeyOf, queryPartition } from "./dynamodb-query.ts";
import {
  DYNAMODB_LIMITS,
  type DynamodbLimits,
  type DynamodbTable,
  type Item,
  PARTITION_KEY,
  SORT_KEY,
} from "./dynamodb-table.ts";
import { checkSnapshot } from "./snapshot-bounds.ts";

/** All snapshots have this partition key, and their processes' ids behind a prefix as sort keys. */
const SNAPSHOTS = "snapshots";
const PROCESS_PREFIX = "process#";
const ASK_KEY: Item = { [PARTITION_KEY]: { S: SNAPSHOTS }, [SORT_KEY]: { S: "ask" } };

/**
 * Keeps snapshots in the table that also keeps progress, an item for each.
 * @throws ERR_MILLRACE_STORE_UNAVAILABLE, ERR_MILLRACE_STORE_CORRUPT as `openDynamodbStore`.
 */
export async function openDynamodbSnapshotStore(
  table: string,
  limits: DynamodbLimits = DYNAMODB_LIMITS,
): Promise<SnapshotStore> {
  return new DynamodbSnapshotStore(await openDynamodbTable(table, limits));
}

class DynamodbSnapshotStore implements SnapshotStore {
  readonly #table: DynamodbTable;

  constructor(table: DynamodbTable) {
    this.#table = table;
  }

  async write(snapshot: StoredSnapshot) {
    checkSnapshot(snapshot);
    const { processId, atMs, document } = snapshot;
    const request = new PutItemCommand({
      TableName: this.#table.name,
      Item: {
        [PARTITION_KEY]: { S: SNAPSHOTS },
        [SORT_KEY]: { S: `${PROCESS_PREFIX}${processId}` },
        processId: { S: processId },
        at: { N: String(atMs) },
        document: { B: document },
      },
    });
    await this.#table.send("PutItem", (client, options) => client.send(request, options));
  }

  async read() {
    const items = await queryPartition(this.#table, SNAPSHOTS, PROCESS_PREFIX);
    return items.map((item) => ({
      processId: textOf(item, "processId"),
      atMs: numberOf(item, "at"),
      document: item["document"]?.B ?? new Uint8Array(),
    }));
  }

  /** What another has asked for behind our read is another moment than the one that was read, and asks as well. */
  async ask(untilMs: number) {
    const seenMs = await this.#asked(true);
    const request = new UpdateItemCommand({
      TableName: this.#table.name,
      Key: ASK_KEY,
      UpdateExpression: "ADD #until :by",
      ExpressionAttributeNames: { "#until": "askedUntil" },
      // plant: a-question-of-dynamodb-moves-the-moment-back
      ExpressionAttributeValues: { ":by": { N: String(Math.max(1, untilMs - seenMs)) } },
    });
    await this.#table.send("UpdateItem", (client, options) => client.send(request, options));
  }

  /** Half the price of a consistent read, and behind by less than a look. */
  askedUntil(): Promise<number> {
    return this.#asked(false);
  }

  async prune({ beforeMs, keep }: { readonly beforeMs: number; readonly keep: number }) {
    const items = await queryPartition(this.#table, SNAPSHOTS, PROCESS_PREFIX);
    const newestFirst = items.toSorted((a, b) => numberOf(b, "at") - numberOf(a, "at"));
    for (const [place, item] of newestFirst.entries()) {
      if (place >= keep || numberOf(item, "at") < beforeMs) await this.#remove(item);
    }
  }

  async close() {
    this.#table.close();
  }

  async #asked(isConsistent: boolean): Promise<number> {
    const request = new GetItemCommand({
      TableName: this.#table.name,
      Key: ASK_KEY,
      ConsistentRead: isConsistent,
    });
    const { Item: item } = await this.#table.send("GetItem", (client, options) =>
      client.send(request, options),
    );
    return item === undefined ? 0 : numberOf(item, "askedUntil");
  }

  /** Unless its process has written another one meanwhile. */
  async #remove(item: Item): Promise<void> {
    const request = new DeleteItemCommand({
      TableName: this.#table.name,
      Key: primaryKeyOf(item),
      ConditionExpression: "#at = :at",
      ExpressionAttributeNames: { "#at": "at" },
      ExpressionAttributeValues: { ":at": item["at"] ?? { N: "0" } },
    });
    await this.#table.sendIf("DeleteItem", (client, options) => client.send(request, options));
  }
}
