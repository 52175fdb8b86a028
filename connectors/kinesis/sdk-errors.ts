import type { MillraceError } from "../../src/model/errors.ts";
import { abortedError, type FaultKind, KinesisFault } from "./kinesis-api.ts";
import type { StreamArn } from "./stream-arn.ts";

const KINDS: Readonly<Record<string, FaultKind>> = {
  ResourceNotFoundException: "notFound",
  ExpiredIteratorException: "expiredIterator",
  InvalidArgumentException: "invalidArgument",
  ResourceInUseException: "resourceInUse",
  ProvisionedThroughputExceededException: "throttled",
  LimitExceededException: "throttled",
  KMSThrottlingException: "throttled",
  ThrottlingException: "throttled",
  Throttling: "throttled",
  RequestLimitExceeded: "throttled",
  TooManyRequestsException: "throttled",
};

const CREDENTIALS_ERRORS = new Set([
  "CredentialsProviderError",
  "UnrecognizedClientException",
  "InvalidClientTokenId",
  "InvalidSignatureException",
  "SignatureDoesNotMatch",
  "ExpiredTokenException",
  "ExpiredToken",
  "IncompleteSignatureException",
  "MissingAuthenticationTokenException",
  "TokenProviderError",
]);

const TEXT_CHARS_MAX = 300;

/** What went wrong, with which call on which stream, and what to do; never a secret, never a record. */
export function toFault(
  error: unknown,
  action: string,
  { arn, region, name }: StreamArn,
  signal: AbortSignal,
): MillraceError {
  if (signal.aborted) return abortedError();
  const code = error instanceof Error ? error.name : "";
  const text = sentence(error instanceof Error ? error.message : String(error));
  const call = `kinesis:${action} on ${arn}`;
  const options = { cause: error };
  const kind = KINDS[code] ?? "unavailable";
  if (kind === "notFound") {
    const message =
      `${call} found nothing there: ${text} Look at the stream's name, account and region (${region}), and at ` +
      "AWS_ENDPOINT_URL_KINESIS and AWS_ENDPOINT_URL if they are set.";
    return new KinesisFault(kind, message, options);
  }
  if (kind !== "unavailable") return new KinesisFault(kind, `${call} was refused: ${code}: ${text}`, options);
  if (code === "AccessDeniedException") {
    const message = `${call} was denied: ${text} Give the credentials of this process the permission kinesis:${action}.`;
    return new KinesisFault(kind, message, options);
  }
  if (CREDENTIALS_ERRORS.has(code)) {
    const message =
      `${call} could not be signed, or its signature was refused: ${code}: ${text} Give this process credentials by ` +
      "the AWS SDK's rules: environment variables, a profile, or the role of its host.";
    return new KinesisFault(kind, message, options);
  }
  if (code.startsWith("KMS")) {
    const message =
      `${call} could not be decrypted: ${code}: ${text} Look at the key of the stream ${name} and whether these ` +
      "credentials may kms:Decrypt with it.";
    return new KinesisFault(kind, message, options);
  }
  return new KinesisFault(kind, `${call} failed: ${code || "error"}: ${networkText(error, text)}`, options);
}

/** The first line: behind it the SDK gives hints for its own users. */
function sentence(text: string): string {
  const line = (text.split("\n", 1)[0] ?? "").slice(0, TEXT_CHARS_MAX).trim();
  return line === "" || /[.!?]$/.test(line) ? line : `${line}.`;
}

function networkText(error: unknown, text: string): string {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  if (code !== "ECONNREFUSED" && code !== "ENOTFOUND" && code !== "EAI_AGAIN") return text;
  return `${text || `${code}.`} Nothing answers at its endpoint: look at the network, and at AWS_ENDPOINT_URL_KINESIS if it is set.`;
}
