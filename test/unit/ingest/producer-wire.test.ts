import assert from "node:assert/strict";
import { request } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { describe, test } from "node:test";
import { mutated } from "../../fuzz/hostile-json.ts";
import { SeededRandom } from "../../simulation/random.ts";
import { READ_TOKEN, testCredentials } from "../api/api-fixture.ts";
import { type ServedProducers, servedProducers } from "./producer-fixture.ts";

const base64 = (text: string) => Buffer.from(text).toString("base64");

async function withSources(producers: ServedProducers): Promise<ServedProducers> {
  const { books } = producers;
  await (await books.streams.forNew("s")).create({ name: "s", shards: 2 });
  const queues = await books.queues.forNew("q");
  await queues.create({ name: "q" });
  await queues.create({ name: "q.fifo" });
  return producers;
}

describe("what a producer is answered", () => {
  test("names the client's setting where it speaks CBOR or the old Query protocol", async (t) => {
    const { post } = await servedProducers(t);
    for (const [headers, said] of [
      [{ "content-type": "application/x-amz-cbor-1.1" }, /CBOR_ENABLED=false.*aws\.cborEnabled=false/],
      [{ "smithy-protocol": "rpc-v2-cbor", "content-type": "application/cbor" }, /AWS_CBOR_DISABLE=true/],
      [{ "content-type": "application/x-www-form-urlencoded" }, /boto3 1\.28\.82/],
    ] as const) {
      const { status, body } = await post("Kinesis_20131202.PutRecord", "x", headers);
      assert.equal(status, 415);
      assert.match(String(body["message"]), said);
    }
    const { status } = await post("", "Action=SendMessage&Version=2012-11-05");
    assert.equal(status, 415);
  });

  test("says which operations there are where it asks for another", async (t) => {
    const { post } = await servedProducers(t);
    const records = await post("Kinesis_20131202.GetRecords", {});
    assert.equal(records.status, 400);
    assert.equal(records.body["__type"], "UnknownOperationException");
    assert.match(
      String(records.body["message"]),
      /does not serve GetRecords.*PutRecords.*arn:aws:local:.*:stream\/NAME/,
    );
    const receive = await post("AmazonSQS.ReceiveMessage", {});
    assert.equal(receive.body["__type"], "com.amazonaws.sqs#UnsupportedOperation");
    assert.equal(
      receive.headers.get("x-amzn-query-error"),
      "AWS.SimpleQueueService.UnsupportedOperation;Sender",
    );
    assert.equal((await post("AmazonSQS.toString", {})).status, 400);
    assert.equal((await post("DynamoDB_20120810.PutItem", {})).status, 400);
  });

  test("has AWS's words for what SQS refuses", async (t) => {
    const { post } = await withSources(await servedProducers(t));
    const entries = (count: number) =>
      Array.from({ length: count }, (_, index) => ({ Id: `${index}`, MessageBody: "x" }));
    const long = "x".repeat(1024 * 1024 + 1);
    for (const [operation, given, type, said] of [
      ["SendMessage", { QueueUrl: "q", MessageBody: "" }, "MissingParameter", /MessageBody/],
      ["SendMessage", { MessageBody: "x" }, "MissingParameter", /QueueUrl/],
      [
        "SendMessage",
        { QueueUrl: "http://h/1/none", MessageBody: "x" },
        "QueueDoesNotExist",
        /does not exist/,
      ],
      [
        "SendMessage",
        { QueueUrl: "q", MessageBody: long },
        "InvalidParameterValue",
        /shorter than 1048576 bytes/,
      ],
      ["SendMessage", { QueueUrl: "q", MessageBody: "\u0001" }, "InvalidMessageContents", /#x9/],
      [
        "SendMessage",
        { QueueUrl: "q", MessageBody: "x", MessageGroupId: "g" },
        "InvalidParameterValue",
        /queue type/,
      ],
      [
        "SendMessage",
        { QueueUrl: "q", MessageBody: "x", DelaySeconds: 901 },
        "InvalidParameterValue",
        />= 0 and <= 900/,
      ],
      ["SendMessage", { QueueUrl: "q.fifo", MessageBody: "x" }, "MissingParameter", /MessageGroupId/],
      [
        "SendMessage",
        { QueueUrl: "q.fifo", MessageBody: "x", MessageGroupId: "g" },
        "InvalidParameterValue",
        /ContentBasedDeduplication enabled/,
      ],
      ["SendMessage", { QueueUrl: "q", MessageBody: 1 }, "SerializationException", /MessageBody/],
      [
        "SendMessage",
        {
          QueueUrl: "q",
          MessageBody: "x",
          MessageAttributes: { a: { DataType: "Other", StringValue: "x" } },
        },
        "InvalidParameterValue",
        /Binary, Number, and String/,
      ],
      [
        "SendMessage",
        {
          QueueUrl: "q",
          MessageBody: "x",
          MessageAttributes: { a: { DataType: "String", StringValue: "" } },
        },
        "InvalidParameterValue",
        /non-empty message attribute value/,
      ],
      [
        "SendMessageBatch",
        { QueueUrl: "q", Entries: entries(11) },
        "TooManyEntriesInBatchRequest",
        /are 10\. You have sent 11/,
      ],
      [
        "SendMessageBatch",
        { QueueUrl: "q", Entries: [...entries(1), ...entries(1)] },
        "BatchEntryIdsNotDistinct",
        /Id 0 repeated/,
      ],
      [
        "SendMessageBatch",
        { QueueUrl: "q", Entries: [{ Id: "a b", MessageBody: "x" }] },
        "InvalidBatchEntryId",
        /alphanumeric/,
      ],
      [
        "SendMessageBatch",
        {
          QueueUrl: "q",
          Entries: entries(2).map((each) => ({ ...each, MessageBody: long.slice(0, 600_000) })),
        },
        "BatchRequestTooLong",
        /1048576 bytes\. You have sent 1200000/,
      ],
      ["CreateQueue", { QueueName: "a.b" }, "InvalidParameterValue", /1 to 80 in length/],
      ["CreateQueue", { QueueName: "a.fifo" }, "InvalidParameterValue", /1 to 80 in length/],
      [
        "CreateQueue",
        { QueueName: "a", Attributes: { FifoQueue: "true" } },
        "InvalidParameterValue",
        /\.fifo suffix/,
      ],
      [
        "CreateQueue",
        { QueueName: "a", Attributes: { Colour: "red" } },
        "InvalidAttributeName",
        /Unknown Attribute Colour/,
      ],
      [
        "CreateQueue",
        { QueueName: "a", Attributes: { VisibilityTimeout: "43201" } },
        "InvalidAttributeValue",
        /VisibilityTimeout/,
      ],
      [
        "CreateQueue",
        { QueueName: "a", Attributes: { MaximumMessageSize: "1024" } },
        "InvalidAttributeValue",
        /Leave it out/,
      ],
      ["CreateQueue", { QueueName: "a", tags: { team: "x" } }, "InvalidParameterValue", /tags/],
      ["GetQueueAttributes", { QueueUrl: "q", AttributeNames: ["Colour"] }, "InvalidAttributeName", /Colour/],
      ["ListQueues", { MaxResults: 0 }, "InvalidParameterValue", /between 1 and 1000/],
    ] as const) {
      const { status, body } = await post(`AmazonSQS.${operation}`, given);
      assert.deepEqual(
        [status, body["__type"]],
        [400, `com.amazonaws.sqs#${type}`],
        `${operation} ${said}: ${String(body["message"])}`,
      );
      assert.match(String(body["message"]), said);
    }
  });

  test("has AWS's words for what Kinesis refuses, and none of a faulty PutRecords is stored", async (t) => {
    const { post, held } = await withSources(await servedProducers(t));
    const data = base64("x");
    for (const [operation, given, type, said] of [
      ["PutRecord", { StreamName: "s", PartitionKey: "k" }, "ValidationException", /null at 'data'/],
      ["PutRecord", { StreamName: "s", Data: data }, "ValidationException", /null at 'partitionKey'/],
      ["PutRecord", { PartitionKey: "k", Data: data }, "ValidationException", /null at 'streamName'/],
      [
        "PutRecord",
        { StreamName: "s/", PartitionKey: "k", Data: data },
        "ValidationException",
        /regular expression/,
      ],
      ["PutRecord", { StreamName: "s", PartitionKey: "k", Data: "*" }, "SerializationException", /Base64/],
      [
        "PutRecord",
        { StreamName: "s", PartitionKey: "k", Data: data, ExplicitHashKey: "01" },
        "ValidationException",
        /explicitHashKey/,
      ],
      [
        "PutRecord",
        { StreamName: "s", PartitionKey: "k", Data: data, ExplicitHashKey: `${2n ** 128n}` },
        "InvalidArgumentException",
        /2\^128-1/,
      ],
      [
        "PutRecord",
        { StreamName: "s", PartitionKey: "k", Data: base64("x".repeat(1024 * 1024 + 1)) },
        "ValidationException",
        /less than or equal to 1048576/,
      ],
      [
        "PutRecord",
        { StreamName: "s", PartitionKey: "k", Data: data, Colour: 1 },
        "InvalidArgumentException",
        /does not know Colour/,
      ],
      ["PutRecords", { StreamName: "s", Records: [] }, "ValidationException", /greater than or equal to 1/],
      [
        "PutRecords",
        { StreamName: "s", Records: Array.from({ length: 501 }, () => ({ PartitionKey: "k", Data: data })) },
        "ValidationException",
        /less than or equal to 500/,
      ],
      [
        "PutRecords",
        {
          StreamName: "s",
          Records: [
            { PartitionKey: "k", Data: data },
            { PartitionKey: "", Data: data },
          ],
        },
        "ValidationException",
        /records\.2\.member\.partitionKey/,
      ],
      [
        "PutRecords",
        {
          StreamName: "s",
          Records: Array.from({ length: 11 }, () => ({
            PartitionKey: "k",
            Data: base64("x".repeat(1024 * 1024 - 10)),
          })),
        },
        "InvalidArgumentException",
        /exceeds 10 MB/,
      ],
      ["CreateStream", { StreamName: "t" }, "ValidationException", /null at 'shardCount'/],
      [
        "CreateStream",
        { StreamName: "t", ShardCount: 0 },
        "ValidationException",
        /greater than or equal to 1/,
      ],
      [
        "CreateStream",
        { StreamName: "t", ShardCount: 1, Tags: { a: "b" } },
        "InvalidArgumentException",
        /Tags/,
      ],
      ["ListShards", { StreamName: "s", MaxResults: 10_001 }, "ValidationException", /10000/],
      ["ListShards", { NextToken: "e30" }, "ExpiredNextTokenException", /NextToken/],
      [
        "ListShards",
        { StreamName: "s", ShardFilter: { Type: "AT_TIMESTAMP" } },
        "InvalidArgumentException",
        /AT_TIMESTAMP/,
      ],
      ["DescribeStream", { StreamName: "s", Limit: 0 }, "ValidationException", /greater than or equal to 1/],
      ["DescribeStreamSummary", { StreamARN: "arn:aws:s3:::x" }, "InvalidArgumentException", /StreamARN/],
    ] as const) {
      const { status, body } = await post(`Kinesis_20131202.${operation}`, given, {
        "content-type": "application/x-amz-json-1.1",
      });
      assert.deepEqual(
        [status, body["__type"]],
        [400, type],
        `${operation} ${said}: ${String(body["message"])}`,
      );
      assert.match(String(body["message"]), said);
    }
    assert.deepEqual(await held("s"), []);
  });

  test("answers nobody who came by another's name, from a web page, or without what is needed", async (t) => {
    const { url, post } = await servedProducers(t, testCredentials(t));
    assert.equal((await post("AmazonSQS.ListQueues", {}, { origin: "https://evil.example" })).status, 403);
    assert.equal((await post("AmazonSQS.ListQueues", {})).status, 403);
    const asReader = { authorization: `Bearer ${READ_TOKEN}` };
    assert.equal((await post("AmazonSQS.ListQueues", {}, asReader)).status, 403);
    const status = await new Promise((resolve, reject) => {
      const call = request(url, { method: "POST", headers: { host: "evil.example" } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      call.on("error", reject).end("{}");
    });
    assert.equal(status, 421);
    assert.equal((await fetch(url)).status, 404);
  });
});

describe("hostile bytes", () => {
  test("a body of brackets, of members, or of megabytes costs an answer and no memory", async (t) => {
    const { post } = await withSources(await servedProducers(t));
    const members = Array.from({ length: 65 }, (_, index) => `"m${index}":1`).join();
    for (const [body, status] of [
      ["[".repeat(1_000_000), 400],
      [`{"Records":${"[".repeat(500_000)}${"]".repeat(500_000)}}`, 400],
      [`{${members}}`, 400],
      [`{"StreamName":"s","Records":[${"{},".repeat(1_000_000)}{}]}`, 400],
      [Buffer.from([0x7b, 0xff, 0x7d]), 400],
      [Buffer.alloc(16 * 1024 * 1024 + 1, 0x20), 413],
      ["", 400],
      ["null", 400],
    ] as const)
      assert.equal(
        (await post("Kinesis_20131202.PutRecords", body)).status,
        status,
        String(body).slice(0, 20),
      );
  });

  test("whatever is said of a call is answered, and never as a defect", async (t) => {
    const { post } = await withSources(await servedProducers(t));
    const calls = [
      ["Kinesis_20131202.PutRecords", { StreamName: "s", Records: [{ PartitionKey: "k", Data: "eA==" }] }],
      [
        "Kinesis_20131202.CreateStream",
        { StreamName: "t", ShardCount: 1, StreamModeDetails: { StreamMode: "PROVISIONED" } },
      ],
      ["Kinesis_20131202.ListShards", { StreamName: "s", MaxResults: 1, ShardFilter: { Type: "AT_LATEST" } }],
      [
        "AmazonSQS.SendMessage",
        {
          QueueUrl: "q",
          MessageBody: "x",
          MessageAttributes: { a: { DataType: "String", StringValue: "x" } },
        },
      ],
      [
        "AmazonSQS.SendMessageBatch",
        {
          QueueUrl: "q.fifo",
          Entries: [{ Id: "a", MessageBody: "x", MessageGroupId: "g", MessageDeduplicationId: "d" }],
        },
      ],
      [
        "AmazonSQS.CreateQueue",
        {
          QueueName: "n",
          Attributes: { RedrivePolicy: '{"deadLetterTargetArn":"arn:aws:sqs:::q","maxReceiveCount":3}' },
        },
      ],
      ["AmazonSQS.GetQueueAttributes", { QueueUrl: "q", AttributeNames: ["All"] }],
      ["AmazonSQS.ListQueues", { QueueNamePrefix: "q", MaxResults: 1, NextToken: "eA" }],
    ] as const;
    const random = new SeededRandom(20_261_130);
    const statuses = new Set<number>();
    for (let index = 0; index < 400; index++) {
      const [target, body] = random.pick(calls);
      let changed = mutated(JSON.parse(JSON.stringify(body)), random);
      while (random.chance(0.4)) changed = mutated(changed, random);
      const { status } = await post(target, JSON.stringify(changed));
      assert.ok(status < 500, `${target} ${JSON.stringify(changed)}: ${status}`);
      statuses.add(status);
    }
    assert.deepEqual([...statuses].toSorted(), [200, 400]);
  });

  test("a connection that breaks off, or breaks the protocol, ends no other", async (t) => {
    const { url, post } = await withSources(await servedProducers(t));
    const port = Number(new URL(url).port);
    for (const text of [
      "P",
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nnonsense, which is no frame",
      "PRI * HTTP/2.0\r\n",
      "POST / HTTP/1.1\r\ncontent-length: 100\r\nx-amz-target: AmazonSQS.ListQueues\r\n\r\n{",
      "\u0000\u0000\u0000\u0000",
    ])
      await new Promise<void>((resolve) => {
        const socket = connect(port, "127.0.0.1", () => {
          socket.write(text);
          setImmediate(() => socket.destroy());
        });
        socket.on("error", () => undefined).on("close", () => resolve());
      });
    const session = connectHttp2(url);
    session.on("error", () => undefined);
    const stream = session.request({
      ":method": "POST",
      ":path": "/",
      "x-amz-target": "AmazonSQS.ListQueues",
    });
    stream.on("error", () => undefined);
    stream.write("{");
    stream.close(8);
    await new Promise<void>((resolve) => stream.once("close", resolve));
    session.destroy();
    assert.equal((await post("AmazonSQS.ListQueues", {})).status, 200);
  });
});
