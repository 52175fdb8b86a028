import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseDestination } from "../../../src/manifests/destination-address.ts";

test("takes the ARNs of queues, topics and buckets apart, of every partition", () => {
  const queue = "arn:aws-cn:sqs:cn-north-1:123456789012:failed_orders-1";
  assert.deepEqual(parseDestination(queue, "/etc"), {
    kind: "sqs",
    uri: queue,
    arn: queue,
    region: "cn-north-1",
    account: "123456789012",
    queueName: "failed_orders-1",
  });
  const topic = `arn:aws-us-gov:sns:us-gov-west-1:123456789012:${"t".repeat(256)}`;
  assert.deepEqual(parseDestination(topic, "/etc"), {
    kind: "sns",
    uri: topic,
    arn: topic,
    region: "us-gov-west-1",
  });
  const bucket = "arn:aws:s3:::failed.orders-1";
  assert.deepEqual(parseDestination(bucket, "/etc"), {
    kind: "s3",
    uri: bucket,
    arn: bucket,
    partition: "aws",
    bucket: "failed.orders-1",
  });
});

test("finds files from the folder, by one spelling", () => {
  const expected = { kind: "file", uri: "file:/etc/a/failed.jsonl", path: "/etc/a/failed.jsonl" };
  for (const text of ["file:a/failed.jsonl", "file:./a/../a/failed.jsonl", "file:///etc/a/failed.jsonl"]) {
    assert.deepEqual(parseDestination(text, "/etc"), expected);
  }
});

test("refuses what is no destination, and never throws", () => {
  const texts = [
    "file:",
    "file://host/a",
    "failed.jsonl",
    "arn:aws:sqs:eu-west-1:123456789012:",
    "arn:aws:sqs::123456789012:q",
    "arn:aws:sqs:eu-west-1:12345678901:q",
    `arn:aws:sqs:eu-west-1:123456789012:${"q".repeat(81)}`,
    "arn:aws:sqs:eu-west-1:123456789012:a/b",
    "arn:aws:sqs:eu-west-1.evil.example/:123456789012:q",
    "arn:aws:sns:eu-west-1:123456789012:t\n",
    "arn:aws:s3:eu-west-1::bucket",
    "arn:aws:s3::123456789012:bucket",
    "arn:aws:s3:::bu",
    "arn:aws:s3:::Bucket",
    "arn:aws:s3:::-bucket",
    "arn:aws:lambda:eu-west-1:123456789012:function:f",
    "arn:gcp:sqs:eu-west-1:123456789012:q",
  ];
  for (const text of texts) assert.equal(parseDestination(text, "/etc").kind, "fault", text);
  fc.assert(
    fc.property(fc.stringMatching(/^(arn:aws:(sqs|sns|s3):|file:)?.{0,40}$/), (text) => {
      parseDestination(text, "/etc");
    }),
  );
});
