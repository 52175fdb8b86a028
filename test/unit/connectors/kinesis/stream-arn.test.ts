import assert from "node:assert/strict";
import { test } from "node:test";
import { parseStreamArn } from "../../../../connectors/kinesis/stream-arn.ts";

test("a stream's ARN asks for polling, a consumer's for fan-out of the same stream", () => {
  const stream = parseStreamArn("arn:aws:kinesis:eu-west-1:123456789012:stream/orders");
  assert.equal(stream.consumerArn, undefined);
  assert.equal(stream.streamArn, stream.arn);
  const consumer = parseStreamArn(`${stream.arn}/consumer/fast:1700000000`);
  assert.equal(consumer.consumerArn, consumer.arn);
  assert.equal(consumer.streamArn, stream.arn);
  assert.deepEqual(
    [consumer.name, consumer.region, consumer.account],
    ["orders", "eu-west-1", "123456789012"],
  );
});

test("region and account may be left out of a stream's ARN; the name then stands for it", () => {
  const { streamArn, region } = parseStreamArn("arn:aws:kinesis:::stream/orders");
  assert.deepEqual([streamArn, region], [undefined, "us-east-1"]);
});

for (const arn of [
  "arn:aws:kinesis:eu-west-1:123456789012:orders",
  "arn:aws:kinesis:eu-west-1:123456789012:stream/orders/consumer/fast",
  "arn:aws:kinesis:::stream/orders/consumer/fast:1",
  "arn:aws:kinesis:eu-west-1:123456789012:stream/a b",
]) {
  test(`${arn} is refused with the form that is wanted`, () => {
    assert.throws(
      () => parseStreamArn(arn),
      /is not the ARN of a Kinesis data stream\. Write eventSourceArn as/,
    );
  });
}
