import assert from "node:assert/strict";
import { test } from "node:test";
import { failureDocument, failureDocumentWithPayload } from "../../../src/model/failure-record.ts";
import { sampleFailure } from "../../contract/destination.ts";

const HEAD =
  '{"requestContext":{"requestId":"c9b8fa9f-5a7f-xmpl-af9c-0c604cde93a5",' +
  '"functionArn":"arn:aws:lambda:eu-west-1:123456789012:function:orders",' +
  '"condition":"RetryAttemptsExhausted","approximateInvokeCount":2},';
const RESPONSE =
  '"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},';
const TIMESTAMP = '"timestamp":"2019-11-14T00:38:06.021Z",';
const BATCH =
  '"KinesisBatchInfo":{"shardId":"shardId-000000000001",' +
  '"startSequenceNumber":"49601189658422359378836298521827638475320189012309704722",' +
  '"endSequenceNumber":"49601189658422359378836298522902373528957594348623495186",' +
  '"approximateArrivalOfFirstRecord":"2019-11-14T00:38:04.835Z",' +
  '"approximateArrivalOfLastRecord":"2019-11-14T00:38:05.580Z",' +
  '"batchSize":500,"streamArn":"arn:aws:kinesis:eu-west-1:123456789012:stream/orders"}';

test("the document for SQS and SNS is AWS's, member by member in AWS's order", () => {
  const text = JSON.stringify(failureDocument(sampleFailure("a")));
  assert.equal(text, `${HEAD}${RESPONSE}"version":"1.0",${TIMESTAMP}${BATCH}}`);
});

test("the document for S3 has the event as an escaped text between version and timestamp", () => {
  const text = JSON.stringify(failureDocumentWithPayload(sampleFailure("a")));
  assert.equal(
    text,
    `${HEAD}${RESPONSE}"version":"1.0","payload":"{\\"Records\\":[]}",${TIMESTAMP}${BATCH}}`,
  );
});

test("a record whose event was never built has no payload", () => {
  const record = { ...sampleFailure("a"), payload: undefined };
  assert.deepEqual(failureDocumentWithPayload(record), failureDocument(record));
});

test("a function that gave no answer has no response context, and a partial failure has one without an error", () => {
  const silent = { ...sampleFailure("a"), condition: "RecordAgeExceeded", response: undefined } as const;
  assert.deepEqual(Object.keys(failureDocument(silent)), [
    "requestContext",
    "version",
    "timestamp",
    "KinesisBatchInfo",
  ]);
  const partial = { ...sampleFailure("a"), response: { functionError: null } };
  assert.deepEqual(failureDocument(partial)["responseContext"], {
    statusCode: 200,
    executedVersion: "$LATEST",
    functionError: null,
  });
});

test("a failure record names the version that ran", () => {
  const response = { functionError: "Unhandled", executedVersion: "3" };
  const document = failureDocument({ ...sampleFailure("a"), response });
  assert.deepEqual(document["responseContext"], {
    statusCode: 200,
    executedVersion: "3",
    functionError: "Unhandled",
  });
});

test("DynamoDB's batch has its own name and arrival times in whole seconds; the timestamp keeps milliseconds", () => {
  const sample = sampleFailure("a");
  const batch = { ...sample.batch, infoName: "DDBStreamBatchInfo", arrivalPrecision: "seconds" } as const;
  const document = failureDocument({ ...sample, batch });
  const info = document["DDBStreamBatchInfo"] as Record<string, unknown>;
  assert.equal(info["approximateArrivalOfFirstRecord"], "2019-11-14T00:38:04Z");
  assert.equal(info["approximateArrivalOfLastRecord"], "2019-11-14T00:38:05Z");
  assert.equal(document["timestamp"], "2019-11-14T00:38:06.021Z");
});

test("a failed final window has only shard and stream in its batch, and the window behind it", () => {
  const sample = sampleFailure("a");
  const window = {
    startMs: Date.UTC(2020, 11, 9, 7, 4),
    endMs: Date.UTC(2020, 11, 9, 7, 6),
    isFinalInvokeForWindow: true,
    isWindowTerminatedEarly: false,
  };
  const document = failureDocument({ ...sample, batch: { ...sample.batch, records: undefined }, window });
  const text = JSON.stringify(document);
  assert.ok(
    text.endsWith(
      '"KinesisBatchInfo":{"shardId":"shardId-000000000001",' +
        '"streamArn":"arn:aws:kinesis:eu-west-1:123456789012:stream/orders"},' +
        '"timeWindowInfo":{"window":{"start":"2020-12-09T07:04:00Z","end":"2020-12-09T07:06:00Z"},' +
        '"isFinalInvokeForWindow":true,"isWindowTerminatedEarly":false}}',
    ),
    text,
  );
});

test("times that no date can show are left out of the document, and times of far years are shown", () => {
  const failure = sampleFailure("a");
  const { records } = failure.batch;
  assert.ok(records !== undefined);
  const at = (firstArrivalMs: number | undefined, lastArrivalMs: number | undefined) => {
    const batch = { ...failure.batch, arrivalPrecision: "seconds" as const };
    const document = failureDocument({
      ...failure,
      batch: { ...batch, records: { ...records, firstArrivalMs, lastArrivalMs } },
    });
    return document["KinesisBatchInfo"] as { readonly [member: string]: unknown };
  };
  for (const none of [undefined, 1.79e18, Number.NaN, -1e300]) {
    const info = at(none, 0);
    assert.equal("approximateArrivalOfFirstRecord" in info, false);
    assert.equal(info["approximateArrivalOfLastRecord"], "1970-01-01T00:00:00Z");
    assert.equal(info["batchSize"], 500);
  }
  assert.equal(at(1.79e15, 0)["approximateArrivalOfFirstRecord"], "+058692-11-03T14:13:20Z");
});
