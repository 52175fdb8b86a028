import assert from "node:assert/strict";
import { test } from "node:test";
import { failureMessages } from "../../../../connectors/kafka/failure-messages.ts";
import {
  failureDocument,
  failureDocumentWithPayload,
  failureEnvelope,
} from "../../../../src/model/failure-record.ts";
import { sampleFailure } from "../../../contract/destination.ts";
import { kafkaFailure, SERVERS } from "./sample-failure.ts";

test("the document for SQS and SNS is AWS's, members in its order, without an ARN when self-managed", () => {
  const failure = kafkaFailure("x");
  assert.equal(
    JSON.stringify(failureDocument(failure)),
    '{"requestContext":{"requestId":"316aa6d0-9e5e-4f1e-8f0e-000000000000",' +
      '"functionArn":"arn:aws:lambda:us-east-1:123456789012:function:myfunction",' +
      '"condition":"RetryAttemptsExhausted","approximateInvokeCount":3},' +
      '"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},' +
      '"version":"1.0","timestamp":"2019-11-14T00:38:06.021Z",' +
      `"KafkaBatchInfo":{"batchSize":3,"bootstrapServers":"${SERVERS.join(",")}","payloadSize":${failure.payload?.length},` +
      '"recordsInfo":{"mytopic-0":{"firstRecordOffset":"100","lastRecordOffset":"104",' +
      '"firstRecordTimestamp":"2019-11-14T00:38:04.835Z","lastRecordTimestamp":"2019-11-14T00:38:05.580Z"}}}}',
  );
});

test("a record that was too large for any event has AWS's word, and no response", () => {
  const failure = {
    ...kafkaFailure("x"),
    condition: "MaximumPayloadSizeExceeded" as const,
    response: undefined,
  };
  const { requestContext, responseContext } = failureDocument(failure);
  assert.ok(JSON.stringify(requestContext).includes('"condition":"MaximumPayloadSizeExceeded"'));
  assert.equal(responseContext, null);
});

test("an MSK cluster's document has its ARN, and S3's the event as a text", () => {
  const failure = kafkaFailure("x");
  const arn = "arn:aws:kafka:us-east-1:123456789012:cluster/a/b-1";
  const document = failureDocumentWithPayload({
    ...failure,
    batch: { ...failure.batch, eventSourceArn: arn },
  });
  const info = document["KafkaBatchInfo"];
  assert.ok(typeof info === "object" && info !== null);
  assert.deepEqual(Object.keys(info), [
    "batchSize",
    "eventSourceArn",
    "bootstrapServers",
    "payloadSize",
    "recordsInfo",
  ]);
  assert.equal(document["payload"], Buffer.from(failure.payload ?? []).toString());
});

test("a failure topic gets one message for each record, with its key and the event of that record", () => {
  const failure = kafkaFailure("mapping/mytopic-0/100/104");
  const messages = failureMessages(failureEnvelope(failure)) ?? [];
  assert.deepEqual(
    messages.map(({ id, key }) => [id, key?.toString()]),
    [
      ["mapping/mytopic-0/100/104/100", "a"],
      ["mapping/mytopic-0/100/104/103", undefined],
      ["mapping/mytopic-0/100/104/104", "a"],
    ],
  );
  const document = JSON.parse(String(messages[1]?.value));
  const event = JSON.parse(Buffer.from(failure.payload ?? []).toString());
  const payload = { ...event, records: { "mytopic-0": [event.records["mytopic-0"][1]] } };
  assert.deepEqual(document, {
    requestContext: {
      requestId: failure.requestId,
      functionArn: failure.functionArn,
      condition: "RetriesExhausted",
      approximateInvokeCount: 3,
    },
    responseContext: { statusCode: 200, executedVersion: "$LATEST", functionError: "Unhandled" },
    version: "1.0",
    timestamp: "2019-11-14T00:38:06.021Z",
    KafkaBatchInfo: {
      batchSize: 1,
      bootstrapServers: SERVERS.join(","),
      payloadSize: Buffer.byteLength(JSON.stringify(payload)),
      recordInfo: { offset: "103", timestamp: "2019-11-14T00:38:04.836Z" },
    },
    payload,
  });
});

test("records that grew too old keep that word", () => {
  const [message] =
    failureMessages(failureEnvelope({ ...kafkaFailure("x"), condition: "RecordAgeExceeded" })) ?? [];
  assert.equal(JSON.parse(String(message?.value)).requestContext.condition, "RecordAgeExceeded");
});

test("what is no failure of a Kafka batch has no messages", () => {
  assert.equal(failureMessages(failureEnvelope(sampleFailure("kinesis"))), undefined);
  for (const payload of [undefined, Buffer.from("{"), Buffer.from("null"), Buffer.from('{"records":[]}')]) {
    assert.equal(failureMessages(failureEnvelope({ ...kafkaFailure("x"), payload })), undefined);
  }
});

test("offsets and times beyond what a JavaScript number holds are handed on, each message under its own id", () => {
  const text = Buffer.from(kafkaFailure("x").payload ?? []).toString();
  const large = text
    .replace('"offset":100', '"offset":9007199254740993')
    .replace('"offset":103', '"offset":9007199254740992')
    .replace('"timestamp":1573691884835', '"timestamp":1573691884835000001');
  const messages =
    failureMessages(failureEnvelope({ ...kafkaFailure("x"), payload: Buffer.from(large) })) ?? [];
  assert.deepEqual(
    messages.map(({ id }) => id),
    ["x/9007199254740993", "x/9007199254740992", "x/104"],
  );
  const value = String(messages[0]?.value);
  assert.ok(value.includes('"recordInfo":{"offset":"9007199254740993","timestamp":null}'));
  assert.ok(value.includes('"offset":9007199254740993,"timestamp":1573691884835000001,'));
});
