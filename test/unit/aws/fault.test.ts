import assert from "node:assert/strict";
import { test } from "node:test";
import { awsFaultOf, rememberSkew } from "../../../src/aws/fault.ts";
import { remedyOf } from "../../../src/aws/fault-text.ts";
import { sourceErrorOf } from "../../../src/aws/source-error.ts";
import { type Fault, isPassingFault } from "../../../src/model/errors.ts";

const CALLED = {
  action: "kinesis:GetRecords",
  resource: "arn:aws:kinesis:eu-west-1:123456789012:stream/orders",
  endpointVariable: "AWS_ENDPOINT_URL_KINESIS",
};
const SECRET = "AKIA-canary-secret";
const MINUTE_MS = 60_000;

function answered(name: string, httpStatusCode: number, more: object = {}): Error {
  return Object.assign(new Error(`text with ${SECRET}`), { name, $metadata: { httpStatusCode }, ...more });
}

function ofNetwork(code: string, name = "Error"): Error {
  return Object.assign(new Error(`text with ${SECRET}`), { name, code });
}

// What a client rejects with, what kind of fault that is, and what a person is to read.
const CASES: readonly (readonly [Error, Fault, RegExp])[] = [
  [answered("ThrottlingException", 400), "throttled", /goes on by itself/],
  [answered("LimitExceededException", 400), "throttled", /goes on by itself/],
  [answered("KMSThrottlingException", 400), "throttled", /goes on by itself/],
  [answered("SlowDown", 503), "throttled", /goes on by itself/],
  [answered("Unheard", 429), "throttled", /goes on by itself/],
  [answered("RequestTimeTooSkewed", 403), "clock", /Set the clock of this host by NTP/],
  [answered("ExpiredTokenException", 400), "credentialsExpired", /have expired/],
  [answered("ExpiredToken", 403), "credentialsExpired", /have expired/],
  [answered("UnrecognizedClientException", 400), "credentials", /did not accept the credentials/],
  [answered("SignatureDoesNotMatch", 403), "credentials", /did not accept the credentials/],
  [ofNetwork("", "CredentialsProviderError"), "credentials", /no AWS credentials.*AWS_PROFILE/],
  [answered("AccessDeniedException", 400), "denied", /Allow kinesis:GetRecords on arn:/],
  [answered("com.amazonaws.sqs#AccessDenied", 403), "denied", /Allow kinesis:GetRecords on arn:/],
  [answered("KMSDisabledException", 400), "denied", /kms:Decrypt/],
  [answered("Forbidden", 403), "denied", /Allow/],
  [answered("ResourceNotFoundException", 400), "notFound", /name, account and region/],
  [answered("AWS.SimpleQueueService.NonExistentQueue", 400), "notFound", /name, account and region/],
  [answered("ValidationException", 400), "refused", /service's reference/],
  [answered("UnknownOperationException", 404), "refused", /AWS_ENDPOINT_URL_KINESIS/],
  [answered("InternalFailure", 500), "passing", /tried again/],
  [answered("SyntaxError", 503), "passing", /tried again/],
  [answered("RequestTimeoutException", 400), "passing", /tried again/],
  [ofNetwork("ECONNREFUSED"), "passing", /Nothing answers.*AWS_ENDPOINT_URL_KINESIS/],
  [ofNetwork("ECONNRESET"), "passing", /tried again/],
  [ofNetwork("", "TimeoutError"), "passing", /tried again/],
  [new TypeError("x is not a function"), "defect", /report it/],
];

for (const [error, fault, remedy] of CASES) {
  const known = awsFaultOf(error);
  test(`${known.reason} is ${fault}, and its text says what to do and quotes nothing`, () => {
    const made = sourceErrorOf(error, CALLED);
    assert.equal(known.fault, fault);
    assert.equal(made.fault, fault);
    assert.match(made.message, remedy);
    assert.ok(made.message.includes(known.code));
    assert.ok(!made.message.includes(SECRET));
  });
}

test("a signature that is refused for its time is the clock's fault, and the text says by how much", () => {
  for (const [aheadMs, words] of [
    [20 * MINUTE_MS, "20 minutes behind"],
    [-25 * MINUTE_MS, "25 minutes ahead of"],
  ] as const) {
    const error = answered("InvalidSignatureException", 400);
    rememberSkew(error, aheadMs, aheadMs);
    const made = sourceErrorOf(error, CALLED);
    assert.equal(made.fault, "clock");
    assert.ok(isPassingFault(made));
    assert.match(made.message, new RegExp(`This host's clock is ${words} the service's`));
    assert.doesNotMatch(made.message, /credentials/);
  }
});

test("a signature that is refused at its right time is the credentials' fault, and a clock that is off is named beside", () => {
  const error = answered("InvalidSignatureException", 400);
  rememberSkew(error, 1_000, 20 * MINUTE_MS);
  const known = awsFaultOf(error);
  assert.equal(known.fault, "credentials");
  assert.match(remedyOf(known, CALLED), /clock is 20 minutes behind.*did not accept the credentials/);
});

test("a right that is missing is not taken for a clock that is a little off", () => {
  const error = answered("AccessDenied", 403);
  rememberSkew(error, 90_000, 90_000);
  assert.equal(awsFaultOf(error).fault, "denied");
});

test("whatever is thrown has a classification", () => {
  for (const thrown of [undefined, null, "text", 7, {}, Object.create(null)]) {
    assert.equal(awsFaultOf(thrown).fault, "passing");
  }
});

test("an endpoint that is away is named, so that its shards wait for it together; what one call met is not", () => {
  const endpointOf = (error: Error) => Reflect.get(sourceErrorOf(error, CALLED), "endpoint") as unknown;
  for (const error of [ofNetwork("ECONNREFUSED"), ofNetwork("ENOTFOUND"), answered("SyntaxError", 503)]) {
    assert.equal(typeof endpointOf(error), "string");
    assert.equal(endpointOf(error), endpointOf(ofNetwork("ECONNREFUSED")));
  }
  for (const error of [
    answered("InternalFailure", 500),
    ofNetwork("ECONNRESET"),
    answered("Throttling", 400),
  ]) {
    assert.equal(endpointOf(error), undefined);
  }
});
