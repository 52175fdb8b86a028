import { UpdateItemCommand, type UpdateItemCommandInput } from "@aws-sdk/client-dynamodb";
import type { CellStore } from "../ports/cell-store.ts";
import { checkCellDocument } from "./cell-bounds.ts";
import { openDynamodbTable } from "./dynamodb-format.ts";
import { numberOf, textOf } from "./dynamodb-items.ts";
import { queryPartition } from "./dynamodb-query.ts";
import {
  DYNAMODB_LIMITS,
  type DynamodbLimits,
  type DynamodbTable,
  PARTITION_KEY,
  SORT_KEY,
} from "./dynamodb-table.ts";

/** All cells have this partition key and their names as sort keys: they are few, and read by prefix. */
const CELLS = "cells";
const STALE = { kind: "stale" } as const;

/**
 * Keeps cells in the table that also keeps progress: an item for each, which stays without its document when the cell
 * is gone. Each swap is one update on condition.
 * @throws ERR_MILLRACE_STORE_UNAVAILABLE, ERR_MILLRACE_STORE_CORRUPT as `openDynamodbStore`.
 */
export async function openDynamodbCellStore(
  table: string,
  limits: DynamodbLimits = DYNAMODB_LIMITS,
): Promise<CellStore> {
  return new DynamodbCellStore(await openDynamodbTable(table, limits));
}

class DynamodbCellStore implements CellStore {
  readonly #table: DynamodbTable;

  constructor(table: DynamodbTable) {
    this.#table = table;
  }

  async read(prefix: string) {
    const items = await queryPartition(this.#table, CELLS, prefix);
    return items.flatMap((item) => {
      const document = item["document"]?.S;
      const name = textOf(item, SORT_KEY);
      return document === undefined ? [] : [{ name, revision: numberOf(item, "revision"), document }];
    });
  }

  async swap(name: string, seenRevision: number, document: string | undefined) {
    checkCellDocument(name, document);
    if (seenRevision === 0 && document === undefined) return STALE;
    const request = new UpdateItemCommand({
      TableName: this.#table.name,
      Key: { [PARTITION_KEY]: { S: CELLS }, [SORT_KEY]: { S: name } },
      ReturnValues: "UPDATED_NEW",
      ...changeOf(seenRevision, document),
    });
    const written = await this.#table.sendIf("UpdateItem", (client, options) =>
      client.send(request, options),
    );
    if (written === undefined) return STALE;
    return { kind: "swapped", revision: numberOf(written.Attributes ?? {}, "revision") } as const;
  }

  async close() {
    this.#table.close();
  }
}

type Change = Pick<
  UpdateItemCommandInput,
  "UpdateExpression" | "ConditionExpression" | "ExpressionAttributeNames" | "ExpressionAttributeValues"
>;

// plant: a-cell-of-dynamodb-is-swapped-whatever-was-seen
const AS_SEEN = "#revision = :seen AND attribute_exists(#document)";

function changeOf(seenRevision: number, document: string | undefined): Change {
  const change = document === undefined ? "REMOVE #document" : "SET #document = :document";
  return {
    UpdateExpression: `${change} ADD #revision :one`,
    ConditionExpression: seenRevision === 0 ? "attribute_not_exists(#document)" : AS_SEEN,
    ExpressionAttributeNames: { "#document": "document", "#revision": "revision" },
    ExpressionAttributeValues: {
      ":one": { N: "1" },
      ...(document === undefined ? {} : { ":document": { S: document } }),
      ...(seenRevision === 0 ? {} : { ":seen": { N: String(seenRevision) } }),
    },
  };
}
