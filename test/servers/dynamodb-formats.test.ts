import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import { after, test } from "node:test";
import {
  type AttributeValue,
  CreateTableCommand,
  DynamoDBClient,
  PutItemCommand,
  ScanCommand,
  TransactWriteItemsCommand,
} from "@aws-sdk/client-dynamodb";
import { openDynamodbStore } from "../../src/stores/dynamodb.ts";
import { openDynamodbResourceStore } from "../../src/stores/dynamodb-resources.ts";
import { startDynamodbLocal } from "./dynamodb-local.ts";
import { useEndpoint } from "./dynamodb-stream-fixture.ts";

const HANG = { timeout: 120_000 };
const server = await startDynamodbLocal();
useEndpoint(server.endpoint);
const client = new DynamoDBClient({ endpoint: server.endpoint });
after(() => {
  client.destroy();
  return server.close();
});

test(
  "a table of the format of mappings is raised by several at once: its rows are mappings, with claims and beats",
  HANG,
  async () => {
    const table = await tableOfMappings();
    const [store, other, progress] = await Promise.all([
      openDynamodbResourceStore(table),
      openDynamodbResourceStore(table),
      openDynamodbStore(table),
    ]);
    const rows = [...(await other.list(["mapping"]))].sort((a, b) => a.version - b.version);
    assert.deepEqual(rows, [
      { ...mapping("m-1", ["a", "b"], '{"n":1}'), version: 6 },
      { ...mapping("m-2", ["c"], '{"n":2}'), version: 9 },
    ]);
    assert.equal(await store.newestVersion(), 9);
    assert.deepEqual(await store.processes(), [{ processId: "p1", appliedVersion: 8, beat: 41 }]);
    assert.deepEqual(await store.insert(mapping("m-3", ["c"], "{}")), { kind: "conflict", uid: "m-2" });
    const namesake = { ...mapping("m-3", [], "{}"), name: "m-1" };
    assert.deepEqual(await store.insert(namesake), { kind: "conflict", uid: "m-1" });
    const written = { kind: "written", version: 10 };
    assert.deepEqual(await store.replace(mapping("m-1", ["a"], '{"n":3}'), 6), written);
    assert.deepEqual(await itemsOf(table, "control"), ["version"], "only the mark is left");
    await Promise.all([store, other, progress].map((each) => each.close()));
  },
);

test(
  "a process that runs on the format of mappings reads no version and writes nothing once it is raised",
  HANG,
  async () => {
    const table = await tableOfMappings();
    await (await openDynamodbResourceStore(table)).close();
    const { Items = [] } = await client.send(new ScanCommand({ TableName: table, ConsistentRead: true }));
    const version = Items.find(({ millrace, item }) => millrace?.S === "control" && item?.S === "version");
    assert.ok(version !== undefined);
    assert.equal(
      version["version"],
      undefined,
      "what is not a number is no version, and no rows of it are listed",
    );
    const TransactItems = [
      {
        Put: {
          TableName: table,
          Item: { ...keyOf("control", "version"), version: { N: "10" } },
          ConditionExpression: "#version = :version",
          ExpressionAttributeNames: { "#version": "version" },
          ExpressionAttributeValues: { ":version": { N: "9" } },
        },
      },
    ];
    await assert.rejects(client.send(new TransactWriteItemsCommand({ TransactItems })), {
      name: "TransactionCanceledException",
    });
  },
);

test(
  "a move that ended half-way is finished by who opens the table next, and brings back no row",
  HANG,
  async () => {
    const table = await tableOfMappings();
    const taken = {
      ...keyOf("control", "version"),
      last: { N: "9" },
      uuid: { S: "m-2" },
      isRemoval: { BOOL: false },
    };
    await client.send(new PutItemCommand({ TableName: table, Item: taken }));
    const store = await openDynamodbResourceStore(table);
    assert.deepEqual(await store.remove("m-1", 6), { kind: "removed" });
    await store.close();
    const again = await openDynamodbResourceStore(table);
    assert.deepEqual(
      (await again.list()).map(({ uid }) => uid),
      ["m-2"],
    );
    await again.close();
  },
);

/** As the versions that wrote it made it: what they left behind does not change with us. */
async function tableOfMappings(): Promise<string> {
  const table = `millrace-${randomUUID()}`;
  await client.send(
    new CreateTableCommand({
      TableName: table,
      BillingMode: "PAY_PER_REQUEST",
      KeySchema: [
        { AttributeName: "millrace", KeyType: "HASH" },
        { AttributeName: "item", KeyType: "RANGE" },
      ],
      AttributeDefinitions: ["millrace", "item"].map((AttributeName) => ({
        AttributeName,
        AttributeType: "S",
      })),
    }),
  );
  const items = [
    { ...keyOf("millrace", "format"), version: { N: "1" } },
    { ...keyOf("control", "version"), version: { N: "9" }, uuid: { S: "m-2" }, isRemoval: { BOOL: false } },
    rowItem("m-1", 6, ["a", "b"], '{"n":1}'),
    rowItem("m-2", 9, ["c"], '{"n":2}'),
    ...["a", "b"].map((claim) => claimItem(claim, "m-1")),
    claimItem("c", "m-2"),
    {
      ...keyOf("control", "process#p1"),
      processId: { S: "p1" },
      appliedVersion: { N: "8" },
      beat: { N: "41" },
    },
  ];
  for (const Item of items) await client.send(new PutItemCommand({ TableName: table, Item }));
  return table;
}

function rowItem(uuid: string, version: number, claims: readonly string[], document: string) {
  return {
    ...keyOf("control", `mapping#${uuid}`),
    uuid: { S: uuid },
    version: { N: String(version) },
    claims: { S: JSON.stringify(claims) },
    document: { S: document },
  };
}

function claimItem(claim: string, uuid: string) {
  const digest = createHash("sha256").update(claim).digest("hex");
  return { ...keyOf("control", `claim#${digest}`), uuid: { S: uuid } };
}

async function itemsOf(table: string, partition: string): Promise<readonly (string | undefined)[]> {
  const { Items = [] } = await client.send(new ScanCommand({ TableName: table, ConsistentRead: true }));
  return Items.filter(({ millrace }) => millrace?.S === partition).map(({ item }) => item?.S);
}

function keyOf(millrace: string, item: string): Record<string, AttributeValue> {
  return { millrace: { S: millrace }, item: { S: item } };
}

function mapping(uid: string, claims: readonly string[], document: string) {
  return { uid, kind: "mapping", name: uid, claims, document };
}
