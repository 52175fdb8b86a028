import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  GetItemCommand,
  type TransactWriteItem,
  TransactWriteItemsCommand,
} from "@aws-sdk/client-dynamodb";
import type { Drainer } from "../ports/parking-store.ts";
import { busyStore, failedConditions, noAnswer } from "./dynamodb-errors.ts";
import { textOf } from "./dynamodb-items.ts";
import {
  type Header,
  MARKERS,
  markersOf,
  parkedKey,
  readHeader,
  readQueue,
  redriveKey,
  writeHeader,
  writeQueue,
} from "./dynamodb-parking-items.ts";
import { absent } from "./dynamodb-resource-items.ts";
import { type DynamodbTable, type Item, pause, SORT_KEY } from "./dynamodb-table.ts";
import { movedTally, type ParkedQueue, tallyOf } from "./parked-queue.ts";

const GETS_PER_CALL = 100;
const PUTS_PER_CALL = 25;
const TRIES = 12;
const PAUSE_MS = 20;

/** A queue as it was read, and as it is to be. */
export interface HeldQueue {
  readonly name: string;
  readonly before: ParkedQueue;
  readonly queue: ParkedQueue;
}

/** What a write to a redrive is: it takes effect whole, while nobody else has written to the redrive, or not at all. */
export interface RedriveWrite {
  readonly seen: Header;
  readonly next: Header;
  readonly queues?: readonly HeldQueue[];
  readonly drainer?: Drainer | undefined;
  readonly more?: readonly TransactWriteItem[];
}

/** Reads and writes of what is parked in a table. */
export class ParkingWork {
  readonly table: DynamodbTable;
  /** Writes of one process to a redrive come in turn; those of others are found out by its revision. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(table: DynamodbTable) {
    this.table = table;
  }

  async header(id: string): Promise<Header | undefined> {
    const item = await this.item(redriveKey(`redrive#${id}`));
    return item && readHeader(item);
  }

  async item(Key: Item): Promise<Item | undefined> {
    const request = new GetItemCommand({ TableName: this.table.name, Key, ConsistentRead: true });
    return (await this.table.send("GetItem", (client, options) => client.send(request, options))).Item;
  }

  async isNewest({ mapping, epoch }: Drainer): Promise<boolean> {
    const fence = await this.item(redriveKey(`fence#${mapping}`));
    // plant: a-followed-drainer-of-dynamodb-is-not-seen
    return fence !== undefined && Number(fence["epoch"]?.N) === epoch;
  }

  async queue(id: string, name: string): Promise<HeldQueue> {
    const item = await this.item(parkedKey(id, `queue#${name}`));
    return { name, ...(await this.#held(item)) };
  }

  async queues(id: string, names: readonly string[]): Promise<readonly HeldQueue[]> {
    const items = await this.items(names.map((name) => parkedKey(id, `queue#${name}`)));
    const byName = new Map(items.map((item) => [textOf(item, "queue"), item]));
    return await Promise.all(names.map(async (name) => ({ name, ...(await this.#held(byName.get(name))) })));
  }

  read(items: readonly Item[]): Promise<readonly HeldQueue[]> {
    return Promise.all(
      items.map(async (item) => ({ name: textOf(item, "queue"), ...(await this.#held(item)) })),
    );
  }

  async #held(item: Item | undefined) {
    const read = async (): Promise<ParkedQueue> =>
      item === undefined
        ? { isKeyless: false, entries: [], over: [] }
        : await readQueue(this.table.name, item);
    return { before: await read(), queue: await read() };
  }

  /** Those that are there, in the order of the keys. */
  async items(keys: readonly Item[]): Promise<readonly Item[]> {
    const found = new Map<string, Item>();
    for (let first = 0; first < keys.length; first += GETS_PER_CALL) {
      let Keys: Item[] = keys.slice(first, first + GETS_PER_CALL);
      for (let tries = 1; Keys.length > 0; tries++) {
        if (tries > TRIES) throw noAnswer({ table: this.table.name, action: "dynamodb:BatchGetItem" }, TRIES);
        if (tries > 1) await this.#pause(tries);
        const RequestItems = { [this.table.name]: { Keys, ConsistentRead: true } };
        const request = new BatchGetItemCommand({ RequestItems });
        const { Responses = {}, UnprocessedKeys = {} } = await this.table.send(
          "BatchGetItem",
          (client, options) => client.send(request, options),
        );
        for (const item of Responses[this.table.name] ?? []) found.set(textOf(item, SORT_KEY), item);
        Keys = UnprocessedKeys[this.table.name]?.Keys ?? [];
      }
    }
    return keys.map((key) => found.get(textOf(key, SORT_KEY))).filter((item) => item !== undefined);
  }

  async put(items: readonly Item[]): Promise<void> {
    for (let first = 0; first < items.length; first += PUTS_PER_CALL) {
      let requests = items.slice(first, first + PUTS_PER_CALL).map((Item) => ({ PutRequest: { Item } }));
      for (let tries = 1; requests.length > 0; tries++) {
        if (tries > TRIES)
          throw noAnswer({ table: this.table.name, action: "dynamodb:BatchWriteItem" }, TRIES);
        if (tries > 1) await this.#pause(tries);
        const request = new BatchWriteItemCommand({ RequestItems: { [this.table.name]: requests } });
        const { UnprocessedItems = {} } = await this.table.send("BatchWriteItem", (client, options) =>
          client.send(request, options),
        );
        const left = UnprocessedItems[this.table.name] ?? [];
        requests = left.flatMap(({ PutRequest }) =>
          PutRequest?.Item === undefined ? [] : [{ PutRequest: { Item: PutRequest.Item } }],
        );
      }
    }
  }

  /** Makes an attempt until none is overtaken by another's write, in the turn of the redrive. */
  async inTurn<Result>(id: string, attempt: () => Promise<Result | "overtaken">): Promise<Result> {
    const before = this.#turns.get(id) ?? Promise.resolve();
    const mine = before.catch(() => undefined).then(() => this.#untilDone(attempt));
    this.#turns.set(id, mine);
    try {
      return await mine;
    } finally {
      if (this.#turns.get(id) === mine) this.#turns.delete(id);
    }
  }

  async #untilDone<Result>(attempt: () => Promise<Result | "overtaken">): Promise<Result> {
    for (let tries = 1; tries <= TRIES; tries++) {
      const result = await attempt();
      if (result !== "overtaken") return result;
      await this.#pause(tries);
    }
    throw busyStore(this.table.name, "a redrive changed whenever it was to be written");
  }

  /** `overtaken`: it changed since it was read, or its drainer was followed. */
  async write(write: RedriveWrite): Promise<"written" | "overtaken"> {
    const { seen, next, queues = [], drainer, more = [] } = write;
    const TableName = this.table.name;
    const { id } = seen.redrive;
    let { tally } = next;
    const changed: TransactWriteItem[] = [];
    for (const { name, before, queue } of queues) {
      const [was, is] = [tallyOf(before), tallyOf(queue)];
      tally = movedTally(tally, was, is);
      changed.push({ Put: { TableName, Item: await writeQueue(TableName, id, name, queue) } });
      const [had, has] = [markersOf(was), markersOf(is)];
      for (const marker of MARKERS) {
        if (had[marker] === has[marker]) continue;
        const Key = parkedKey(id, `${marker}#${name}`);
        changed.push(
          has[marker]
            ? { Put: { TableName, Item: { ...Key, queue: { S: name } } } }
            : { Delete: { TableName, Key } },
        );
      }
    }
    const Item = writeHeader({ ...next, tally, revision: seen.revision + 1 }, undefined);
    const unmoved = {
      // plant: a-redrive-of-dynamodb-is-written-over-anothers-write
      ConditionExpression: "#revision = :revision",
      ExpressionAttributeNames: { "#revision": "revision" },
      ExpressionAttributeValues: { ":revision": { N: String(seen.revision) } },
    };
    const answer = await this.transact([
      { Put: { TableName, Item, ...unmoved } },
      ...(drainer === undefined ? [] : [this.#fence(drainer)]),
      ...changed,
      ...more,
    ]);
    return answer ? "written" : "overtaken";
  }

  /** Whether all conditions held. */
  transact(TransactItems: TransactWriteItem[]): Promise<boolean> {
    return this.table.send("TransactWriteItems", async (client, options) => {
      try {
        await client.send(new TransactWriteItemsCommand({ TransactItems }), options);
        return true;
      } catch (error) {
        if (failedConditions(error).length > 0) return false;
        throw error;
      }
    });
  }

  #fence({ mapping, epoch }: Drainer): TransactWriteItem {
    return {
      ConditionCheck: {
        TableName: this.table.name,
        Key: redriveKey(`fence#${mapping}`),
        // plant: a-followed-drainer-of-dynamodb-is-not-fenced
        ConditionExpression: "#epoch = :epoch",
        ExpressionAttributeNames: { "#epoch": "epoch" },
        ExpressionAttributeValues: { ":epoch": { N: String(epoch) } },
      },
    };
  }

  newName(name: string, id: string): TransactWriteItem {
    return { Put: { TableName: this.table.name, Item: { ...redriveKey(name), id: { S: id } }, ...absent() } };
  }

  #pause(tries: number): Promise<void> {
    return pause(PAUSE_MS * tries * (0.5 + Math.random()));
  }
}
