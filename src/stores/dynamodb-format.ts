import {
  type AttributeValue,
  GetItemCommand,
  PutItemCommand,
  type TransactWriteItem,
  TransactWriteItemsCommand,
} from "@aws-sdk/client-dynamodb";
import { readStrings } from "./checkpoint-json.ts";
import { busyStore, corruptStore, failedConditions } from "./dynamodb-errors.ts";
import { numberOf, textOf } from "./dynamodb-items.ts";
import { deleteItems, queryPartition } from "./dynamodb-query.ts";
import { absent, equals, moveHeld, resourceKey, rowKey, VERSION_KEY } from "./dynamodb-resource-items.ts";
import {
  type DynamodbLimits,
  DynamodbTable,
  type Item,
  PARTITION_KEY,
  pause,
  SORT_KEY,
} from "./dynamodb-table.ts";

const FORMAT = "2";
const FORMAT_KEY = keyOf("millrace", "format");
/** In it rows were event source mappings, under another key. */
const MAPPINGS_FORMAT = "1";
const MAPPINGS = "control";
const MAPPINGS_VERSION_KEY = keyOf(MAPPINGS, "version");
const MAPPING_PREFIX = "mapping#";
const LAST = "last";
const TRIES = 10;
const PAUSE_MS = 20;

/**
 * A table of this format: one that is new is given it, and one of format 1 is brought to it. Any number of processes
 * may do so at once.
 * @throws MillraceError ERR_MILLRACE_STORE_UNAVAILABLE, ERR_MILLRACE_STORE_CORRUPT
 */
export async function openDynamodbTable(name: string, limits: DynamodbLimits): Promise<DynamodbTable> {
  const table = await DynamodbTable.open(name, limits);
  try {
    const format = await readFormat(table);
    if (format === MAPPINGS_FORMAT) await moveMappings(table);
    else if (format !== FORMAT) throw otherFormat(name, format);
    return table;
  } catch (error) {
    table.close();
    throw error;
  }
}

async function readFormat(table: DynamodbTable): Promise<string | undefined> {
  const found = await readItem(table, FORMAT_KEY);
  if (found !== undefined) return found["version"]?.N;
  await table.sendIf("PutItem", (client, options) =>
    client.send(
      new PutItemCommand({ TableName: table.name, Item: formatItem(FORMAT), ...absent() }),
      options,
    ),
  );
  return (await readItem(table, FORMAT_KEY))?.["version"]?.N;
}

/**
 * Event source mappings become rows of their kind. First the former version is taken away, without which no process of
 * format 1 reads or writes rows any more: it is cut off, and stops what it runs, before others cease to wait for it.
 * Each step that follows takes effect only while the table is of format 1, so none comes behind a process that uses
 * the new one; a death in between leaves all to whoever opens the table next.
 */
async function moveMappings(table: DynamodbTable): Promise<void> {
  const taken = await takeVersion(table);
  const items = await mappingsAt(table, taken);
  for (const item of items) {
    const moved = movedItems(table.name, item);
    if (moved.length > 0) await transact(table, [stillMappings(table.name, MAPPINGS_FORMAT), ...moved]);
  }
  const version = { N: String(numberOf(taken, LAST)) };
  const last = { ...VERSION_KEY, version, uid: { S: "" }, isRemoval: { BOOL: true } };
  await transact(table, [
    stillMappings(table.name, FORMAT),
    { Put: { TableName: table.name, Item: last, ...absent() } },
  ]);
  await deleteItems(
    table,
    items.filter((item) => textOf(item, SORT_KEY) !== textOf(MAPPINGS_VERSION_KEY, SORT_KEY)),
  );
}

/** The item of the last version of format 1, which has the number under a name that no process of that format reads. */
async function takeVersion(table: DynamodbTable): Promise<Item> {
  for (let tries = 1; tries <= TRIES; tries++) {
    const item = await readItem(table, MAPPINGS_VERSION_KEY);
    if (item?.[LAST] !== undefined) return item;
    const { version = { N: "0" }, ...written } = item ?? {
      ...MAPPINGS_VERSION_KEY,
      isRemoval: { BOOL: true },
    };
    const taken = { ...written, [LAST]: version };
    const condition = item === undefined ? absent() : equals("version", version);
    const put = new PutItemCommand({ TableName: table.name, Item: taken, ...condition });
    const done = await table.sendIf("PutItem", (client, options) => client.send(put, options));
    if (done !== undefined) return taken;
  }
  throw busyStore(table.name, "its mappings changed whenever they were to be moved");
}

/** A query may show a part of the transaction that wrote last: then it is made again. */
async function mappingsAt(table: DynamodbTable, taken: Item): Promise<readonly Item[]> {
  const version = numberOf(taken, LAST);
  for (let tries = 1; tries <= TRIES; tries++) {
    const items = await queryPartition(table, MAPPINGS, "");
    const rows = items.filter((item) => textOf(item, SORT_KEY).startsWith(MAPPING_PREFIX));
    const last = rows.find((row) => textOf(row, "uuid") === textOf(taken, "uuid"));
    const isShown =
      taken["isRemoval"]?.BOOL === true
        ? last === undefined
        : last !== undefined && numberOf(last, "version") === version;
    if (isShown) return items;
    await pause(PAUSE_MS * tries);
  }
  throw busyStore(table.name, "its mappings could not be read as they were written last");
}

/** What an item of format 1 becomes; claims come with their rows. */
function movedItems(table: string, item: Item): readonly TransactWriteItem[] {
  const name = textOf(item, SORT_KEY);
  if (name.startsWith("process#")) {
    return [{ Put: { TableName: table, Item: { ...item, ...resourceKey(name) } } }];
  }
  const { uuid: uid, claims = { S: "[]" }, version, document } = item;
  if (
    !name.startsWith(MAPPING_PREFIX) ||
    uid?.S === undefined ||
    version === undefined ||
    document === undefined
  )
    return [];
  const row = { ...rowKey(uid.S), uid, kind: { S: "mapping" }, name: uid, version, claims, document };
  const held = { kind: "mapping", name: uid.S, claims: readClaims(table, uid.S, claims) };
  return [{ Put: { TableName: table, Item: row } }, ...moveHeld(table, uid.S, undefined, held)];
}

function readClaims(table: string, uid: string, claims: AttributeValue): readonly string[] {
  const read = readStrings(claims.S ?? "");
  if (read !== undefined) return read;
  const remedy = `Restore the table, or delete the item mapping#${uid}, which deletes the mapping`;
  throw corruptStore(table, `holds a mapping ${uid} that cannot be read`, remedy);
}

/** Takes effect while the table is of format 1, and leaves it at `next`. */
function stillMappings(table: string, next: string): TransactWriteItem {
  const condition = equals("version", { N: MAPPINGS_FORMAT });
  return { Put: { TableName: table, Item: formatItem(next), ...condition } };
}

/** What does not take effect was done by another process. */
async function transact(table: DynamodbTable, TransactItems: TransactWriteItem[]): Promise<void> {
  await table.send("TransactWriteItems", async (client, options) => {
    try {
      await client.send(new TransactWriteItemsCommand({ TransactItems }), options);
    } catch (error) {
      if (failedConditions(error).length === 0) throw error;
    }
  });
}

async function readItem(table: DynamodbTable, Key: Item): Promise<Item | undefined> {
  const request = new GetItemCommand({ TableName: table.name, Key, ConsistentRead: true });
  return (await table.send("GetItem", (client, options) => client.send(request, options))).Item;
}

function formatItem(version: string): Item {
  return { ...FORMAT_KEY, version: { N: version } };
}

function keyOf(partition: string, item: string): Item {
  return { [PARTITION_KEY]: { S: partition }, [SORT_KEY]: { S: item } };
}

function otherFormat(name: string, format: string | undefined) {
  return corruptStore(
    name,
    `has format ${format}; this version of millrace reads format ${FORMAT}`,
    "Run the version of millrace that wrote it, or name another table (--store dynamodb:TABLE)",
  );
}
