import {
  GetItemCommand,
  type TransactWriteItem,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import PQueue from "p-queue";
import {
  FAILURE_ROWS_MAX,
  type FailureIndex,
  type FailureMark,
  type FailureQuery,
  type FailureRow,
} from "../ports/failure-index.ts";
import { packText, unpackText } from "./dynamodb-checkpoint.ts";
import { corruptStore, failedConditions } from "./dynamodb-errors.ts";
import { openDynamodbTable } from "./dynamodb-format.ts";
import { numberOf, textOf } from "./dynamodb-items.ts";
import { queryPartition } from "./dynamodb-query.ts";
import { absent } from "./dynamodb-resource-items.ts";
import {
  DYNAMODB_LIMITS,
  type DynamodbLimits,
  type DynamodbTable,
  type Item,
  PARTITION_KEY,
  SORT_KEY,
} from "./dynamodb-table.ts";
import { boundsOf, readFailure, writeFailure } from "./failure-document.ts";

/** All rows have this partition key: `at#TIME#ID` each, `id#ID` for where it is, `count` for how many there are. */
const FAILURES = "failures";
/** Times before 1970 come before others, too. */
const TIME_OFFSET_MS = 1e15;
const TIME_DIGITS = 17;
const PAGE_ROWS = 500;
const MARKS_AT_ONCE = 16;
/** A small document can be read in the console. */
const TEXT_CHARS_MAX = 4_096;

export interface DynamodbFailureOptions {
  readonly limits?: DynamodbLimits;
  readonly rowsMax?: number;
}

/**
 * Keeps rows of failures in the table that also keeps progress.
 * @throws ERR_MILLRACE_STORE_UNAVAILABLE, ERR_MILLRACE_STORE_CORRUPT as `openDynamodbStore`.
 */
export async function openDynamodbFailureIndex(
  table: string,
  { limits = DYNAMODB_LIMITS, rowsMax = FAILURE_ROWS_MAX }: DynamodbFailureOptions = {},
): Promise<FailureIndex> {
  return new DynamodbFailureIndex(await openDynamodbTable(table, limits), rowsMax);
}

class DynamodbFailureIndex implements FailureIndex {
  readonly #table: DynamodbTable;
  readonly #rowsMax: number;
  /** Rows of one process come in turn: each moves the count. */
  readonly #adds = new PQueue({ concurrency: 1 });

  constructor(table: DynamodbTable, rowsMax: number) {
    this.#table = table;
    this.#rowsMax = rowsMax;
  }

  async add(rows: readonly FailureRow[]) {
    await this.#adds.add(async () => {
      for (const row of rows) await this.#addOne(row);
      if (rows.length > 0) await this.#trim();
    });
  }

  async list(query: FailureQuery) {
    const { since, until, afterMs, afterId } = boundsOf(query);
    const { mapping, redriveId, max } = query;
    const rows: FailureRow[] = [];
    let after = timeName(Math.max(since, afterMs), afterMs >= since ? afterId : "");
    while (rows.length < max) {
      const page = await queryPartition(this.#table, FAILURES, "at#", { Limit: PAGE_ROWS, after });
      for (const item of page) {
        if (numberOf(item, "atMs") >= until) return rows;
        if (mapping !== undefined && textOf(item, "mapping") !== mapping) continue;
        if (redriveId !== undefined && textOf(item, "redriveId") !== redriveId) continue;
        rows.push(await this.#read(item));
        if (rows.length === max) return rows;
      }
      const last = page.at(-1);
      if (last === undefined) return rows;
      after = textOf(last, SORT_KEY);
    }
    return rows;
  }

  async get(id: string) {
    const name = await this.#nameOf(id);
    const item = name === undefined ? undefined : await this.#item(name);
    return item && (await this.#read(item));
  }

  async mark(ids: readonly string[], change: FailureMark) {
    const queue = new PQueue({ concurrency: MARKS_AT_ONCE });
    const marked = await queue.addAll([...new Set(ids)].map((id) => () => this.#markOne(id, change)));
    return marked.filter((id) => id !== undefined);
  }

  async close() {
    await this.#adds.onIdle();
    this.#table.close();
  }

  async #addOne(row: FailureRow): Promise<void> {
    const { name: TableName } = this.#table;
    const name = timeName(row.atMs, row.id);
    await this.#transact([
      // plant: a-failure-of-dynamodb-is-written-over
      { Put: { TableName, Item: { ...keyOf(`id#${row.id}`), at: { S: name } }, ...absent() } },
      { Put: { TableName, Item: await this.#write(row, name) } },
      this.#count(1),
    ]);
  }

  /** The oldest go, until there are no more than there may be. */
  async #trim(): Promise<void> {
    for (;;) {
      const over = numberOf(await this.#item("count"), "rows") - this.#rowsMax;
      // plant: rows-of-failures-in-dynamodb-are-without-bound
      if (!(over > 0)) return;
      const oldest = await queryPartition(this.#table, FAILURES, "at#", { Limit: Math.min(over, PAGE_ROWS) });
      if (oldest.length === 0) return;
      for (const item of oldest.slice(0, over)) await this.#removeOne(item);
    }
  }

  async #removeOne(item: Item): Promise<void> {
    const { name: TableName } = this.#table;
    const isThere = {
      ConditionExpression: "attribute_exists(#key)",
      ExpressionAttributeNames: { "#key": PARTITION_KEY },
    };
    await this.#transact([
      { Delete: { TableName, Key: keyOf(textOf(item, SORT_KEY)), ...isThere } },
      { Delete: { TableName, Key: keyOf(`id#${textOf(item, "id")}`) } },
      this.#count(-1),
    ]);
  }

  #count(rows: number): TransactWriteItem {
    return {
      Update: {
        TableName: this.#table.name,
        Key: keyOf("count"),
        UpdateExpression: "ADD #rows :rows",
        ExpressionAttributeNames: { "#rows": "rows" },
        ExpressionAttributeValues: { ":rows": { N: String(rows) } },
      },
    };
  }

  /** Where a condition does not hold, it was done before: nothing is done twice. */
  async #transact(TransactItems: TransactWriteItem[]): Promise<void> {
    await this.#table.send("TransactWriteItems", async (client, options) => {
      try {
        await client.send(new TransactWriteItemsCommand({ TransactItems }), options);
      } catch (error) {
        if (failedConditions(error).length === 0) throw error;
      }
    });
  }

  /** `undefined`: it is not there, or not as is asked. */
  async #markOne(
    id: string,
    { from, ofRedrive, state, redriveId }: FailureMark,
  ): Promise<string | undefined> {
    const name = await this.#nameOf(id);
    if (name === undefined || from.length === 0) return undefined;
    const states = Object.fromEntries(from.map((each, at) => [`:from${at}`, { S: each }]));
    const request = new UpdateItemCommand({
      TableName: this.#table.name,
      Key: keyOf(name),
      UpdateExpression: `SET #state = :state${redriveId === undefined ? " REMOVE #redrive" : ", #redrive = :redrive"}`,
      ConditionExpression:
        // plant: a-failure-of-dynamodb-is-marked-whatever-its-state
        `#state IN (${Object.keys(states).join(", ")})` +
        (ofRedrive === undefined ? "" : " AND #redrive = :of"),
      ExpressionAttributeNames: { "#state": "state", "#redrive": "redriveId" },
      ExpressionAttributeValues: {
        ...states,
        ":state": { S: state },
        ...(redriveId === undefined ? {} : { ":redrive": { S: redriveId } }),
        ...(ofRedrive === undefined ? {} : { ":of": { S: ofRedrive } }),
      },
    });
    const written = await this.#table.sendIf("UpdateItem", (client, options) =>
      client.send(request, options),
    );
    return written === undefined ? undefined : id;
  }

  async #nameOf(id: string): Promise<string | undefined> {
    return (await this.#item(`id#${id}`))?.["at"]?.S;
  }

  async #item(name: string): Promise<Item | undefined> {
    const request = new GetItemCommand({
      TableName: this.#table.name,
      Key: keyOf(name),
      ConsistentRead: true,
    });
    return (await this.#table.send("GetItem", (client, options) => client.send(request, options))).Item;
  }

  async #write(row: FailureRow, name: string): Promise<Item> {
    const { id, mapping, atMs, state, redriveId } = row;
    const text = writeFailure(row);
    const bytes = text.length <= TEXT_CHARS_MAX ? undefined : await packText(text);
    // Who lists it anew reads its records at the destination.
    const small =
      bytes === undefined && text.length > TEXT_CHARS_MAX ? writeFailure({ ...row, items: [] }) : text;
    return {
      ...keyOf(name),
      id: { S: id },
      mapping: { S: mapping },
      atMs: { N: String(Math.floor(atMs)) },
      state: { S: state },
      document: bytes === undefined ? { S: small } : { B: bytes },
      ...(redriveId === undefined ? {} : { redriveId: { S: redriveId } }),
    };
  }

  async #read(item: Item): Promise<FailureRow> {
    const { S: text, B: bytes } = item["document"] ?? {};
    const document = bytes === undefined ? text : await unpackText(bytes);
    if (document === undefined)
      throw corruptStore(this.#table.name, "holds a failure that cannot be read", "Restore the table");
    const columns = {
      id: textOf(item, "id"),
      mapping: textOf(item, "mapping"),
      atMs: numberOf(item, "atMs"),
      state: textOf(item, "state"),
      redriveId: item["redriveId"]?.S,
      document,
    };
    return readFailure(columns, `dynamodb:${this.#table.name}`);
  }
}

function keyOf(name: string): Item {
  return { [PARTITION_KEY]: { S: FAILURES }, [SORT_KEY]: { S: name } };
}

function timeName(atMs: number, id: string): string {
  return `at#${String(Math.floor(atMs) + TIME_OFFSET_MS).padStart(TIME_DIGITS, "0")}#${id}`;
}
