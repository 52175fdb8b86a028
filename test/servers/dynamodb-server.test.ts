import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import {
  type AttributeValue,
  CreateTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import type { ProgressStore } from "../../src/ports/progress-store.ts";
import { openDynamodbStore } from "../../src/stores/dynamodb.ts";
import { finishStart } from "../../src/stores/dynamodb-start.ts";
import { DYNAMODB_LIMITS, DynamodbTable } from "../../src/stores/dynamodb-table.ts";
import {
  checkpointAt,
  look,
  MAPPING,
  manyShards,
  newShard,
  sorted,
  take,
} from "../contract/progress-store-harness.ts";
import { rejectsWith } from "../contract/rejects-with.ts";
import { until } from "../integration/cli/millrace-process.ts";
import { AnswerProxy } from "./answer-proxy.ts";
import { startOwnDynamodbLocal } from "./dynamodb-local.ts";
import { useEndpoint } from "./dynamodb-stream-fixture.ts";
import { freePort } from "./server-process.ts";

const HANG = { timeout: 120_000 };
const folder = mkdtempSync(join(tmpdir(), "millrace-dynamodb-"));
const port = await freePort();
let server = await startOwnDynamodbLocal(port, folder);
useEndpoint(server.endpoint);
const client = new DynamoDBClient();
after(async () => {
  client.destroy();
  await server.close();
  rmSync(folder, { recursive: true });
});

test(
  "works again by itself after the server was killed and came back, with what was stored",
  HANG,
  async (t) => {
    const store = await opened(t, freshTable());
    await store.initialise(MAPPING, [newShard("a")]);
    const { lease } = await take(store, "a", "one");
    assert.equal(await store.checkpoint(MAPPING, lease, checkpointAt(3, "30")), "stored");
    await server.close();
    const error = await rejectsWith("ERR_MILLRACE_STORE_UNAVAILABLE", () => store.renew(MAPPING, lease));
    assert.match(
      error.message,
      /dynamodb:UpdateItem failed \(E[A-Z]+\)\. (Nothing answers at the endpoint|It is tried again)/,
    );
    server = await startOwnDynamodbLocal(port, folder);
    await until(
      async () => (await store.renew(MAPPING, lease).catch(() => undefined))?.kind === "renewed",
      () => "the lease could not be renewed",
    );
    assert.deepEqual((await look(store, "a")).checkpoint, checkpointAt(3, "30"));
    assert.equal(await store.checkpoint(MAPPING, lease, checkpointAt(3, "20")), "stale");
  },
);

test(
  "eight that open a missing table at once make one, billed by request, and none touches another's",
  HANG,
  async (t) => {
    const table = freshTable();
    const stores = await Promise.all(Array.from({ length: 8 }, () => opened(t, table)));
    await Promise.all(stores.map((store) => store.initialise(MAPPING, [newShard("a")])));
    assert.equal((await stores[0]?.list(MAPPING))?.length, 1);
    const { Table } = await client.send(new DescribeTableCommand({ TableName: table }));
    assert.equal(Table?.BillingModeSummary?.BillingMode, "PAY_PER_REQUEST");

    const other = freshTable();
    await client.send(
      new CreateTableCommand({
        TableName: other,
        BillingMode: "PAY_PER_REQUEST",
        KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
        AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }],
      }),
    );
    const error = await rejectsWith("ERR_MILLRACE_STORE_CORRUPT", () => openDynamodbStore(other));
    assert.match(error.message, /is not a progress store of millrace: its keys are others/);
  },
);

test("a table of a newer format is refused, with what to do", HANG, async (t) => {
  const table = freshTable();
  await (await opened(t, table)).close();
  const Key = { millrace: { S: "millrace" }, item: { S: "format" } };
  await client.send(new PutItemCommand({ TableName: table, Item: { ...Key, version: { N: "3" } } }));
  const error = await rejectsWith("ERR_MILLRACE_STORE_CORRUPT", () => openDynamodbStore(table));
  assert.match(error.message, /has format 3; this version of millrace reads format 2/);
});

test(
  "a record that cannot be read is corrupt, and the message names shard, mapping and remedy",
  HANG,
  async (t) => {
    const table = freshTable();
    const store = await opened(t, table);
    await store.initialise(MAPPING, [newShard("shard-a")]);
    const broken: readonly AttributeValue[] = [{ S: "{" }, { B: Buffer.from("no gzip") }, { BOOL: true }];
    for (const checkpoint of broken) {
      await client.send(
        new UpdateItemCommand({
          TableName: table,
          Key: { millrace: { S: `progress#${MAPPING}` }, item: { S: "shard#shard-a" } },
          UpdateExpression: "SET checkpoint = :checkpoint",
          ExpressionAttributeValues: { ":checkpoint": checkpoint },
        }),
      );
      const error = await rejectsWith("ERR_MILLRACE_STORE_CORRUPT", () => store.list(MAPPING));
      for (const part of ["shard-a", MAPPING, "starts the mapping again"])
        assert.ok(error.message.includes(part));
    }
    await store.remove(MAPPING);
    assert.deepEqual(await store.list(MAPPING), []);
  },
);

test(
  "who lists a mapping ends a start that was cut off, and who began it brings no forgotten shard back",
  HANG,
  async (t) => {
    const table = freshTable();
    const store = await opened(t, table);
    await using proxy = await AnswerProxy.start(port);
    useEndpoint(`http://127.0.0.1:${proxy.port}`);
    const starter = await opened(t, table);
    useEndpoint(server.endpoint);
    const shards = manyShards(200);
    // The third is the answer to the commit: of the shards there are no items yet.
    proxy.loseAnswer("cut", 2);
    await rejectsWith("ERR_MILLRACE_STORE_UNAVAILABLE", () => starter.initialise(MAPPING, shards));
    const Key = { millrace: { S: `progress#${MAPPING}` }, item: { S: "mapping" } };
    const readHead = async () => (await client.send(new GetItemCommand({ TableName: table, Key }))).Item;
    const staleHead = await readHead();
    assert.deepEqual([staleHead?.["done"], staleHead?.["steps"]], [{ N: "0" }, { N: "3" }]);

    assert.equal((await store.list(MAPPING)).length, shards.length);
    const head = await readHead();
    assert.deepEqual([head?.["done"], head?.["list"]], [{ N: "3" }, undefined]);
    await store.remove(MAPPING, shards[0]?.shard.shardId);
    const slow = await DynamodbTable.open(table, DYNAMODB_LIMITS);
    t.after(() => slow.close());
    await finishStart(slow, MAPPING, staleHead ?? {});
    assert.deepEqual(
      (await sorted(store, MAPPING)).map(({ shardId }) => shardId),
      shards.slice(1).map(({ shard }) => shard.shardId),
    );
  },
);

test("large checkpoints are read whole while they are written over and over", HANG, async (t) => {
  const table = freshTable();
  const [writer, reader] = [await opened(t, table), await opened(t, table)];
  await writer.initialise(MAPPING, [newShard("a")]);
  const { lease } = await take(writer, "a", "one");
  let isDone = false;
  const writing = (async () => {
    for (let revision = 1; revision <= 15; revision++) {
      const state = Array.from({ length: 20_000 }, () => randomUUID()).join("");
      const window = { startMs: revision, stateJson: JSON.stringify(state) };
      await writer.checkpoint(MAPPING, lease, { ...checkpointAt(revision, `${revision}`), window });
    }
    isDone = true;
  })();
  let reads = 0;
  while (!isDone) {
    const { checkpoint } = await look(reader, "a");
    if (checkpoint.revision > 0) assert.equal(checkpoint.window?.startMs, checkpoint.revision);
    reads++;
  }
  await writing;
  assert.ok(reads > 0);
  assert.equal((await look(reader, "a")).checkpoint.revision, 15);
});

async function opened(t: TestContext, table: string): Promise<ProgressStore> {
  const store = await openDynamodbStore(table);
  t.after(() => store.close());
  return store;
}

function freshTable(): string {
  return `millrace-${randomUUID()}`;
}
