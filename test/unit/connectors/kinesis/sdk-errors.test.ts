import assert from "node:assert/strict";
import { test } from "node:test";
import { type FaultKind, isFault } from "../../../../connectors/kinesis/kinesis-api.ts";
import { isServiceHost } from "../../../../connectors/kinesis/sdk-client.ts";
import { toFault } from "../../../../connectors/kinesis/sdk-errors.ts";
import { parseStreamArn } from "../../../../connectors/kinesis/stream-arn.ts";
import type { ErrorCode } from "../../../../src/model/errors.ts";
import { NO_ABORT, STREAM_ARN } from "./fake-kinesis.ts";

const ARN = parseStreamArn(STREAM_ARN);

function sdkError(name: string, more: object = {}): Error {
  return Object.assign(new Error("the service's text"), { name, ...more });
}

// What the SDK throws, and what the engine is to make of it; texts are those of all AWS clients (test/unit/aws).
const CASES: readonly (readonly [Error, ErrorCode, FaultKind])[] = [
  [sdkError("ResourceNotFoundException"), "ERR_MILLRACE_SOURCE_NOT_FOUND", "notFound"],
  [sdkError("ProvisionedThroughputExceededException"), "ERR_MILLRACE_SOURCE_THROTTLED", "throttled"],
  [sdkError("KMSThrottlingException"), "ERR_MILLRACE_SOURCE_THROTTLED", "throttled"],
  [sdkError("ExpiredIteratorException"), "ERR_MILLRACE_SOURCE_UNAVAILABLE", "expiredIterator"],
  [sdkError("InvalidArgumentException"), "ERR_MILLRACE_SOURCE_UNAVAILABLE", "invalidArgument"],
  [sdkError("ResourceInUseException"), "ERR_MILLRACE_SOURCE_UNAVAILABLE", "resourceInUse"],
  [sdkError("AccessDeniedException"), "ERR_MILLRACE_SOURCE_UNAVAILABLE", "unavailable"],
  [sdkError("Error", { code: "ECONNREFUSED" }), "ERR_MILLRACE_SOURCE_UNAVAILABLE", "unavailable"],
];

for (const [error, code, kind] of CASES) {
  test(`${error.name} becomes ${code}, and names the call and the stream`, () => {
    const fault = toFault(error, "GetRecords", ARN, NO_ABORT);
    assert.equal(fault.code, code);
    assert.ok(isFault(fault, kind));
    assert.match(
      fault.message,
      /^kinesis:GetRecords on arn:aws:kinesis:eu-west-1:123456789012:stream\/orders /,
    );
    assert.equal(fault.cause, error);
  });
}

test("what fails behind an abort is the abort", () => {
  const fault = toFault(sdkError("Error"), "GetRecords", ARN, AbortSignal.abort());
  assert.equal(fault.code, "ERR_MILLRACE_ABORTED");
});

test("the service's hosts get HTTP/2 for subscriptions, emulators do not", () => {
  for (const host of [
    "kinesis.eu-west-1.amazonaws.com",
    "123456789012.data-kinesis.us-east-1.amazonaws.com",
    "vpce-1-2.kinesis.eu-west-1.vpce.amazonaws.com",
    "kinesis.cn-north-1.amazonaws.com.cn",
  ]) {
    assert.equal(isServiceHost(host), true, host);
  }
  for (const host of ["127.0.0.1", "localhost", "localhost.localstack.cloud", "amazonaws.com.evil.example"]) {
    assert.equal(isServiceHost(host), false, host);
  }
});
