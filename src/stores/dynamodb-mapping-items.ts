import type { AttributeValue, TransactWriteItem } from "@aws-sdk/client-dynamodb";
import type { MappingRow, NewMappingRow } from "../ports/mapping-store.ts";
import { readStrings } from "./checkpoint-json.ts";
import { claimDigest } from "./claim-digest.ts";
import { packText, unpackText } from "./dynamodb-checkpoint.ts";
import { corruptStore } from "./dynamodb-errors.ts";
import { numberOf, textOf } from "./dynamodb-items.ts";
import { type Item, PARTITION_KEY, SORT_KEY } from "./dynamodb-table.ts";

/**
 * The control plane's items, all under one partition key: `version` with the store's version and what was written last;
 * `mapping#UUID` for each row, `claim#DIGEST` for each claim, `process#ID` for each process.
 */
export const CONTROL = "control";
export const ROW_PREFIX = "mapping#";
export const PROCESS_PREFIX = "process#";
/** Above it a document is compressed: an item holds 400 KB (DynamoDB's quotas). */
const TEXT_BYTES_MAX = 100_000;

export const VERSION_KEY = controlKey("version");

export function controlKey(item: string): Item {
  return { [PARTITION_KEY]: { S: CONTROL }, [SORT_KEY]: { S: item } };
}

export function rowKey(uuid: string): Item {
  return controlKey(`${ROW_PREFIX}${uuid}`);
}

export async function rowItem(table: string, row: NewMappingRow, version: number): Promise<Item> {
  return {
    ...rowKey(row.uuid),
    uuid: { S: row.uuid },
    version: { N: String(version) },
    claims: { S: JSON.stringify([...new Set(row.claims)]) },
    document: await packDocument(table, row),
  };
}

/** @throws ERR_MILLRACE_STORE_CORRUPT */
export async function readRow(table: string, item: Item): Promise<MappingRow> {
  const uuid = textOf(item, "uuid");
  const claims = readStrings(textOf(item, "claims"));
  const { S: text, B: bytes } = item["document"] ?? {};
  const document = bytes === undefined ? text : await unpackText(bytes);
  if (claims === undefined || document === undefined) {
    const remedy = `Stop millrace and restore the table, or delete the item ${ROW_PREFIX}${uuid}, which deletes the mapping`;
    throw corruptStore(table, `holds a mapping ${uuid} that cannot be read`, remedy);
  }
  return { uuid, claims, document, version: numberOf(item, "version") };
}

/** What was written last, as the version's item says. */
export interface LastWrite {
  /** 0 for a store that was never written to. */
  readonly version: number;
  readonly uuid: string;
  readonly isRemoval: boolean;
}

export function readLastWrite(item: Item | undefined): LastWrite {
  if (item === undefined) return { version: 0, uuid: "", isRemoval: true };
  return {
    version: numberOf(item, "version"),
    uuid: textOf(item, "uuid"),
    isRemoval: item["isRemoval"]?.BOOL === true,
  };
}

/** Moves the store on from version `from`; every write of the control plane begins with it. */
export function moveVersion(
  table: string,
  from: number,
  uuid: string,
  isRemoval: boolean,
): TransactWriteItem {
  const Item = {
    ...VERSION_KEY,
    version: { N: String(from + 1) },
    uuid: { S: uuid },
    isRemoval: { BOOL: isRemoval },
  };
  const condition = from === 0 ? absent() : equals("version", { N: String(from) });
  return { Put: { TableName: table, Item, ...condition } };
}

/** Gives the claims to `uuid`, unless another has one, and frees those of `before` that it has no more. */
export function moveClaims(
  table: string,
  uuid: string,
  before: readonly string[],
  after: readonly string[],
): readonly TransactWriteItem[] {
  const taken = [...new Set(after)].map((claim) => {
    const { ConditionExpression: holds, ...names } = equals("uuid", { S: uuid });
    const ConditionExpression = `attribute_not_exists(#uuid) OR ${holds}`;
    const Item = { ...claimKey(claim), uuid: { S: uuid } };
    const ReturnValuesOnConditionCheckFailure = "ALL_OLD" as const;
    return {
      Put: { TableName: table, Item, ...names, ConditionExpression, ReturnValuesOnConditionCheckFailure },
    };
  });
  const freed = before
    .filter((claim) => !after.includes(claim))
    .map((claim) => ({ Delete: { TableName: table, Key: claimKey(claim) } }));
  return [...taken, ...freed];
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

function claimKey(claim: string): Item {
  return controlKey(`claim#${claimDigest(claim)}`);
}

async function packDocument(table: string, { uuid, document }: NewMappingRow): Promise<AttributeValue> {
  if (Buffer.byteLength(document) <= TEXT_BYTES_MAX) return { S: document };
  const bytes = await packText(document);
  if (bytes !== undefined) return { B: bytes };
  const remedy = "Use another store for it, such as postgres:";
  throw corruptStore(table, `cannot hold mapping ${uuid}: it is larger than DynamoDB's items`, remedy);
}
