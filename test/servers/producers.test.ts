import assert from "node:assert/strict";
import { test } from "node:test";
import { startProducersRun } from "../integration/producers.ts";
import { installAwsCli, installPython, runProgram } from "./aws-cli.ts";

const BOTO3_VERSION = "1.43.46";

/** What a producer in Python does that knows nothing of millrace. */
const SCRIPT = `
import boto3, hashlib, json
kinesis, sqs = boto3.client("kinesis"), boto3.client("sqs")
kinesis.create_stream(StreamName="clicks", ShardCount=2)
arn = kinesis.describe_stream_summary(StreamName="clicks")["StreamDescriptionSummary"]["StreamARN"]
shards = kinesis.list_shards(StreamName="clicks")["Shards"]
one = kinesis.put_record(StreamARN=arn, PartitionKey="k", Data=b"1")
several = kinesis.put_records(StreamName="clicks", Records=[{"PartitionKey": "k", "Data": b"2"}, {"PartitionKey": "k", "Data": b"3"}])
url = sqs.create_queue(QueueName="jobs.fifo", Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "true"})["QueueUrl"]
assert sqs.get_queue_url(QueueName="jobs.fifo")["QueueUrl"] == url
assert sqs.list_queues()["QueueUrls"] == [url]
sent = sqs.send_message(QueueUrl=url, MessageBody="1", MessageGroupId="g", MessageAttributes={"a": {"DataType": "String", "StringValue": "x"}})
assert sent["MD5OfMessageBody"] == hashlib.md5(b"1").hexdigest()
batch = sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": t, "MessageBody": t, "MessageGroupId": "g"} for t in ("2", "3", "3")[:2]] + [{"Id": "no-group", "MessageBody": "x"}])
resource = boto3.resource("sqs").get_queue_by_name(QueueName="jobs.fifo")
errors = []
for call in (lambda: kinesis.put_record(StreamName="nobody", PartitionKey="k", Data=b"1"),
             lambda: kinesis.get_shard_iterator(StreamName="clicks", ShardId="shardId-000000000000", ShardIteratorType="LATEST"),
             lambda: sqs.get_queue_url(QueueName="nobody"),
             lambda: sqs.receive_message(QueueUrl=url)):
    try:
        call()
    except Exception as error:
        errors.append([type(error).__name__, error.response["Error"]["Code"]])
print(json.dumps({
    "shards": len(shards), "failed": several["FailedRecordCount"], "errors": errors,
    "successful": len(batch["Successful"]), "batchFailed": [each["Code"] for each in batch["Failed"]],
    "messages": resource.attributes["ApproximateNumberOfMessages"].isdigit(),
}))
`;

test("boto3 puts into a stream and a queue that millrace keeps, by the addresses of its environment", {
  timeout: 600_000,
}, async (t) => {
  const run = await startProducersRun(t);
  const python = await installPython("boto3", BOTO3_VERSION);
  const environment = { AWS_ENDPOINT_URL_KINESIS: run.endpoint, AWS_ENDPOINT_URL_SQS: run.endpoint };
  const { status, stdout, stderr } = await runProgram(python, ["-c", SCRIPT], { environment });
  assert.equal(status, 0, stderr);
  assert.deepEqual(JSON.parse(stdout), {
    shards: 2,
    failed: 0,
    errors: [
      ["ResourceNotFoundException", "ResourceNotFoundException"],
      ["ClientError", "UnknownOperationException"],
      ["QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"],
      ["UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation"],
    ],
    successful: 2,
    batchFailed: ["MissingParameter"],
    messages: true,
  });
  await run.untilSeen(6);
  assert.deepEqual(
    [run.seen("clicks"), run.seen("jobs.fifo")],
    [
      ["1", "2", "3"],
      ["1", "2", "3"],
    ],
  );
});

test("AWS's command line puts into a stream and a queue that millrace keeps", {
  timeout: 600_000,
}, async (t) => {
  const run = await startProducersRun(t);
  const install = await installAwsCli();
  const aws = install(undefined, {
    AWS_ENDPOINT_URL_KINESIS: run.endpoint,
    AWS_ENDPOINT_URL_SQS: run.endpoint,
    // In a region of AWS's version 1 asks AWS's own queues, whatever its environment says.
    AWS_DEFAULT_REGION: "local-1",
  });
  await aws.json("kinesis", "create-stream", "--stream-name", "clicks", "--shard-count", "1");
  const put = await aws.json(
    ...["kinesis", "put-record", "--stream-name", "clicks", "--partition-key", "k", "--data", "1"],
  );
  assert.equal(put["ShardId"], "shardId-000000000000");
  const { QueueUrl: url } = await aws.json(
    ...["sqs", "create-queue", "--queue-name", "jobs.fifo", "--attributes", "FifoQueue=true"],
  );
  const message = ["--message-body", "1", "--message-group-id", "g", "--message-deduplication-id", "d"];
  for (const _again of [1, 2]) await aws.json("sqs", "send-message", "--queue-url", String(url), ...message);
  await run.untilSeen(2);
  assert.deepEqual([run.seen("clicks"), run.seen("jobs.fifo")], [["1"], ["1"]]);
  const refused = await aws.run("sqs", "receive-message", "--queue-url", String(url));
  assert.notEqual(refused.status, 0);
  assert.match(refused.stderr, /does not serve ReceiveMessage/);
});
