import assert from "node:assert/strict";
import { test } from "node:test";
import { createKinesisEvents, createRecordFactory } from "../../../../connectors/kinesis/event.ts";
import { parseStreamArn } from "../../../../connectors/kinesis/stream-arn.ts";
import { KINESIS_PIPE_RECORDS } from "../../../../src/model/kinesis-event-records.ts";

const ARN = "arn:aws:kinesis:us-east-2:123456789012:stream/lambda-stream";
const SEQUENCE = "49590338271490256608559692538361571095921575989136588898";

/** AWS's sample (streams §6), but for the name of the role, and with the whole sequence number. */
const SAMPLE =
  '{"Records":[{"kinesis":{"kinesisSchemaVersion":"1.0","partitionKey":"1",' +
  `"sequenceNumber":"${SEQUENCE}",` +
  '"data":"SGVsbG8sIHRoaXMgaXMgYSB0ZXN0Lg==","approximateArrivalTimestamp":1545084650.987},' +
  `"eventSource":"aws:kinesis","eventVersion":"1.0","eventID":"shardId-000000000006:${SEQUENCE}",` +
  '"eventName":"aws:kinesis:record","invokeIdentityArn":"arn:aws:iam::123456789012:role/millrace",' +
  `"awsRegion":"us-east-2","eventSourceARN":"${ARN}"}]}`;

test("the event of a record is AWS's, byte by byte", () => {
  const arn = parseStreamArn(ARN);
  const record = createRecordFactory(arn, "shardId-000000000006")(
    SEQUENCE,
    "1",
    Buffer.from("Hello, this is a test."),
    1_545_084_650_987,
  );
  const events = createKinesisEvents(arn.arn);
  assert.equal(Buffer.from(events.encode([record], undefined)).toString(), SAMPLE);
});

test("an event of another partition names its own kind of role", () => {
  const arn = parseStreamArn("arn:aws-cn:kinesis:cn-north-1:123456789012:stream/orders");
  const record = createRecordFactory(arn, "shardId-000000000000")("1", "a", Buffer.alloc(0), 0);
  const event = JSON.parse(Buffer.from(createKinesisEvents(arn.arn).encode([record], undefined)).toString());
  assert.equal(event.Records[0].invokeIdentityArn, "arn:aws-cn:iam::123456789012:role/millrace");
});

test("a record of a mapping with an enrichment is flat, as EventBridge Pipes has it", () => {
  const [record = ""] = KINESIS_PIPE_RECORDS.split(Buffer.from(SAMPLE)) ?? [];
  assert.deepEqual(Object.keys(JSON.parse(record)), [
    ...["kinesisSchemaVersion", "partitionKey", "sequenceNumber", "data", "approximateArrivalTimestamp"],
    ...["eventSource", "eventVersion", "eventID", "eventName", "invokeIdentityArn", "awsRegion"],
    "eventSourceARN",
  ]);
});
