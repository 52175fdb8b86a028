import assert from "node:assert/strict";
import { test } from "node:test";
import { objectKey } from "../../../src/destinations/s3.ts";
import { failureEnvelope } from "../../../src/model/failure-record.ts";
import { sampleFailure } from "../../contract/destination.ts";
import { setAwsEnvironment } from "../../servers/aws-emulator.ts";
import { ARNS, accepted, openDestination, refused, startCannedAws } from "../../servers/canned-aws.ts";

const NO_ABORT = new AbortController().signal;

/** AWS's text, to the byte (streams §5.7). */
const HEAD =
  '{"requestContext":{"requestId":"c9b8fa9f-5a7f-xmpl-af9c-0c604cde93a5","functionArn":"arn:aws:lambda:eu-west-1:123456789012:function:orders","condition":"RetryAttemptsExhausted","approximateInvokeCount":2},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"version":"1.0",';
const TAIL =
  '"timestamp":"2019-11-14T00:38:06.021Z","KinesisBatchInfo":{"shardId":"shardId-000000000001","startSequenceNumber":"49601189658422359378836298521827638475320189012309704722","endSequenceNumber":"49601189658422359378836298522902373528957594348623495186","approximateArrivalOfFirstRecord":"2019-11-14T00:38:04.835Z","approximateArrivalOfLastRecord":"2019-11-14T00:38:05.580Z","batchSize":500,"streamArn":"arn:aws:kinesis:eu-west-1:123456789012:stream/orders"}}';

test("sqs: sends AWS's text to the queue's URL, on the endpoint that this process is told of", async (t) => {
  const { endpoint, requests } = await startCannedAws(t, accepted);
  await openDestination(t, "sqs").deliver(failureEnvelope(sampleFailure("a/b 1%")), NO_ABORT);
  const [lookUp, send] = requests;
  assert.deepEqual(JSON.parse(lookUp?.body ?? ""), {
    QueueName: "failed",
    QueueOwnerAWSAccountId: "123456789012",
  });
  assert.equal(send?.host, new URL(endpoint).host);
  assert.deepEqual(JSON.parse(send?.body ?? ""), {
    QueueUrl: "http://sqs.elsewhere.invalid:9/123456789012/failed",
    MessageBody: HEAD + TAIL,
    MessageAttributes: { "millrace-failure-id": { DataType: "String", StringValue: "a/b%201%25" } },
  });
});

test("sqs: asks for the queue's URL once for all deliveries, and again after it got none", async (t) => {
  let isThere = false;
  const { requests } = await startCannedAws(t, (request) =>
    isThere ? accepted(request) : refused("sqs", 400, "QueueDoesNotExist"),
  );
  const destination = openDestination(t, "sqs");
  const deliver = () =>
    Promise.allSettled(
      ["a", "b", "c"].map((id) => destination.deliver(failureEnvelope(sampleFailure(id)), NO_ABORT)),
    );
  assert.deepEqual(
    (await deliver()).map(({ status }) => status),
    ["rejected", "rejected", "rejected"],
  );
  isThere = true;
  for (let round = 0; round < 2; round++) {
    assert.ok((await deliver()).every(({ status }) => status === "fulfilled"));
  }
  const actions = requests.map(({ action }) => action);
  assert.deepEqual(actions, [
    "GetQueueUrl",
    "GetQueueUrl",
    ...Array.from({ length: 6 }, () => "SendMessage"),
  ]);
});

test("sqs: an aborted delivery leaves the look-up of the queue to the others", async (t) => {
  const abort = new AbortController();
  await startCannedAws(t, (request) => {
    abort.abort();
    return accepted(request);
  });
  const destination = openDestination(t, "sqs");
  const [first, second] = await Promise.allSettled([
    destination.deliver(failureEnvelope(sampleFailure("a")), abort.signal),
    destination.deliver(failureEnvelope(sampleFailure("b")), NO_ABORT),
  ]);
  assert.equal(first.status, "rejected");
  assert.equal(second.status, "fulfilled");
});

test("sns: publishes AWS's text to the topic", async (t) => {
  const { requests } = await startCannedAws(t, accepted);
  await openDestination(t, "sns").deliver(failureEnvelope(sampleFailure("a")), NO_ABORT);
  const form = new URLSearchParams(requests[0]?.body);
  assert.equal(form.get("TopicArn"), ARNS.sns);
  assert.equal(form.get("Message"), HEAD + TAIL);
  assert.equal(form.get("MessageAttributes.entry.1.Name"), "millrace-failure-id");
  assert.equal(form.get("MessageAttributes.entry.1.Value.StringValue"), "a");
  assert.equal(form.get("Subject"), null);
});

test("s3: writes AWS's text with the event as an escaped text, under AWS's key and content type", async (t) => {
  const { requests } = await startCannedAws(t, accepted);
  await openDestination(t, "s3").deliver(failureEnvelope(sampleFailure("a")), NO_ABORT);
  const [put] = requests;
  assert.equal(put?.body, `${HEAD}"payload":"{\\"Records\\":[]}",${TAIL}`);
  assert.equal(put?.headers["content-type"], "application/octet-stream");
  assert.equal(put?.headers["x-amz-meta-millrace-failure-id"], "a");
  const day = "aws/lambda/11111111-1111-4111-8111-111111111111/shardId-000000000001/2019/11/14";
  const uuid = "[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";
  assert.match(put?.path ?? "", new RegExp(`^/failed/${day}/2019-11-14T00\\.38\\.06-${uuid}\\?`));
});

test("s3: a key has the time of the discard and the UUID of the record's id", () => {
  const key = objectKey(failureEnvelope(sampleFailure("a")));
  assert.equal(
    objectKey(failureEnvelope(sampleFailure("a"))),
    key,
    "a delivery that is tried again overwrites its object",
  );
  const again = objectKey(failureEnvelope({ ...sampleFailure("a"), timestampMs: Date.UTC(2020, 0, 1) }));
  assert.match(again, /\/2020\/01\/01\/2020-01-01T00\.00\.00-/);
  assert.equal(again.slice(-36), key.slice(-36), "the same discard after a crash");
  assert.notEqual(objectKey(failureEnvelope(sampleFailure("b"))).slice(-36), key.slice(-36));
});

test("s3: names the bucket in the path, not in the host, where the endpoint is not AWS's", async (t) => {
  const { endpoint, requests } = await startCannedAws(t, accepted);
  setAwsEnvironment(endpoint.replace("127.0.0.1", "localhost"));
  await openDestination(t, "s3").deliver(failureEnvelope(sampleFailure("a")), NO_ABORT);
  assert.equal(requests[0]?.host, new URL(endpoint).host.replace("127.0.0.1", "localhost"));
  assert.match(requests[0]?.path ?? "", /^\/failed\/aws\/lambda\//);
});

test("s3: asks in some region when the environment names none, and follows the bucket to its own", async (t) => {
  const { requests } = await startCannedAws(t, (request) =>
    request.headers.authorization?.includes("/eu-central-1/")
      ? accepted(request)
      : {
          ...refused("s3", 301, "PermanentRedirect"),
          headers: { "x-amz-bucket-region": "eu-central-1" },
        },
  );
  delete process.env["AWS_REGION"];
  await openDestination(t, "s3").deliver(failureEnvelope(sampleFailure("a")), NO_ABORT);
  const regions = requests.map(({ headers }) => headers.authorization?.split("/")[2]);
  assert.deepEqual(
    regions.filter((region, index) => region !== regions[index - 1]),
    ["us-east-1", "eu-central-1"],
  );
});
