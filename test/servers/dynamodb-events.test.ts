import assert from "node:assert/strict";
import { after, test } from "node:test";
import {
  type AttributeValue,
  BatchWriteItemCommand,
  DeleteItemCommand,
  UpdateItemCommand,
  UpdateTableCommand,
} from "@aws-sdk/client-dynamodb";
import {
  NO_ABORT,
  OLDEST,
  onlyShard,
  readToTip,
  type StreamFixture,
} from "../contract/stream-source-harness.ts";
import { startDynamodbLocal } from "./dynamodb-local.ts";
import {
  createTable,
  openStream,
  pauseShortly,
  type TestTable,
  useEndpoint,
} from "./dynamodb-stream-fixture.ts";

const server = await startDynamodbLocal();
useEndpoint(server.endpoint);
after(() => server.close());

interface ChangeElement {
  readonly eventID: string;
  readonly eventName: string;
  readonly eventSourceARN: string;
  readonly awsRegion: string;
  readonly dynamodb: Record<string, unknown> & { readonly SequenceNumber: string };
}

/** The table's whole stream as the one event of a function, and the lanes of its records. */
async function readEvent(table: TestTable) {
  const source = await openStream(table.streamArn);
  const { shardId } = await onlyShard(source);
  const reader = await source.openReader(shardId, OLDEST, NO_ABORT);
  const fixture = { pause: pauseShortly } as unknown as StreamFixture;
  const { records } = await readToTip(fixture, reader);
  const text = Buffer.from(source.events.encode(records, undefined)).toString();
  await source.close();
  const { Records } = JSON.parse(text) as { Records: readonly ChangeElement[] };
  return { text, elements: Records, lanes: records.map(({ key }) => key) };
}

test("inserts, changes and deletes of every attribute type give Lambda's event", async () => {
  const table = await createTable();
  const image: Record<string, AttributeValue> = {
    pk: { S: 'schlüssel "漢字"' },
    n: { N: "123456789012345678901234567890.5" },
    b: { B: Buffer.from("foobar") },
    yes: { BOOL: true },
    nothing: { NULL: true },
    m: { M: { inner: { M: {} }, text: { S: "höhe \\ \u2028" } } },
    l: { L: [{ S: "a" }, { L: [] }, { N: "-1" }] },
    ss: { SS: ["a"] },
    ns: { NS: ["2.5"] },
    bs: { BS: [Buffer.from([0, 255])] },
  };
  const Key = { pk: { S: 'schlüssel "漢字"' } };
  await table.put(image);
  await table.put(image);
  const update = { UpdateExpression: "SET n = :one", ExpressionAttributeValues: { ":one": { N: "1" } } };
  await table.client.send(new UpdateItemCommand({ TableName: table.name, Key, ...update }));
  await table.client.send(new DeleteItemCommand({ TableName: table.name, Key }));
  const { text, elements } = await readEvent(table);
  await table.drop();

  assert.deepEqual(
    elements.map((element) => element.eventName),
    ["INSERT", "MODIFY", "REMOVE"],
  );
  const typed = { ...image, b: { B: "Zm9vYmFy" }, bs: { BS: ["AP8="] } };
  const changed = { ...typed, n: { N: "1" } };
  const images = elements.map(({ dynamodb }) => [dynamodb["NewImage"], dynamodb["OldImage"]]);
  assert.deepEqual(images, [
    [typed, undefined],
    [changed, typed],
    [undefined, changed],
  ]);
  for (const { eventID, eventSourceARN, awsRegion, dynamodb } of elements) {
    assert.ok(eventID.length > 0);
    assert.deepEqual([eventSourceARN, awsRegion], [table.streamArn, "ddblocal"]);
    assert.deepEqual(dynamodb["Keys"], Key);
    assert.ok(Number.isInteger(dynamodb["ApproximateCreationDateTime"]));
    assert.ok(Number.isInteger(dynamodb["SizeBytes"]));
    assert.equal(dynamodb["StreamViewType"], "NEW_AND_OLD_IMAGES");
  }
  assert.match(text, /^\{"Records":\[\{"eventID":"[^"]+","eventName":"INSERT","eventVersion":"1\.1",/);
  assert.match(text, /"ApproximateCreationDateTime":\d\.\d+E9,"Keys":/);
});

test("a batch write gives one record an item, in the order of the shard", async () => {
  const table = await createTable();
  const puts = Array.from({ length: 25 }, (_, index) => ({
    PutRequest: { Item: { pk: { S: `item-${index}` } } },
  }));
  await table.client.send(new BatchWriteItemCommand({ RequestItems: { [table.name]: puts } }));
  const { elements, lanes } = await readEvent(table);
  await table.drop();
  assert.deepEqual(new Set(lanes), new Set(puts.map((put) => put.PutRequest.Item.pk.S)));
  const numbers = elements.map(({ dynamodb }) => BigInt(dynamodb.SequenceNumber));
  assert.ok(numbers.every((each, index) => index === 0 || each > (numbers[index - 1] ?? 0n)));
});

test("numbers and bytes serve as partition keys, as DynamoDB writes them", async () => {
  for (const [type, value, lane] of [
    ["N", { N: "1.50" }, "1.5"],
    ["B", { B: Buffer.from("foobar") }, "Zm9vYmFy"],
  ] as const) {
    const table = await createTable(type);
    await table.put({ pk: value });
    const { lanes } = await readEvent(table);
    await table.drop();
    assert.deepEqual(lanes, [lane]);
  }
});

test("a stream that was disabled is closed, and read to its end all the same", async () => {
  const table = await createTable();
  await table.put({ pk: { S: "before" } });
  const StreamSpecification = { StreamEnabled: false };
  await table.client.send(new UpdateTableCommand({ TableName: table.name, StreamSpecification }));
  const source = await openStream(table.streamArn);
  const { shardId, closed } = await onlyShard(source);
  const fixture = { pause: pauseShortly } as unknown as StreamFixture;
  const whole = await readToTip(fixture, await source.openReader(shardId, OLDEST, NO_ABORT));
  const latest = await source.captureLatest(shardId, NO_ABORT);
  const nothing = await readToTip(fixture, await source.openReader(shardId, latest, NO_ABORT));
  await source.close();
  await table.drop();
  assert.equal(closed, true);
  assert.deepEqual([whole.records.length, whole.endOfShard], [1, true]);
  assert.deepEqual([nothing.records.length, nothing.endOfShard], [0, true]);
});
