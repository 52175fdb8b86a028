import type { AttributeValue, TransactWriteItem } from "@aws-sdk/client-dynamodb";
import type { NewResourceRow, ResourceRow } from "../ports/resource-store.ts";
import { readStrings } from "./checkpoint-json.ts";
import { claimDigest } from "./claim-digest.ts";
import { packText, unpackText } from "./dynamodb-checkpoint.ts";
import { corruptStore } from "./dynamodb-errors.ts";
import { numberOf, textOf } from "./dynamodb-items.ts";
import { type Item, PARTITION_KEY, SORT_KEY } from "./dynamodb-table.ts";

/**
 * The control plane's items, all under one partition key: `version` with the store's version and what was written last;
 * `row#UID` for each row, `name#DIGEST` for each name of a kind, `claim#DIGEST` for each claim, `process#ID` for each
 * process.
 */
export const RESOURCES = "resources";
export const ROW_PREFIX = "row#";
export const PROCESS_PREFIX = "process#";
/** Above it a document is compressed: an item holds 400 KB (DynamoDB's quotas). */
const TEXT_BYTES_MAX = 100_000;

export const VERSION_KEY = resourceKey("version");

export function resourceKey(item: string): Item {
  return { [PARTITION_KEY]: { S: RESOURCES }, [SORT_KEY]: { S: item } };
}

export function rowKey(uid: string): Item {
  return resourceKey(`${ROW_PREFIX}${uid}`);
}

export async function rowItem(table: string, row: NewResourceRow, version: number): Promise<Item> {
  return {
    ...rowKey(row.uid),
    uid: { S: row.uid },
    kind: { S: row.kind },
    name: { S: row.name },
    version: { N: String(version) },
    claims: { S: JSON.stringify([...new Set(row.claims)]) },
    document: await packDocument(table, row),
  };
}

/** @throws ERR_MILLRACE_STORE_CORRUPT */
export async function readRow(table: string, item: Item): Promise<ResourceRow> {
  const [uid, kind, name] = [textOf(item, "uid"), textOf(item, "kind"), textOf(item, "name")];
  const claims = readStrings(textOf(item, "claims"));
  const { S: text, B: bytes } = item["document"] ?? {};
  const document = bytes === undefined ? text : await unpackText(bytes);
  if (claims === undefined || document === undefined) {
    const remedy = `Stop millrace and restore the table, or delete the item ${ROW_PREFIX}${uid}, which deletes the ${kind}`;
    throw corruptStore(table, `holds a ${kind} ${name} that cannot be read`, remedy);
  }
  return { uid, kind, name, claims, document, version: numberOf(item, "version") };
}

/** What was written last, as the version's item says. */
export interface LastWrite {
  /** 0 for a store that was never written to. */
  readonly version: number;
  readonly uid: string;
  readonly isRemoval: boolean;
}

export function readLastWrite(item: Item | undefined): LastWrite {
  if (item === undefined) return { version: 0, uid: "", isRemoval: true };
  return {
    version: numberOf(item, "version"),
    uid: textOf(item, "uid"),
    isRemoval: item["isRemoval"]?.BOOL === true,
  };
}

/** Moves the store on from version `from`; every write of the control plane begins with it. */
export function moveVersion(table: string, from: number, uid: string, isRemoval: boolean): TransactWriteItem {
  const Item = {
    ...VERSION_KEY,
    version: { N: String(from + 1) },
    uid: { S: uid },
    isRemoval: { BOOL: isRemoval },
  };
  const condition = from === 0 ? absent() : equals("version", { N: String(from) });
  return { Put: { TableName: table, Item, ...condition } };
}

/** What only one row may hold at a time: its name and its claims. */
export type Held = Pick<NewResourceRow, "kind" | "name" | "claims">;

/** Gives what `after` holds to `uid`, unless another has it, and frees what it held before and holds no more. */
export function moveHeld(
  table: string,
  uid: string,
  before: Held | undefined,
  after: Held | undefined,
): readonly TransactWriteItem[] {
  const held = heldItems(after);
  const taken = held.map((item) => {
    const { ConditionExpression: holds, ...names } = equals("uid", { S: uid });
    // plant: a-claim-of-dynamodb-goes-to-whoever-asks
    const ConditionExpression = `attribute_not_exists(#uid) OR ${holds}`;
    const Item = { ...resourceKey(item), uid: { S: uid } };
    const ReturnValuesOnConditionCheckFailure = "ALL_OLD" as const;
    return {
      Put: { TableName: table, Item, ...names, ConditionExpression, ReturnValuesOnConditionCheckFailure },
    };
  });
  const freed = heldItems(before)
    .filter((item) => !held.includes(item))
    .map((item) => ({ Delete: { TableName: table, Key: resourceKey(item) } }));
  return [...taken, ...freed];
}

function heldItems(row: Held | undefined): readonly string[] {
  if (row === undefined) return [];
  const name = `name#${claimDigest(JSON.stringify([row.kind, row.name]))}`;
  return [name, ...[...new Set(row.claims)].map((claim) => `claim#${claimDigest(claim)}`)];
}

export function absent() {
  return {
    ConditionExpression: "attribute_not_exists(#key)",
    ExpressionAttributeNames: { "#key": PARTITION_KEY },
  };
}

export function equals(name: string, value: AttributeValue) {
  return {
    ConditionExpression: `#${name} = :${name}`,
    ExpressionAttributeNames: { [`#${name}`]: name },
    ExpressionAttributeValues: { [`:${name}`]: value },
  };
}

async function packDocument(
  table: string,
  { kind, name, document }: NewResourceRow,
): Promise<AttributeValue> {
  if (Buffer.byteLength(document) <= TEXT_BYTES_MAX) return { S: document };
  const bytes = await packText(document);
  if (bytes !== undefined) return { B: bytes };
  const remedy = "Use another store for it, such as postgres:";
  throw corruptStore(table, `cannot hold the ${kind} ${name}: it is larger than DynamoDB's items`, remedy);
}
