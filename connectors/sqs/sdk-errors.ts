import { MillraceError } from "../../src/model/errors.ts";
import type { QueueArn } from "./queue-arn.ts";

const THROTTLES: ReadonlySet<string> = new Set([
  "KmsThrottled",
  "OverLimit",
  "RequestLimitExceeded",
  "RequestThrottled",
  "Throttling",
  "ThrottlingException",
  "TooManyRequestsException",
]);
const CREDENTIALS: ReadonlySet<string> = new Set([
  "AuthFailure",
  "CredentialsProviderError",
  "ExpiredToken",
  "ExpiredTokenException",
  "IncompleteSignature",
  "InvalidAccessKeyId",
  "InvalidClientTokenId",
  "InvalidSecurity",
  "InvalidSignatureException",
  "MissingAuthenticationTokenException",
  "SignatureDoesNotMatch",
  "TokenProviderError",
  "UnrecognizedClientException",
]);
const DENIALS: ReadonlySet<string> = new Set(["AccessDenied", "AccessDeniedException"]);
const MISSING: ReadonlySet<string> = new Set([
  "QueueDoesNotExist",
  "NonExistentQueue",
  "QueueDeletedRecently",
]);
const NOBODY_THERE: ReadonlySet<string> = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN"]);

/** AWS's text for a mapping of a queue that is not there (queues §1.2): people search for it. */
const MISSING_TEXT =
  "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. " +
  "SQS Error Message: The specified queue does not exist.";

/** The SDK's error in the words of the port. Texts of the service are not shown: they may quote what was sent. */
export function sourceError(error: unknown, action: string, { arn, region }: QueueArn): MillraceError {
  const code = codeOf(error);
  const call = `sqs:${action} on ${arn}`;
  const reason = describe(error, code);
  const options = { cause: error };
  if (MISSING.has(code)) {
    const hint = `Check ${arn}: name, account and region (${region}); and AWS_ENDPOINT_URL_SQS and AWS_ENDPOINT_URL if they are set.`;
    return new MillraceError("ERR_MILLRACE_SOURCE_NOT_FOUND", `${MISSING_TEXT} ${hint}`, options);
  }
  if (THROTTLES.has(code) || statusOf(error) === 429) {
    const text = `SQS asked for fewer calls of ${call} (${reason}). It goes on by itself.`;
    return new MillraceError("ERR_MILLRACE_SOURCE_THROTTLED", text, options);
  }
  return new MillraceError(
    "ERR_MILLRACE_SOURCE_UNAVAILABLE",
    `${call} failed (${reason}). ${remedyOf(code, action, arn)}`,
    options,
  );
}

function remedyOf(code: string, action: string, arn: string): string {
  if (DENIALS.has(code)) {
    return (
      `Allow sqs:${action} on ${arn} to this process's credentials, also in the queue's own policy when its account is ` +
      "another."
    );
  }
  if (CREDENTIALS.has(code)) {
    return "Give this process credentials by the AWS SDK's rules: environment variables, a profile, or the role of its host.";
  }
  if (code.startsWith("Kms")) {
    return "Look at the key of the queue, and whether these credentials may kms:Decrypt with it.";
  }
  if (NOBODY_THERE.has(code)) {
    return "Nothing answers at the endpoint: look at the network, and at AWS_ENDPOINT_URL_SQS if it is set.";
  }
  return "It is tried again; if this goes on, look the error up in the service's reference.";
}

/**
 * What is wrong, by the service's code (`AWS.SimpleQueueService.` before it cut off, in the protocol of queries the code
 * is `…NonExistentQueue`, in that of JSON `QueueDoesNotExist`), or by the network's (`ECONNREFUSED`).
 */
function codeOf(error: unknown): string {
  const name = memberOf(error, "name");
  const code = memberOf(error, "code");
  const isNamed = typeof name === "string" && name !== "" && name !== "Error" && name !== "TypeError";
  return plainCode(isNamed ? name : typeof code === "string" ? code : "Error");
}

/** Of what came from the network: what a code is made of. */
export function plainCode(code: string): string {
  return code
    .replace(/^.*[.#]/, "")
    .replace(/[^\w-]/g, "")
    .slice(0, 100);
}

function describe(error: unknown, code: string): string {
  const status = statusOf(error);
  const requestId = memberOf(memberOf(error, "$metadata"), "requestId");
  const details = [
    code,
    ...(status === undefined ? [] : [`HTTP ${status}`]),
    ...(typeof requestId === "string" ? [`request ${requestId.replace(/[^\w-]/g, "").slice(0, 80)}`] : []),
  ];
  return details.join(", ");
}

function statusOf(error: unknown): number | undefined {
  const status = memberOf(memberOf(error, "$metadata"), "httpStatusCode");
  return typeof status === "number" ? status : undefined;
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
