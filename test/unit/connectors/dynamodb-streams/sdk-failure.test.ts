import assert from "node:assert/strict";
import { test } from "node:test";
import { sourceError } from "../../../../connectors/dynamodb-streams/sdk-failure.ts";
import { ARN } from "./fake-source.ts";

const SECRET = "AKIA-canary-secret";

function errorOf(
  name: string,
  status?: number,
  action = "GetRecords",
  shardId: string | undefined = "shard-1",
) {
  const failure = Object.assign(new Error(`message with ${SECRET}`), {
    name,
    $metadata: { httpStatusCode: status, requestId: "request-7" },
  });
  return sourceError(failure, { action, streamArn: ARN.arn, shardId });
}

test("what asks for fewer calls is a throttle", () => {
  for (const [name, status] of [
    ["LimitExceededException", 400],
    ["ThrottlingException", 400],
    ["ProvisionedThroughputExceededException", 400],
    ["Unheard", 429],
  ] as const) {
    const error = errorOf(name, status);
    assert.equal(error.code, "ERR_MILLRACE_SOURCE_THROTTLED");
    assert.match(error.message, /GetRecords .*shard-1.*request-7/);
  }
});

test("a stream that is missing is told in AWS's words, a shard by its name", () => {
  const stream = sourceError(
    { name: "ResourceNotFoundException" },
    {
      action: "DescribeStream",
      streamArn: ARN.arn,
      shardId: undefined,
    },
  );
  assert.equal(stream.code, "ERR_MILLRACE_SOURCE_NOT_FOUND");
  assert.ok(stream.message.startsWith(`Stream not found: ${ARN.arn}`));
  assert.match(errorOf("ResourceNotFoundException").message, /no shard shard-1/);
  const streamArn = "arn:aws:dynamodb:ddblocal:000000000000:table/orders/stream/2026-01-01T00:00:00.000";
  const local = { action: "DescribeStream", streamArn, shardId: undefined };
  assert.match(sourceError({ name: "ResourceNotFoundException" }, local).message, /-sharedDb/);
});

test("missing rights name the ARN, the action and what to allow", () => {
  const { code, message } = errorOf("AccessDeniedException", 400, "GetShardIterator");
  assert.equal(code, "ERR_MILLRACE_SOURCE_UNAVAILABLE");
  assert.ok(message.includes(`dynamodb:GetShardIterator on ${ARN.arn}, shard shard-1 was denied`), message);
  assert.match(
    message,
    /Allow dynamodb:GetShardIterator on arn\S+ to .*It takes dynamodb:DescribeStream, dynamodb:GetShardIterator and dynamodb:GetRecords/,
  );
});

test("missing and refused credentials each say what to do", () => {
  assert.match(errorOf("CredentialsProviderError").message, /no AWS credentials\. .*AWS_ACCESS_KEY_ID.*role/);
  for (const name of ["UnrecognizedClientException", "InvalidSignatureException", "ExpiredTokenException"]) {
    assert.match(
      errorOf(name, 400).message,
      /(did not accept the credentials .*region of the ARN|have expired)/,
    );
  }
});

test("anything else is unavailable, and no message repeats what the service or the SDK wrote", () => {
  for (const name of [
    "InternalServerError",
    "TimeoutError",
    "ValidationException",
    "AccessDeniedException",
  ]) {
    const error = errorOf(name, 500);
    assert.equal(error.code, "ERR_MILLRACE_SOURCE_UNAVAILABLE");
    assert.ok(error.message.includes(name));
    assert.ok(!error.message.includes(SECRET));
  }
  const call = { action: "GetRecords", streamArn: ARN.arn, shardId: "shard-1" };
  const socket = Object.assign(new Error("connect"), { code: "ECONNREFUSED" });
  assert.match(sourceError(socket, call).message, /ECONNREFUSED.*AWS_ENDPOINT_URL_DYNAMODB_STREAMS/);
  for (const thrown of [undefined, null, "text", 7]) {
    assert.equal(sourceError(thrown, call).code, "ERR_MILLRACE_SOURCE_UNAVAILABLE");
  }
});
