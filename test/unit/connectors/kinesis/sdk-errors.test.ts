import assert from "node:assert/strict";
import { test } from "node:test";
import { isServiceHost } from "../../../../connectors/kinesis/sdk-client.ts";
import { toFault } from "../../../../connectors/kinesis/sdk-errors.ts";
import { parseStreamArn } from "../../../../connectors/kinesis/stream-arn.ts";
import type { ErrorCode } from "../../../../src/model/errors.ts";
import { NO_ABORT, STREAM_ARN } from "./fake-kinesis.ts";

const ARN = parseStreamArn(STREAM_ARN);

function sdkError(name: string, message: string, more: object = {}): Error {
  return Object.assign(new Error(message), { name, ...more });
}

// What the SDK throws, what the engine is to make of it, and what a person is to read.
const CASES: readonly (readonly [Error, ErrorCode, RegExp])[] = [
  [
    sdkError("ResourceNotFoundException", "Stream orders not found."),
    "ERR_MILLRACE_SOURCE_NOT_FOUND",
    /account and region \(eu-west-1\)/,
  ],
  [
    sdkError("ProvisionedThroughputExceededException", "Rate exceeded"),
    "ERR_MILLRACE_SOURCE_THROTTLED",
    /Rate exceeded/,
  ],
  [sdkError("LimitExceededException", "Too many"), "ERR_MILLRACE_SOURCE_THROTTLED", /Too many/],
  [sdkError("KMSThrottlingException", "slow"), "ERR_MILLRACE_SOURCE_THROTTLED", /slow/],
  [
    sdkError("AccessDeniedException", "no."),
    "ERR_MILLRACE_SOURCE_UNAVAILABLE",
    /was denied: no\. Give .* permission kinesis:GetRecords/,
  ],
  [
    sdkError("CredentialsProviderError", "Could not load credentials"),
    "ERR_MILLRACE_SOURCE_UNAVAILABLE",
    /Give this process credentials/,
  ],
  [
    sdkError("ExpiredTokenException", "expired"),
    "ERR_MILLRACE_SOURCE_UNAVAILABLE",
    /Give this process credentials/,
  ],
  [sdkError("KMSAccessDeniedException", "no key"), "ERR_MILLRACE_SOURCE_UNAVAILABLE", /kms:Decrypt/],
  [
    sdkError("Error", "connect", { code: "ECONNREFUSED" }),
    "ERR_MILLRACE_SOURCE_UNAVAILABLE",
    /AWS_ENDPOINT_URL_KINESIS/,
  ],
  [sdkError("TimeoutError", "30 s"), "ERR_MILLRACE_SOURCE_UNAVAILABLE", /TimeoutError: 30 s/],
];

for (const [error, code, text] of CASES) {
  test(`${error.name} becomes ${code}, and names the call, the stream and the remedy`, () => {
    const fault = toFault(error, "GetRecords", ARN, NO_ABORT);
    assert.equal(fault.code, code);
    assert.match(fault.message, text);
    assert.match(
      fault.message,
      /^kinesis:GetRecords on arn:aws:kinesis:eu-west-1:123456789012:stream\/orders /,
    );
    assert.equal(fault.cause, error);
  });
}

test("what fails behind an abort is the abort", () => {
  const fault = toFault(sdkError("Error", "socket closed"), "GetRecords", ARN, AbortSignal.abort());
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
