import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { dynamodbStreamsConnector } from "../../../../connectors/dynamodb-streams/connector.ts";
import { comparePositions, formatLatestPoint } from "../../../../connectors/dynamodb-streams/position.ts";
import { parseStreamArn } from "../../../../connectors/dynamodb-streams/stream-arn.ts";
import { rejectsWith } from "../../../contract/rejects-with.ts";
import { NO_ABORT } from "../../../contract/stream-source-harness.ts";
import { openFakeSource } from "./fake-source.ts";
import { FakeStream } from "./fake-stream.ts";

test("a stream of several hundred shards is listed page by page, at ten pages a second", async () => {
  const stream = new FakeStream();
  for (let lineage = 0; lineage < 50; lineage++) {
    let shardId = stream.addShard();
    for (let generation = 0; generation < 4; generation++) shardId = stream.rollOver(shardId)[0] ?? "";
  }
  const pauses: number[] = [];
  const shards = await openFakeSource(stream, pauses).listShards(NO_ABORT);
  assert.equal(new Set(shards.map(({ shardId }) => shardId)).size, 250);
  assert.equal(shards.filter(({ closed }) => !closed).length, 50);
  assert.equal(shards.filter(({ parentShardIds }) => parentShardIds.length === 0).length, 50);
  assert.deepEqual(pauses, [100, 100]);
});

test("a list of shards without an end is given up", async () => {
  const stream = new FakeStream();
  stream.addShard();
  const describe = stream.describe.bind(stream);
  stream.describe = async (after, signal) => ({ ...(await describe(after, signal)), lastShardId: "again" });
  await rejectsWith("ERR_MILLRACE_SOURCE_UNAVAILABLE", () => openFakeSource(stream).listShards(NO_ABORT));
});

test("a disabled stream is read to its end, and then says what to do", async () => {
  const stream = new FakeStream();
  const shardId = stream.addShard();
  stream.closeShard(shardId);
  stream.status = "DISABLED";
  const source = openFakeSource(stream);
  assert.equal((await source.listShards(NO_ABORT)).length, 1);
  stream.forget(shardId);
  const error = await rejectsWith("ERR_MILLRACE_SOURCE_NOT_FOUND", () => source.listShards(NO_ABORT));
  assert.match(error.message, /is disabled .*LatestStreamArn/);
});

test("an endpoint that does not tell the table's key is named as the cause", async () => {
  const stream = new FakeStream();
  const shardId = stream.addShard();
  stream.partitionKeyName = undefined;
  const source = openFakeSource(stream);
  const error = await rejectsWith("ERR_MILLRACE_SOURCE_UNAVAILABLE", () =>
    source.openReader(shardId, { kind: "oldest" }, NO_ABORT),
  );
  assert.match(error.message, /partition key of arn:aws:dynamodb:/);
});

test("many latest points at once are captured eight at a time, and all of them", async () => {
  const stream = new FakeStream();
  const shardIds = Array.from({ length: 60 }, () => stream.addShard());
  const source = openFakeSource(stream);
  await source.listShards(NO_ABORT);
  const open = stream.openIterator.bind(stream);
  let running = 0;
  let runningMax = 0;
  stream.openIterator = async (...call) => {
    runningMax = Math.max(runningMax, ++running);
    await new Promise((resolve) => setImmediate(resolve));
    running--;
    return open(...call);
  };
  const points = await Promise.all(shardIds.map((shardId) => source.captureLatest(shardId, NO_ABORT)));
  assert.equal(points.length, 60);
  assert.equal(runningMax, 8);
});

test("positions are compared by value, however long they are", () => {
  assert.ok(comparePositions("99999999999999999999", "100000000000000000000") < 0);
  assert.equal(comparePositions("000000000000000000007", "7"), 0);
  assert.ok(comparePositions(formatLatestPoint("5", { capturedMs: 1, iterator: "i" }), "6") < 0);
  const numbers = fc.bigInt({ min: 0n, max: 10n ** 40n });
  fc.assert(
    fc.property(numbers, numbers, (a, b) => {
      const expected = a < b ? -1 : a > b ? 1 : 0;
      assert.equal(Math.sign(comparePositions(String(a), String(b).padStart(45, "0"))), expected);
    }),
  );
});

test("the ARN of a table, or of anything else, is refused with the form to write", () => {
  const arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders";
  assert.throws(() => parseStreamArn(arn), /is the ARN of a table, not of its stream.*LatestStreamArn/);
  for (const wrong of [
    "",
    `${arn}/stream/`,
    "arn:aws:kinesis:eu-west-1:123456789012:stream/orders",
    `${arn}/index/x`,
  ]) {
    assert.throws(() => parseStreamArn(wrong), /is not the ARN of a DynamoDB stream/);
  }
  const label = "2026-09-17T13:26:53.746";
  assert.equal(parseStreamArn(`${arn}/stream/${label}`).region, "eu-west-1");
  const china = `arn:aws-cn:dynamodb:cn-north-1:123456789012:table/a.b_c-D/stream/${label}`;
  assert.equal(parseStreamArn(china).region, "cn-north-1");
});

test("a mapping may start at the oldest or the latest record only", () => {
  assert.deepEqual(dynamodbStreamsConnector.startingPositions, ["TRIM_HORIZON", "LATEST"]);
});
