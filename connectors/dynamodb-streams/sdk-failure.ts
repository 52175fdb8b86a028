import { MillraceError } from "../../src/model/errors.ts";

/** A call that failed, for the error's text. */
export interface FailedCall {
  /** `DescribeStream`, `GetShardIterator` or `GetRecords`. */
  readonly action: string;
  readonly streamArn: string;
  /** `undefined`: the call was about the stream as a whole. */
  readonly shardId: string | undefined;
}

const ENDPOINT_VARIABLE = "AWS_ENDPOINT_URL_DYNAMODB_STREAMS";
const THROTTLES: ReadonlySet<string> = new Set([
  "LimitExceededException",
  "ProvisionedThroughputExceededException",
  "RequestLimitExceeded",
  "ThrottlingException",
  "ThrottledException",
  "TooManyRequestsException",
]);
const NO_CREDENTIALS: ReadonlySet<string> = new Set(["CredentialsProviderError", "TokenProviderError"]);
const REFUSED_CREDENTIALS: ReadonlySet<string> = new Set([
  "ExpiredToken",
  "ExpiredTokenException",
  "IncompleteSignatureException",
  "InvalidClientTokenId",
  "InvalidSignatureException",
  "MissingAuthenticationTokenException",
  "SignatureDoesNotMatch",
  "UnrecognizedClientException",
]);
const NOBODY_THERE: ReadonlySet<string> = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN"]);
const DENIALS: ReadonlySet<string> = new Set(["AccessDenied", "AccessDeniedException"]);

/** The SDK's error in the words of the port. It keeps name, status and request id: messages may quote what is secret. */
export function sourceError(error: unknown, call: FailedCall): MillraceError {
  const { name, status, requestId } = reduceSdkError(error);
  const reason = `${name}${status === undefined ? "" : `, HTTP ${status}`}${requestId === undefined ? "" : `, request ${requestId}`}`;
  if (name === "ResourceNotFoundException") return notFound(call);
  if (THROTTLES.has(name) || status === 429) {
    return new MillraceError(
      "ERR_MILLRACE_SOURCE_THROTTLED",
      `DynamoDB asked for fewer calls of ${call.action} on ${placeOf(call)} (${reason}). It goes on by itself; if it lasts, ` +
        "look for more than two readers of the stream.",
    );
  }
  return new MillraceError("ERR_MILLRACE_SOURCE_UNAVAILABLE", unavailableText(name, reason, call));
}

function unavailableText(name: string, reason: string, call: FailedCall): string {
  if (NO_CREDENTIALS.has(name)) {
    return (
      `There are no AWS credentials to read ${call.streamArn} with (${reason}). Set AWS_ACCESS_KEY_ID and ` +
      "AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give this host or pod a role."
    );
  }
  if (REFUSED_CREDENTIALS.has(name)) {
    return (
      `AWS did not accept the credentials for ${call.action} on ${call.streamArn} (${reason}). Renew them, and check ` +
      "the clock of this host and the region of the ARN."
    );
  }
  if (DENIALS.has(name)) {
    return (
      `The credentials may not call dynamodb:${call.action} on ${call.streamArn} (${reason}). Allow dynamodb:DescribeStream, ` +
      "dynamodb:GetShardIterator and dynamodb:GetRecords on that ARN."
    );
  }
  const hint = NOBODY_THERE.has(name)
    ? ` Nothing answers at the endpoint: look at the network, and at ${ENDPOINT_VARIABLE} if it is set.`
    : "";
  return `${call.action} on ${placeOf(call)} failed (${reason}). It is tried again.${hint}`;
}

function notFound({ streamArn, shardId }: FailedCall): MillraceError {
  const text =
    shardId === undefined
      ? `Stream not found: ${streamArn}. Check the ARN's region, account and label (a table gets a new stream ARN each time ` +
        `its stream is enabled), and ${ENDPOINT_VARIABLE} if it is set.${localHint(streamArn)}`
      : `The stream ${streamArn} has no shard ${shardId}: it never had, or retention has ended all its records.`;
  return new MillraceError("ERR_MILLRACE_SOURCE_NOT_FOUND", text);
}

/** DynamoDB Local keeps a database for each region, and its ARNs name a region that nobody creates tables in. */
function localHint(streamArn: string): string {
  return streamArn.includes(":ddblocal:") ? " Start DynamoDB Local with -sharedDb." : "";
}

function placeOf({ streamArn, shardId }: FailedCall): string {
  return shardId === undefined ? streamArn : `${streamArn}, shard ${shardId}`;
}

export function nameOfError(error: unknown): string {
  return reduceSdkError(error).name;
}

function reduceSdkError(error: unknown): {
  name: string;
  status: number | undefined;
  requestId: string | undefined;
} {
  if (typeof error !== "object" || error === null)
    return { name: "Error", status: undefined, requestId: undefined };
  const { name, code, $metadata } = error as {
    readonly name?: unknown;
    readonly code?: unknown;
    readonly $metadata?: { readonly httpStatusCode?: unknown; readonly requestId?: unknown };
  };
  const status = $metadata?.httpStatusCode;
  const requestId = $metadata?.requestId;
  // A socket's error is called `Error` and says what it is by its code.
  const isNamed = typeof name === "string" && name !== "Error" && name !== "";
  return {
    name: isNamed ? name : typeof code === "string" ? code : "Error",
    status: typeof status === "number" ? status : undefined,
    requestId: typeof requestId === "string" ? requestId : undefined,
  };
}
