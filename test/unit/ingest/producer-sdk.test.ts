import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, type TestContext, test } from "node:test";
import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  KinesisClient,
  ListShardsCommand,
  type ListShardsCommandOutput,
  PutRecordCommand,
  PutRecordsCommand,
  waitUntilStreamExists,
} from "@aws-sdk/client-kinesis";
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { READ_KEY, testCredentials, WRITE_KEY } from "../api/api-fixture.ts";
import { PLACE, servedProducers } from "./producer-fixture.ts";

const ANYBODY = { accessKeyId: "AKIAANYBODYANYBODYAA", secretAccessKey: "x" };

function kinesis(t: TestContext, endpoint: string, settings: object = {}): KinesisClient {
  const client = new KinesisClient({
    endpoint,
    region: PLACE.region,
    credentials: ANYBODY,
    maxAttempts: 1,
    ...settings,
  });
  t.after(() => client.destroy());
  return client;
}

function sqs(t: TestContext, endpoint: string, settings: object = {}): SQSClient {
  const client = new SQSClient({
    endpoint,
    region: PLACE.region,
    credentials: ANYBODY,
    maxAttempts: 1,
    ...settings,
  });
  t.after(() => client.destroy());
  return client;
}

const bytes = (text: string) => Buffer.from(text);

describe("the client of Kinesis", () => {
  // Its own handler speaks HTTP/2 from the first byte on.
  for (const [name, settings] of [
    ["HTTP/2, as it comes", {}],
    ["HTTP/1.1", { requestHandler: new NodeHttpHandler() }],
  ] as const)
    test(`makes a stream and puts records into it over ${name}`, async (t) => {
      const { url, held } = await servedProducers(t);
      const client = kinesis(t, url, settings);
      await client.send(new CreateStreamCommand({ StreamName: "orders", ShardCount: 2 }));
      // It asks DescribeStream.
      const { state } = await waitUntilStreamExists({ client, maxWaitTime: 60 }, { StreamName: "orders" });
      assert.equal(state, "SUCCESS");
      const { StreamDescriptionSummary: summary } = await client.send(
        new DescribeStreamSummaryCommand({ StreamName: "orders" }),
      );
      assert.equal(summary?.StreamStatus, "ACTIVE");
      assert.equal(summary?.OpenShardCount, 2);
      assert.equal(summary?.RetentionPeriodHours, 24);
      const arn = "arn:aws:kinesis:eu-west-1:123456789012:stream/orders";
      assert.equal(summary?.StreamARN, arn);
      const { Shards: shards = [] } = await client.send(new ListShardsCommand({ StreamName: "orders" }));
      assert.deepEqual(
        shards.map(({ ShardId, HashKeyRange, SequenceNumberRange: range }) => [
          ShardId,
          HashKeyRange?.StartingHashKey,
          range?.EndingSequenceNumber,
        ]),
        [
          ["shardId-000000000000", "0", undefined],
          ["shardId-000000000001", (2n ** 127n).toString(), undefined],
        ],
      );
      const one = await client.send(
        new PutRecordCommand({ StreamName: "orders", PartitionKey: "k", Data: bytes("1") }),
      );
      assert.match(one.ShardId ?? "", /^shardId-/);
      const several = await client.send(
        new PutRecordsCommand({
          StreamARN: arn,
          Records: [
            { PartitionKey: "k", Data: bytes("2") },
            { PartitionKey: "other", ExplicitHashKey: "0", Data: bytes("3") },
          ],
        }),
      );
      assert.equal(several.FailedRecordCount, 0);
      assert.equal(several.Records?.[1]?.ShardId, "shardId-000000000000");
      assert.ok((several.Records?.[0]?.SequenceNumber ?? "") > (one.SequenceNumber ?? ""));
      assert.deepEqual(await held("orders"), ["1", "2", "3"]);
    });

  test("is told what is not there, is there already, or is refused, as Kinesis does", async (t) => {
    const { url } = await servedProducers(t);
    const client = kinesis(t, url);
    const put = new PutRecordCommand({ StreamName: "nobody", PartitionKey: "k", Data: bytes("1") });
    await assert.rejects(client.send(put), {
      name: "ResourceNotFoundException",
      message: "Stream nobody under account 123456789012 not found.",
    });
    await client.send(new CreateStreamCommand({ StreamName: "orders", ShardCount: 1 }));
    await assert.rejects(client.send(new CreateStreamCommand({ StreamName: "orders", ShardCount: 1 })), {
      name: "ResourceInUseException",
      message: "Stream orders under account 123456789012 already exists.",
    });
    const large = { StreamName: "orders", PartitionKey: "k".repeat(257), Data: bytes("1") };
    await assert.rejects(client.send(new PutRecordCommand(large)), { name: "ValidationException" });
  });

  test("lists shards page by page, and only open ones when it asks for them", async (t) => {
    const { url, books } = await servedProducers(t);
    const client = kinesis(t, url);
    await client.send(new CreateStreamCommand({ StreamName: "orders", ShardCount: 5 }));
    const found: (string | undefined)[] = [];
    let token: string | undefined;
    do {
      const page: ListShardsCommandOutput = await client.send(
        new ListShardsCommand(
          token === undefined ? { StreamName: "orders", MaxResults: 2 } : { NextToken: token, MaxResults: 2 },
        ),
      );
      found.push(...(page.Shards ?? []).map(({ ShardId }) => ShardId));
      token = page.NextToken;
    } while (token !== undefined);
    assert.equal(found.length, 5);
    assert.equal((await (await books.streams.having("orders")).find("orders"))?.shards.length, 5);
    const open = new ListShardsCommand({ StreamName: "orders", ShardFilter: { Type: "AT_LATEST" } });
    assert.equal((await client.send(open)).Shards?.length, 5);
  });
});

describe("the client of SQS", () => {
  test("makes a queue and sends messages, whose digests it checks itself", async (t) => {
    const { url, held } = await servedProducers(t);
    const client = sqs(t, url);
    const { QueueUrl } = await client.send(
      new CreateQueueCommand({ QueueName: "jobs", Attributes: { VisibilityTimeout: "60" } }),
    );
    assert.equal(QueueUrl, `${url}/123456789012/jobs`);
    assert.equal((await client.send(new GetQueueUrlCommand({ QueueName: "jobs" }))).QueueUrl, QueueUrl);
    assert.deepEqual((await client.send(new ListQueuesCommand({ QueueNamePrefix: "jo" }))).QueueUrls, [
      QueueUrl,
    ]);
    const sent = await client.send(
      new SendMessageCommand({
        QueueUrl,
        MessageBody: "grüße",
        MessageAttributes: {
          b: { DataType: "Binary", BinaryValue: bytes("\u0001") },
          a: { DataType: "String", StringValue: "x" },
        },
        MessageSystemAttributes: { AWSTraceHeader: { DataType: "String", StringValue: "Root=1-5759e988" } },
      }),
    );
    assert.equal(sent.MD5OfMessageBody, createHash("md5").update("grüße").digest("hex"));
    const part = (text: string | Buffer) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(Buffer.byteLength(text));
      return Buffer.concat([length, Buffer.from(text)]);
    };
    const attributes = [
      part("a"),
      part("String"),
      Buffer.of(1),
      part("x"),
      part("b"),
      part("Binary"),
      Buffer.of(2),
      part("\u0001"),
    ];
    assert.equal(
      sent.MD5OfMessageAttributes,
      createHash("md5").update(Buffer.concat(attributes)).digest("hex"),
    );
    assert.match(sent.MD5OfMessageSystemAttributes ?? "", /^[0-9a-f]{32}$/);
    const batch = await client.send(
      new SendMessageBatchCommand({
        QueueUrl: "https://sqs.eu-west-1.amazonaws.com/999999999999/jobs",
        Entries: [
          { Id: "a", MessageBody: "1" },
          { Id: "b", MessageBody: "2", DelaySeconds: 901 },
        ],
      }),
    );
    assert.deepEqual(
      [batch.Successful?.map(({ Id }) => Id), batch.Failed?.map(({ Id, SenderFault }) => [Id, SenderFault])],
      [["a"], [["b", true]]],
    );
    const { Attributes: shown } = await client.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }),
    );
    assert.equal(shown?.ApproximateNumberOfMessages, "2");
    assert.equal(shown?.VisibilityTimeout, "60");
    assert.equal(shown?.QueueArn, "arn:aws:sqs:eu-west-1:123456789012:jobs");
    assert.deepEqual(await held("jobs"), ["grüße", "1"]);
  });

  test("keeps groups and deduplicates by id and by content", async (t) => {
    const { url, held } = await servedProducers(t);
    const client = sqs(t, url);
    const { QueueUrl } = await client.send(
      new CreateQueueCommand({
        QueueName: "jobs.fifo",
        Attributes: { FifoQueue: "true", ContentBasedDeduplication: "true" },
      }),
    );
    const send = (MessageBody: string, MessageDeduplicationId?: string) =>
      client.send(
        new SendMessageCommand({ QueueUrl, MessageBody, MessageGroupId: "g", MessageDeduplicationId }),
      );
    const [first, again] = [await send("a"), await send("a")];
    assert.equal(first.MessageId, again.MessageId);
    assert.equal(first.SequenceNumber, again.SequenceNumber);
    await send("b", "id");
    const other = await send("c", "id");
    assert.equal(other.MD5OfMessageBody, createHash("md5").update("c").digest("hex"));
    assert.deepEqual(await held("jobs.fifo"), ["a", "b"]);
  });

  test("is told what is wrong as SQS does", async (t) => {
    const { url } = await servedProducers(t);
    const client = sqs(t, url);
    const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: "jobs" }));
    await assert.rejects(client.send(new GetQueueUrlCommand({ QueueName: "nobody" })), {
      name: "QueueDoesNotExist",
      message: "The specified queue does not exist.",
    });
    await assert.rejects(
      client.send(new CreateQueueCommand({ QueueName: "jobs", Attributes: { DelaySeconds: "5" } })),
      { name: "QueueNameExists" },
    );
    await client.send(new CreateQueueCommand({ QueueName: "jobs", Attributes: { DelaySeconds: "0" } }));
    await assert.rejects(
      client.send(new ReceiveMessageCommand({ QueueUrl })),
      /does not serve ReceiveMessage/,
    );
    await assert.rejects(client.send(new SendMessageBatchCommand({ QueueUrl, Entries: [] })), {
      name: "EmptyBatchRequest",
    });
  });
});

test("callers with credentials are known by their signatures, and need the role send", async (t) => {
  const { url, held } = await servedProducers(t, testCredentials(t));
  const requestHandler = new NodeHttpHandler();
  for (const [index, settings] of [
    { credentials: WRITE_KEY },
    { credentials: WRITE_KEY, requestHandler },
  ].entries()) {
    const client = kinesis(t, url, settings);
    await client.send(new CreateStreamCommand({ StreamName: `s${index}`, ShardCount: 1 }));
    await client.send(new PutRecordCommand({ StreamName: `s${index}`, PartitionKey: "k", Data: bytes("1") }));
    assert.deepEqual(await held(`s${index}`), ["1"]);
  }
  const { QueueUrl } = await sqs(t, url, { credentials: WRITE_KEY }).send(
    new CreateQueueCommand({ QueueName: "jobs" }),
  );
  const message = new SendMessageCommand({ QueueUrl, MessageBody: "x" });
  await assert.rejects(sqs(t, url, { credentials: READ_KEY }).send(message), {
    name: "AccessDeniedException",
  });
  await assert.rejects(sqs(t, url).send(message), { name: "UnrecognizedClientException" });
  const wrong = { ...WRITE_KEY, secretAccessKey: "another" };
  await assert.rejects(sqs(t, url, { credentials: wrong }).send(message), {
    name: "InvalidSignatureException",
  });
  await assert.rejects(
    kinesis(t, url, { credentials: wrong }).send(new CreateStreamCommand({ StreamName: "z", ShardCount: 1 })),
    {
      name: "InvalidSignatureException",
    },
  );
  assert.deepEqual(await held("jobs"), []);
});
