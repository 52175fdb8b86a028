import {
  BatchWriteItemCommand,
  QueryCommand,
  type QueryCommandInput,
  type WriteRequest,
} from "@aws-sdk/client-dynamodb";
import { noAnswer } from "./dynamodb-errors.ts";
import { keyOf } from "./dynamodb-items.ts";
import { type DynamodbTable, type Item, PARTITION_KEY, pause, SORT_KEY } from "./dynamodb-table.ts";

const DELETES_PER_CALL = 25;
const DELETE_TRIES = 10;
const DELETE_PAUSE_MS = 50;

/** The items of a mapping's progress whose sort key begins with `prefix`, as they are now, page by page. */
export function queryItems(
  table: DynamodbTable,
  mappingUuid: string,
  prefix = "",
  options: Pick<QueryCommandInput, "Limit"> = {},
): Promise<readonly Item[]> {
  const partition = keyOf(mappingUuid, "")[PARTITION_KEY]?.S ?? "";
  return queryPartition(table, partition, prefix, options);
}

/** The same of any partition key. `after`: those behind this sort key. */
export async function queryPartition(
  table: DynamodbTable,
  partition: string,
  prefix: string,
  { after, ...options }: Pick<QueryCommandInput, "Limit"> & { readonly after?: string } = {},
): Promise<readonly Item[]> {
  const items: Item[] = [];
  let from: Item | undefined =
    after === undefined ? undefined : { [PARTITION_KEY]: { S: partition }, [SORT_KEY]: { S: after } };
  do {
    const request = new QueryCommand({
      ...options,
      TableName: table.name,
      ConsistentRead: true,
      KeyConditionExpression: prefix === "" ? "#key = :key" : "#key = :key AND begins_with(#item, :prefix)",
      ExpressionAttributeNames: { "#key": PARTITION_KEY, ...(prefix === "" ? {} : { "#item": SORT_KEY }) },
      ExpressionAttributeValues: {
        ":key": { S: partition },
        ...(prefix === "" ? {} : { ":prefix": { S: prefix } }),
      },
      ExclusiveStartKey: from,
    });
    const page = await table.send("Query", (client, sendOptions) => client.send(request, sendOptions));
    items.push(...(page.Items ?? []));
    from = page.LastEvaluatedKey;
  } while (from !== undefined && items.length < (options.Limit ?? Number.POSITIVE_INFINITY));
  return items;
}

export async function deleteItems(table: DynamodbTable, items: readonly Item[]): Promise<void> {
  for (let first = 0; first < items.length; first += DELETES_PER_CALL) {
    let requests: WriteRequest[] = items
      .slice(first, first + DELETES_PER_CALL)
      .map((item) => ({ DeleteRequest: { Key: primaryKeyOf(item) } }));
    for (let attempt = 1; requests.length > 0; attempt++) {
      if (attempt > DELETE_TRIES)
        throw noAnswer(
          { table: table.name, action: "dynamodb:BatchWriteItem" },
          DELETE_TRIES * DELETE_PAUSE_MS,
        );
      if (attempt > 1) await pause(DELETE_PAUSE_MS * attempt);
      const request = new BatchWriteItemCommand({ RequestItems: { [table.name]: requests } });
      const { UnprocessedItems = {} } = await table.send("BatchWriteItem", (client, sendOptions) =>
        client.send(request, sendOptions),
      );
      requests = UnprocessedItems[table.name] ?? [];
    }
  }
}

export function primaryKeyOf(item: Item): Item {
  return { [PARTITION_KEY]: item[PARTITION_KEY] ?? { S: "" }, [SORT_KEY]: item[SORT_KEY] ?? { S: "" } };
}
