import assert from "node:assert/strict";
import { test } from "node:test";
import { MillraceError } from "../../../src/model/errors.ts";
import { failureEnvelope } from "../../../src/model/failure-record.ts";
import { sampleFailure } from "../../contract/destination.ts";
import { setAwsEnvironment } from "../../servers/aws-emulator.ts";
import {
  ARNS,
  accepted,
  openDestination,
  refused,
  type Service,
  startCannedAws,
} from "../../servers/canned-aws.ts";

const NO_ABORT = new AbortController().signal;
const SERVICES: readonly Service[] = ["sqs", "sns", "s3"];
const SECRET = "what the record holds";

const UNAVAILABLE = "ERR_MILLRACE_DESTINATION_UNAVAILABLE";
const REJECTED = "ERR_MILLRACE_DESTINATION_REJECTED";

/** What a service answers, and what an operator reads after "A failure record was not accepted by ARN: ". */
const ANSWERS: readonly (readonly [Service, status: number, code: string, error: string, text: string])[] = [
  [
    "sqs",
    403,
    "AccessDeniedException",
    UNAVAILABLE,
    "sqs:SendMessage failed (AccessDeniedException, HTTP 403, request request-1). Allow sqs:SendMessage on arn:aws:sqs:eu-west-1:123456789012:failed to this process's AWS credentials, also in the resource's own policy when its account is another. Delivery is tried again.",
  ],
  [
    "sqs",
    400,
    "QueueDoesNotExist",
    UNAVAILABLE,
    "sqs:SendMessage failed (QueueDoesNotExist, HTTP 400, request request-1). Create it, or name one that exists as the failure destination. Look at name, account and region, and at AWS_ENDPOINT_URL_SQS and AWS_ENDPOINT_URL if they are set. Delivery is tried again.",
  ],
  [
    "sqs",
    400,
    "KmsAccessDenied",
    UNAVAILABLE,
    "sqs:SendMessage failed (KmsAccessDenied, HTTP 400, request request-1). Look at the KMS key of arn:aws:sqs:eu-west-1:123456789012:failed: whether it is enabled, and whether these credentials may kms:Decrypt and kms:GenerateDataKey with it. Delivery is tried again.",
  ],
  [
    "sqs",
    400,
    "ThrottlingException",
    UNAVAILABLE,
    "sqs:SendMessage failed (ThrottlingException, HTTP 400, request request-1). It goes on by itself; if it lasts, look for others that call the same, and at the account's quotas.",
  ],
  [
    "sqs",
    403,
    "ExpiredTokenException",
    UNAVAILABLE,
    "sqs:SendMessage failed (ExpiredTokenException, HTTP 403, request request-1). The credentials of this process have expired. They are read anew before each try: renew them where they come from. Delivery is tried again.",
  ],
  [
    "sqs",
    500,
    "InternalFailure",
    UNAVAILABLE,
    "sqs:SendMessage failed (InternalFailure, HTTP 500, request request-1). It is tried again; if this goes on, look the error up in the service's reference.",
  ],
  [
    "sqs",
    400,
    "InvalidMessageContents",
    REJECTED,
    "sqs:SendMessage failed (InvalidMessageContents, HTTP 400, request request-1), which another try would not change. Check the destination's limits; an S3 bucket takes the most.",
  ],
  [
    "sns",
    403,
    "AuthorizationError",
    UNAVAILABLE,
    "sns:Publish failed (AuthorizationErrorException, HTTP 403, request request-1). Allow sns:Publish on arn:aws:sns:eu-west-1:123456789012:failed to this process's AWS credentials, also in the resource's own policy when its account is another. Delivery is tried again.",
  ],
  [
    "sns",
    404,
    "NotFound",
    UNAVAILABLE,
    "sns:Publish failed (NotFoundException, HTTP 404, request request-1). Create it, or name one that exists as the failure destination. Look at name, account and region, and at AWS_ENDPOINT_URL_SNS and AWS_ENDPOINT_URL if they are set. Delivery is tried again.",
  ],
  [
    "sns",
    400,
    "InvalidParameter",
    UNAVAILABLE,
    "sns:Publish failed (InvalidParameterException, HTTP 400, request request-1). If AWS_ENDPOINT_URL_SNS and AWS_ENDPOINT_URL are set, look at what answers there; else look the error up in the service's reference. Delivery is tried again.",
  ],
  [
    "s3",
    403,
    "AccessDenied",
    UNAVAILABLE,
    "s3:PutObject failed (AccessDenied, HTTP 403, request request-1). Allow s3:PutObject on arn:aws:s3:::failed/* to this process's AWS credentials, also in the resource's own policy when its account is another. Delivery is tried again.",
  ],
  [
    "s3",
    404,
    "NoSuchBucket",
    UNAVAILABLE,
    "s3:PutObject failed (NoSuchBucket, HTTP 404, request request-1). Create it, or name one that exists as the failure destination. Look at name, account and region, and at AWS_ENDPOINT_URL_S3 and AWS_ENDPOINT_URL if they are set. Delivery is tried again.",
  ],
  [
    "s3",
    503,
    "SlowDown",
    UNAVAILABLE,
    "s3:PutObject failed (SlowDown, HTTP 503, request request-1). It goes on by itself; if it lasts, look for others that call the same, and at the account's quotas.",
  ],
  [
    "s3",
    403,
    "RequestTimeTooSkewed",
    UNAVAILABLE,
    "s3:PutObject failed (RequestTimeTooSkewed, HTTP 403, request request-1). The time of this host's clock was refused. Set the clock of this host by NTP. Delivery is tried again.",
  ],
  [
    "s3",
    400,
    "AuthorizationHeaderMalformed",
    UNAVAILABLE,
    "s3:PutObject failed (AuthorizationHeaderMalformed, HTTP 400, request request-1). Set AWS_REGION to the region of the bucket. Delivery is tried again.",
  ],
  [
    "s3",
    400,
    "EntityTooLarge",
    REJECTED,
    "s3:PutObject failed (EntityTooLarge, HTTP 400, request request-1), which another try would not change. Check the destination's limits; an S3 bucket takes the most.",
  ],
];

/** A request that was refused unseen, for its time, is sent once more with the time that the refusal told. */
function triesOf(code: string): number {
  return code === "RequestTimeTooSkewed" ? 2 : 1;
}

for (const [service, status, code, error, text] of ANSWERS) {
  test(`${service}: says what to do about ${code}, and leaves tries to the engine`, async (t) => {
    const { requests } = await startCannedAws(t, (request) =>
      request.action === "GetQueueUrl" ? accepted(request) : refused(service, status, code, SECRET),
    );
    const failure = await failureOf(
      openDestination(t, service).deliver(failureEnvelope(sampleFailure("a")), NO_ABORT),
    );
    assert.equal(failure.code, error);
    assert.equal(failure.message, `A failure record was not accepted by ${ARNS[service]}: ${text}`);
    assert.equal(requests.filter(({ action }) => action !== "GetQueueUrl").length, triesOf(code));
  });
}

test("a message that is too long for its queue or topic is rejected, as the service says it", async (t) => {
  for (const [service, code] of [
    ["sqs", "InvalidParameterValue"],
    ["sns", "InvalidParameter"],
  ] as const) {
    await startCannedAws(t, (request) =>
      request.action === "GetQueueUrl"
        ? accepted(request)
        : refused(service, 400, code, "Invalid: Message too long. It must be shorter than 1024 bytes."),
    );
    const failure = await failureOf(
      openDestination(t, service).deliver(failureEnvelope(sampleFailure("a")), NO_ABORT),
    );
    assert.equal(failure.code, REJECTED);
  }
});

test("a message that no queue or topic takes is rejected without a call", async (t) => {
  const { requests } = await startCannedAws(t, accepted);
  const record = { ...sampleFailure("a"), functionArn: "x".repeat(1024 * 1024) };
  for (const service of ["sqs", "sns"] as const) {
    const failure = await failureOf(openDestination(t, service).deliver(failureEnvelope(record), NO_ABORT));
    assert.equal(failure.code, REJECTED);
    assert.match(failure.message, /^A failure record of 1049\d{3} bytes is too large for arn:aws:s[qn]s:/);
    assert.match(failure.message, /takes at most 1048576\. Name an S3 bucket/);
  }
  assert.deepEqual(requests, []);
});

test("a service that answers what is not its protocol is unavailable", async (t) => {
  await startCannedAws(t, () => ({ status: 502, body: "<html>Bad Gateway" }));
  for (const service of SERVICES) {
    const failure = await failureOf(
      openDestination(t, service).deliver(failureEnvelope(sampleFailure("a")), NO_ABORT),
    );
    assert.equal(failure.code, UNAVAILABLE, failure.message);
  }
});

test("a service that cannot be reached is unavailable, and the message names the fault of the network", async (t) => {
  const { endpoint } = await startCannedAws(t, accepted);
  setAwsEnvironment(endpoint.replace(/\d+$/, "1"));
  for (const service of SERVICES) {
    const failure = await failureOf(
      openDestination(t, service).deliver(failureEnvelope(sampleFailure("a")), NO_ABORT),
    );
    assert.equal(failure.code, UNAVAILABLE);
    assert.match(failure.message, /failed \(ECONNREFUSED\)\. Nothing answers at the endpoint/);
  }
});

test("a process without credentials says so", async (t) => {
  await startCannedAws(t, accepted);
  delete process.env["AWS_ACCESS_KEY_ID"];
  process.env["AWS_EC2_METADATA_DISABLED"] = "true";
  for (const service of SERVICES) {
    const failure = await failureOf(
      openDestination(t, service).deliver(failureEnvelope(sampleFailure("a")), NO_ABORT),
    );
    assert.equal(failure.code, UNAVAILABLE);
    assert.match(failure.message, /failed \(CredentialsProviderError\)\. There are no AWS credentials/);
  }
});

test("a service that does not answer is unavailable after the time-out", async (t) => {
  await startCannedAws(t, () => undefined);
  for (const service of SERVICES) {
    const failure = await failureOf(
      openDestination(t, service, 50).deliver(failureEnvelope(sampleFailure("a")), NO_ABORT),
    );
    assert.equal(failure.code, UNAVAILABLE);
    assert.match(failure.message, /failed \(TimeoutError\)\. It is tried again/);
  }
});

test("an abort ends a delivery that waits for its answer", async (t) => {
  for (const service of SERVICES) {
    const abort = new AbortController();
    await startCannedAws(t, (request) => {
      if (request.action === "GetQueueUrl") return accepted(request);
      abort.abort();
      return undefined;
    });
    const failure = await failureOf(
      openDestination(t, service).deliver(failureEnvelope(sampleFailure("a")), abort.signal),
    );
    assert.equal(failure.code, "ERR_MILLRACE_ABORTED");
  }
});

test("closing ends the deliveries and the look-up that wait for their answers", async (t) => {
  for (const service of SERVICES) {
    const { promise: asked, resolve } = Promise.withResolvers<void>();
    await startCannedAws(t, () => void resolve());
    const destination = openDestination(t, service);
    const failure = failureOf(destination.deliver(failureEnvelope(sampleFailure("a")), NO_ABORT));
    await asked;
    await destination.close();
    const { code, message } = await failure;
    assert.notEqual(code, REJECTED);
    assert.doesNotMatch(message, /did not answer within/);
  }
});

test("a closed destination takes nothing", async (t) => {
  const { requests } = await startCannedAws(t, accepted);
  for (const service of SERVICES) {
    const destination = openDestination(t, service);
    await destination.close();
    const failure = await failureOf(destination.deliver(failureEnvelope(sampleFailure("a")), NO_ABORT));
    assert.equal(failure.code, UNAVAILABLE);
    assert.match(failure.message, /the destination is closed/);
  }
  assert.deepEqual(requests, []);
});

async function failureOf(delivery: Promise<unknown>): Promise<MillraceError> {
  const failure: unknown = await delivery.then(
    () => assert.fail("the delivery was accepted"),
    (error: unknown) => error,
  );
  assert.ok(failure instanceof MillraceError, String(failure));
  assert.ok(!failure.message.includes(SECRET));
  return failure;
}

for (const [service, body] of [
  ["sqs", "{}"],
  ["sns", "<html><body>Log in first.</body></html>"],
  ["s3", "<html><body>Log in first.</body></html>"],
] as const) {
  test(`${service}: an answer of 200 that is not the service's delivers nothing, and is told`, async (t) => {
    const answer = { status: 200, body };
    await startCannedAws(t, (request) => (request.action === "GetQueueUrl" ? accepted(request) : answer));
    const destination = openDestination(t, service);
    const failure = await failureOf(destination.deliver(failureEnvelope(sampleFailure("a")), NO_ABORT));
    assert.equal(failure.code, UNAVAILABLE);
  });
}
