import type { Fault } from "../model/errors.ts";

/**
 * What is known of a call that failed. Texts of the service are neither judged nor shown: they may quote what was sent.
 */
export interface AwsFault {
  readonly fault: Fault;
  /** The service's code (`AccessDenied`), or the network's (`ECONNREFUSED`). */
  readonly code: string;
  readonly status: number | undefined;
  /** `AccessDenied, HTTP 403, request 7f3a…` */
  readonly reason: string;
  /** How far this host's clock is behind the service's, when it was found to be off; < 0: ahead of it. */
  readonly behindMs: number | undefined;
}

/** Services have several names for one thing: those of all of them, in all their protocols. */
const CODES: Readonly<Partial<Record<Fault, readonly string[]>>> = {
  throttled: [
    "BandwidthLimitExceeded",
    "KMSThrottlingException",
    "KmsThrottled",
    "LimitExceededException",
    "OverLimit",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceeded",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "SubscriptionLimitExceeded",
    "Throttled",
    "ThrottledException",
    "Throttling",
    "ThrottlingError",
    "ThrottlingException",
    "TooManyRequestsException",
  ],
  clock: ["RequestExpired", "RequestInTheFuture", "RequestTimeTooSkewed"],
  credentialsExpired: ["ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"],
  credentials: [
    "AuthFailure",
    "CredentialsProviderError",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSecurity",
    "InvalidSignatureException",
    "InvalidToken",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "SignatureDoesNotMatch",
    "TokenProviderError",
    "UnrecognizedClientException",
  ],
  denied: [
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "AuthorizationErrorException",
    "Forbidden",
    "NotAuthorized",
    "NotAuthorizedException",
    "UnauthorizedOperation",
  ],
  notFound: [
    "NoSuchBucket",
    "NonExistentQueue",
    "NotFound",
    "NotFoundException",
    "QueueDeletedRecently",
    "QueueDoesNotExist",
    "ResourceNotFoundException",
    "TableNotFoundException",
  ],
  passing: [
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceUnavailable",
    "TimeoutError",
    "TransactionConflictException",
    "TransactionInProgressException",
  ],
};

const FAULT_OF_CODE: ReadonlyMap<string, Fault> = new Map(
  (Object.entries(CODES) as [Fault, readonly string[]][]).flatMap(([fault, codes]) =>
    codes.map((code) => [code, fault] as const),
  ),
);

/** Refusals that AWS gives for a signature of another time too. */
const SIGNATURE_REFUSALS: ReadonlySet<string> = new Set([
  "AccessDenied",
  "AuthFailure",
  "InvalidSignatureException",
  "SignatureDoesNotMatch",
]);

/** AWS takes signatures of five minutes before and after, S3 of fifteen. */
const SKEW_MS_MAX = 4 * 60_000;

/** How far the service's clock was ahead of the time that its request was signed for, by the error that it answered. */
const skews = new WeakMap<object, { readonly signedForMs: number; readonly hostMs: number }>();

/** `signedForMs`: ahead of the request's time; `hostMs`: ahead of this host's clock. */
export function rememberSkew(error: unknown, signedForMs: number, hostMs: number): void {
  if (typeof error === "object" && error !== null) skews.set(error, { signedForMs, hostMs });
}

/** The one classification, of every error that a call of an AWS client can reject with. */
export function awsFaultOf(error: unknown): AwsFault {
  const code = codeOf(error);
  const metadata = memberOf(error, "$metadata");
  const statusCode = memberOf(metadata, "httpStatusCode");
  const status = typeof statusCode === "number" ? statusCode : undefined;
  const requestId = memberOf(metadata, "requestId");
  const reason = [
    code,
    ...(status === undefined ? [] : [`HTTP ${status}`]),
    ...(typeof requestId === "string" && requestId !== "" ? [`request ${plain(requestId)}`] : []),
  ].join(", ");
  const skew = typeof error === "object" && error !== null ? skews.get(error) : undefined;
  const isSkewed = skew !== undefined && Math.abs(skew.signedForMs) >= SKEW_MS_MAX;
  const isClock = isSkewed && SIGNATURE_REFUSALS.has(code);
  const fault = isClock ? "clock" : faultOfCode(code, status, error);
  const isHostOff = skew !== undefined && Math.abs(skew.hostMs) >= SKEW_MS_MAX;
  return { fault, code, status, reason, behindMs: isHostOff ? skew.hostMs : undefined };
}

function faultOfCode(code: string, status: number | undefined, error: unknown): Fault {
  const named = FAULT_OF_CODE.get(code);
  if (named !== undefined) return named;
  // A key that may not be used, is disabled or is gone: each of them waits for its owner.
  if (/^kms/i.test(code)) return "denied";
  if (status !== undefined) return faultOfStatus(status);
  return isDefect(error) ? "defect" : "passing";
}

function faultOfStatus(status: number): Fault {
  if (status === 429) return "throttled";
  if (status === 401 || status === 403) return "denied";
  return status >= 300 && status < 500 && status !== 408 && status !== 425 ? "refused" : "passing";
}

/** An error of the language that came from no answer: what the network does has a code. */
function isDefect(error: unknown): boolean {
  const isOfLanguage =
    error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;
  return isOfLanguage && !("code" in error) && !("$response" in error);
}

/**
 * What is wrong, by the service's code (`AWS.SimpleQueueService.` before it cut off, in the protocol of queries the
 * code is `…NonExistentQueue`, in that of JSON `QueueDoesNotExist`), or by the network's: a socket's error is called
 * `Error`.
 */
function codeOf(error: unknown): string {
  const name = memberOf(error, "name");
  const code = memberOf(error, "code");
  const isNamed = typeof name === "string" && !NAMELESS.has(name);
  if (isNamed) return plainCode(name);
  return typeof code === "string" && code !== "" ? plainCode(code) : "Error";
}

const NAMELESS: ReadonlySet<string> = new Set(["", "Error", "TypeError"]);

/** Keeps what a code is made of; the rest came from the network. */
export function plainCode(code: string): string {
  return plain(code.replace(/^.*[.#]/, ""));
}

function plain(text: string): string {
  return text.replace(/[^\w-]/g, "").slice(0, 100);
}

export function memberOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
