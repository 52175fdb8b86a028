import assert from "node:assert/strict";
import { test } from "node:test";
import { sourceError } from "../../../../connectors/sqs/sdk-errors.ts";
import type { ErrorCode } from "../../../../src/model/errors.ts";
import { ARN } from "./fake-queue.ts";

function sdkError(name: string, more: object = {}): Error {
  return Object.assign(new Error("the service's text with a secret"), { name, ...more });
}

const MISSING =
  /^Error occurred while ReceiveMessage\. SQS Error Code: AWS\.SimpleQueueService\.NonExistentQueue\. SQS Error Message: The specified queue does not exist\. The queue is arn:aws:sqs:us-east-2:123456789012:my-queue\. .*account and region/;

// What the SDK throws, what the engine is to make of it, and what a person is to read.
const CASES: readonly (readonly [Error, ErrorCode, RegExp])[] = [
  [sdkError("QueueDoesNotExist"), "ERR_MILLRACE_SOURCE_NOT_FOUND", MISSING],
  [sdkError("AWS.SimpleQueueService.NonExistentQueue"), "ERR_MILLRACE_SOURCE_NOT_FOUND", MISSING],
  [sdkError("QueueDeletedRecently"), "ERR_MILLRACE_SOURCE_NOT_FOUND", MISSING],
  [
    sdkError("RequestThrottled"),
    "ERR_MILLRACE_SOURCE_THROTTLED",
    /sqs:ReceiveMessage on arn:\S+ was called too often/,
  ],
  [sdkError("KmsThrottled"), "ERR_MILLRACE_SOURCE_THROTTLED", /KmsThrottled/],
  [sdkError("OverLimit"), "ERR_MILLRACE_SOURCE_THROTTLED", /OverLimit/],
  [
    sdkError("Strange", { $metadata: { httpStatusCode: 429 } }),
    "ERR_MILLRACE_SOURCE_THROTTLED",
    /Strange, HTTP 429/,
  ],
  [
    sdkError("AccessDenied", { $metadata: { httpStatusCode: 403, requestId: "7f3a" } }),
    "ERR_MILLRACE_SOURCE_UNAVAILABLE",
    /AccessDenied, HTTP 403, request 7f3a\)\. Allow sqs:ReceiveMessage on arn:aws:sqs:us-east-2/,
  ],
  [sdkError("InvalidClientTokenId"), "ERR_MILLRACE_SOURCE_UNAVAILABLE", /give this process credentials/],
  [sdkError("CredentialsProviderError"), "ERR_MILLRACE_SOURCE_UNAVAILABLE", /Give this process credentials/],
  [sdkError("KmsAccessDenied"), "ERR_MILLRACE_SOURCE_UNAVAILABLE", /kms:Decrypt/],
  [
    sdkError("Error", { code: "ECONNREFUSED" }),
    "ERR_MILLRACE_SOURCE_UNAVAILABLE",
    /ECONNREFUSED.*Nothing answers.*AWS_ENDPOINT_URL_SQS/,
  ],
  [sdkError("TimeoutError"), "ERR_MILLRACE_SOURCE_UNAVAILABLE", /TimeoutError.*tried again/],
];

for (const [error, code, text] of CASES) {
  test(`${error.name} becomes ${code}`, () => {
    const failure = sourceError(error, "ReceiveMessage", ARN);
    assert.equal(failure.code, code);
    assert.match(failure.message, text);
    assert.doesNotMatch(failure.message, /secret/);
  });
}

test("what was thrown without being an error still says which call failed", () => {
  const failure = sourceError("?", "DeleteMessageBatch", ARN);
  assert.equal(failure.code, "ERR_MILLRACE_SOURCE_UNAVAILABLE");
  assert.match(failure.message, /sqs:DeleteMessageBatch on arn:aws:sqs/);
});
