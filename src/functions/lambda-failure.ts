import type { InvocationOutcome } from "../model/outcome.ts";
import { functionError } from "./function-failure.ts";
import { parseRetryAfter } from "./http-response.ts";

/** What an Invoke call that the service did not answer with a result comes to (invocation §8). */
export function outcomeOfInvokeError(error: unknown, functionName: string, nowMs: number): InvocationOutcome {
  const name = shown(textOf(error, "name") ?? "an unknown error");
  const code = shown(textOf(error, "code") ?? "");
  const status = memberOf(memberOf(error, "$metadata"), "httpStatusCode");
  if (typeof status !== "number") return networkOutcome(functionName, code === "" ? name : code);
  switch (status) {
    case 413:
      return { kind: "payloadTooLarge" };
    case 429:
      return {
        kind: "throttled",
        retryAfterMs: parseRetryAfter(textOf(error, "retryAfterSeconds"), nowMs),
      };
    case 504:
      return { kind: "timedOut" };
    default:
      return RAN_OR_UNREADABLE.has(name)
        ? functionError(`Lambda.${name}`, `Lambda refused the invocation of ${functionName}: ${name}.`)
        : { kind: "unavailable", message: `${unavailableText(functionName, name, status)}` };
  }
}

const UNKNOWN_STATUSES: readonly unknown[] = [404, 405, 501];

/** The service knows the function, and not the operation: it has run nothing. */
export function isUnknownOperation(error: unknown): boolean {
  const status = memberOf(memberOf(error, "$metadata"), "httpStatusCode");
  return UNKNOWN_STATUSES.includes(status) && textOf(error, "name") !== "ResourceNotFoundException";
}

/** The same event would be refused again: it counts as the function's failure, so that policy can end it. */
const RAN_OR_UNREADABLE = new Set([
  "InvalidRequestContentException",
  "UnsupportedMediaTypeException",
  "RecursiveInvocationException",
]);

/** Failures before the request was on its way: the function did not run. */
const NOT_SENT = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "CredentialsProviderError",
  // The HTTP handler's word for a connection that could not be made in time.
  "TimeoutError",
]);

function networkOutcome(functionName: string, code: string): InvocationOutcome {
  if (NOT_SENT.has(code) || code.startsWith("CERT_") || code.startsWith("ERR_TLS") || code.includes("CERT")) {
    const remedy =
      code === "CredentialsProviderError"
        ? "Give this process AWS credentials"
        : "Check the network and the endpoint";
    return {
      kind: "unavailable",
      message: `Lambda could not be called for ${functionName}: ${code}. ${remedy}.`,
    };
  }
  // Whether the function ran is not known, so it is taken as run: a record too often is better than an attempt
  // uncounted.
  return functionError(
    "Function.ConnectionLost",
    `The connection to Lambda ended before the answer of ${functionName} came: ${code}.`,
  );
}

function unavailableText(functionName: string, name: string, status: number): string {
  return `Lambda did not run ${functionName}: ${name} (HTTP ${status}). ${remedyOf(name)}.`;
}

function remedyOf(name: string): string {
  if (/NotFound/.test(name)) return "Create the function, or name one that exists";
  if (/AccessDenied|NotAuthorized/.test(name)) {
    return "Allow lambda:InvokeFunction on the function to this process's AWS credentials";
  }
  if (/Signature|Token|UnrecognizedClient|Credentials/.test(name))
    return "Check this process's AWS credentials";
  return "It is tried again";
}

/** Names come from the network: of them, what a code is made of. */
function shown(text: string): string {
  return text.replace(/[^\w.:-]/g, "").slice(0, 100);
}

function textOf(value: unknown, name: string): string | undefined {
  const text = memberOf(value, name);
  return typeof text === "string" && text !== "" ? text : undefined;
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
