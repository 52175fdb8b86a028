import {
  DeleteItemCommand,
  GetItemCommand,
  type Put,
  TransactGetItemsCommand,
  type TransactWriteItem,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import type {
  NewResourceRow,
  ResourceStore,
  RowConflict,
  RowStale,
  RowWritten,
} from "../ports/resource-store.ts";
import { busyStore, failedConditions } from "./dynamodb-errors.ts";
import { openDynamodbTable } from "./dynamodb-format.ts";
import { numberOf, textOf } from "./dynamodb-items.ts";
import { queryPartition } from "./dynamodb-query.ts";
import {
  absent,
  equals,
  type Held,
  type LastWrite,
  moveHeld,
  moveVersion,
  PROCESS_PREFIX,
  RESOURCES,
  ROW_PREFIX,
  readLastWrite,
  readRow,
  resourceKey,
  rowItem,
  rowKey,
  VERSION_KEY,
} from "./dynamodb-resource-items.ts";
import {
  DYNAMODB_LIMITS,
  type DynamodbLimits,
  type DynamodbTable,
  type Item,
  pause,
} from "./dynamodb-table.ts";

const TRIES = 10;
const PAUSE_MS = 20;
const FIRST_HELD = 2;

/**
 * Keeps the control plane's rows in the table that also keeps progress. Each write is one transaction over the store's
 * version, the row and its claims, on condition that the version is the one that was read: so writes are in order, and
 * one that came second reads again, in bounds.
 * @throws ERR_MILLRACE_STORE_UNAVAILABLE, ERR_MILLRACE_STORE_CORRUPT as `openDynamodbStore`.
 */
export async function openDynamodbResourceStore(
  table: string,
  limits: DynamodbLimits = DYNAMODB_LIMITS,
): Promise<ResourceStore> {
  return new DynamodbResourceStore(await openDynamodbTable(table, limits));
}

/** What a write reads first, at one moment. */
interface Seen {
  readonly version: number;
  readonly row: Item | undefined;
}

type Written = RowWritten | RowConflict | "overtaken";

class DynamodbResourceStore implements ResourceStore {
  readonly #table: DynamodbTable;

  constructor(table: DynamodbTable) {
    this.#table = table;
  }

  /** A query is of no single moment, and may show a part of a transaction: what does not fit is read again. */
  async list(kinds?: readonly string[]) {
    for (let look = 1; look <= TRIES; look++) {
      const before = await this.#lastWrite();
      const items = await queryPartition(this.#table, RESOURCES, ROW_PREFIX);
      const after = await this.#lastWrite();
      if (before.version === after.version && shows(items, after)) {
        // Only here: what was written last may be of any kind.
        const wanted = items.filter((item) => kinds?.includes(textOf(item, "kind")) ?? true);
        return await Promise.all(wanted.map((item) => readRow(this.#table.name, item)));
      }
      await this.#pause(look);
    }
    throw this.#busy("its resources changed whenever they were read");
  }

  async get(uid: string) {
    const { row } = await this.#see(uid);
    return row === undefined ? undefined : await readRow(this.#table.name, row);
  }

  async insert(row: NewResourceRow) {
    return await this.#write(async () => {
      const seen = await this.#see(row.uid);
      if (seen.row !== undefined) return { kind: "conflict", uid: row.uid } as const;
      return await this.#put(row, seen, undefined, absent());
    });
  }

  async replace(row: NewResourceRow, seenVersion: number) {
    return await this.#write(async (): Promise<Written | RowStale> => {
      const seen = await this.#see(row.uid);
      if (seen.row === undefined || numberOf(seen.row, "version") !== seenVersion) return { kind: "stale" };
      const before = await readRow(this.#table.name, seen.row);
      if (before.kind !== row.kind) return { kind: "stale" };
      return await this.#put(row, seen, before, equals("version", { N: String(seenVersion) }));
    });
  }

  async remove(uid: string, seenVersion: number) {
    return await this.#write(async () => {
      const { version, row } = await this.#see(uid);
      if (row === undefined || numberOf(row, "version") !== seenVersion) return { kind: "stale" } as const;
      const before = await readRow(this.#table.name, row);
      const { name: TableName } = this.#table;
      const failed = await this.#transact([
        moveVersion(TableName, version, uid, true),
        { Delete: { TableName, Key: rowKey(uid), ...equals("version", { N: String(seenVersion) }) } },
        ...moveHeld(TableName, uid, before, undefined),
      ]);
      return failed === undefined ? ({ kind: "removed" } as const) : "overtaken";
    });
  }

  async newestVersion() {
    return (await this.#lastWrite()).version;
  }

  async announce(processId: string, appliedVersion: number) {
    const request = new UpdateItemCommand({
      TableName: this.#table.name,
      Key: processKey(processId),
      UpdateExpression: "SET #process = :process, #applied = :applied ADD #beat :one",
      ExpressionAttributeNames: { "#process": "processId", "#applied": "appliedVersion", "#beat": "beat" },
      ExpressionAttributeValues: {
        ":process": { S: processId },
        ":applied": { N: String(appliedVersion) },
        ":one": { N: "1" },
      },
    });
    await this.#table.send("UpdateItem", (client, options) => client.send(request, options));
  }

  async processes() {
    const items = await queryPartition(this.#table, RESOURCES, PROCESS_PREFIX);
    return items.map((item) => ({
      processId: textOf(item, "processId"),
      appliedVersion: numberOf(item, "appliedVersion"),
      beat: numberOf(item, "beat"),
    }));
  }

  async forget(processId: string) {
    const request = new DeleteItemCommand({ TableName: this.#table.name, Key: processKey(processId) });
    await this.#table.send("DeleteItem", (client, options) => client.send(request, options));
  }

  async close() {
    this.#table.close();
  }

  /** Only what took no effect, since another was first, is tried again. */
  async #write<Result>(attempt: () => Promise<Result | "overtaken">): Promise<Result> {
    for (let tries = 1; tries <= TRIES; tries++) {
      const result = await attempt();
      if (result !== "overtaken") return result;
      await this.#pause(tries);
    }
    throw this.#busy("its resources changed whenever this one was to be written");
  }

  async #put(
    row: NewResourceRow,
    seen: Seen,
    before: Held | undefined,
    condition: Pick<Put, "ConditionExpression" | "ExpressionAttributeNames" | "ExpressionAttributeValues">,
  ): Promise<Written> {
    const { name: TableName } = this.#table;
    const version = seen.version + 1;
    const Item = await rowItem(TableName, row, version);
    const failed = await this.#transact([
      moveVersion(TableName, seen.version, row.uid, false),
      { Put: { TableName, Item, ...condition } },
      ...moveHeld(TableName, row.uid, before, row),
    ]);
    if (failed === undefined) return { kind: "written", version };
    const holder = failed.find(({ index }) => index >= FIRST_HELD)?.item;
    // Only of the version that was seen may be said who is in the way.
    if (failed.some(({ index }) => index < FIRST_HELD) || holder === undefined) return "overtaken";
    return { kind: "conflict", uid: textOf(holder, "uid") };
  }

  /** The conditions that did not hold; `undefined` when it took effect. */
  #transact(TransactItems: TransactWriteItem[]) {
    return this.#table.send("TransactWriteItems", async (client, options) => {
      try {
        await client.send(new TransactWriteItemsCommand({ TransactItems }), options);
        return undefined;
      } catch (error) {
        const failed = failedConditions(error);
        if (failed.length > 0) return failed;
        throw error;
      }
    });
  }

  /** In one transaction, which shows all of another or nothing. */
  async #see(uid: string): Promise<Seen> {
    const keys = [VERSION_KEY, rowKey(uid)];
    const request = new TransactGetItemsCommand({
      TransactItems: keys.map((Key) => ({ Get: { TableName: this.#table.name, Key } })),
    });
    const { Responses = [] } = await this.#table.send("TransactGetItems", (client, options) =>
      client.send(request, options),
    );
    return { version: readLastWrite(Responses[0]?.Item).version, row: Responses[1]?.Item };
  }

  async #lastWrite(): Promise<LastWrite> {
    const request = new GetItemCommand({
      TableName: this.#table.name,
      Key: VERSION_KEY,
      ConsistentRead: true,
    });
    const { Item } = await this.#table.send("GetItem", (client, options) => client.send(request, options));
    return readLastWrite(Item);
  }

  #pause(attempt: number): Promise<void> {
    return pause(PAUSE_MS * attempt * (0.5 + Math.random()));
  }

  #busy(what: string) {
    return busyStore(this.#table.name, what);
  }
}

function shows(items: readonly Item[], { version, uid, isRemoval }: LastWrite): boolean {
  if (items.some((item) => numberOf(item, "version") > version)) return false;
  const row = items.find((item) => textOf(item, "uid") === uid);
  return isRemoval ? row === undefined : row !== undefined && numberOf(row, "version") === version;
}

function processKey(processId: string): Item {
  return resourceKey(`${PROCESS_PREFIX}${processId}`);
}
