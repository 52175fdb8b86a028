import assert from "node:assert/strict";
import { test } from "node:test";
import { CreateStreamCommand, KinesisClient, PutRecordsCommand } from "@aws-sdk/client-kinesis";
import { CreateQueueCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { startProducersRun } from "./producers.ts";

test("what AWS's SDK puts into a stream and a queue that millrace keeps arrives at their function, in order", async (t) => {
  const run = await startProducersRun(t);
  process.env["AWS_ENDPOINT_URL_KINESIS"] = run.endpoint;
  process.env["AWS_ENDPOINT_URL_SQS"] = run.endpoint;
  t.after(() => {
    delete process.env["AWS_ENDPOINT_URL_KINESIS"];
    delete process.env["AWS_ENDPOINT_URL_SQS"];
  });
  const settings = {
    region: "eu-west-1",
    credentials: { accessKeyId: "AKIAANYBODYANYBODYAA", secretAccessKey: "x" },
  };
  const [kinesis, sqs] = [new KinesisClient(settings), new SQSClient(settings)];
  t.after(() => {
    kinesis.destroy();
    sqs.destroy();
  });
  // The mappings were there first: they wait for their sources.
  await kinesis.send(new CreateStreamCommand({ StreamName: "clicks", ShardCount: 2 }));
  const Attributes = { FifoQueue: "true", ContentBasedDeduplication: "true" };
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: "jobs.fifo", Attributes }));
  const texts = ["1", "2", "3"];
  const Records = texts.map((text) => ({ PartitionKey: "k", Data: Buffer.from(text) }));
  await kinesis.send(new PutRecordsCommand({ StreamName: "clicks", Records }));
  for (const MessageBody of texts)
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody, MessageGroupId: "g" }));
  await run.untilSeen(6);
  assert.deepEqual(run.seen("clicks"), texts);
  assert.deepEqual(run.seen("jobs.fifo"), texts);
});
