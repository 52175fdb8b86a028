import type { InvocationOutcome } from "../model/outcome.ts";
import { functionError, parseErrorBody } from "./function-failure.ts";
import { outcomeOfReport } from "./runtime/environment-outcome.ts";

/** The HTTP function contract's table of answers (http-function.md §2), as pure functions of what came back. */

/** A function that asks for more patience than this is asked again sooner: it must not be able to park a shard. */
export const RETRY_AFTER_MS_MAX = 5 * 60 * 1000;

/** `Retry-After` is a number or a date; what is longer is neither. */
const RETRY_AFTER_CHARS_MAX = 64;
const SHOWN_BODY_BYTES = 2048;
const RETRY_AFTER = "retry-after";
const FUNCTION_ERROR = "x-amz-function-error";
/** As in the Runtime API (invocation §3.3), of an answer as of a request for one. */
export const RESPONSE_MODE = "lambda-runtime-function-response-mode";
const ERROR_TYPE = "lambda-runtime-function-error-type";
const ERROR_BODY = "lambda-runtime-function-error-body";

export interface ResponseHead {
  readonly status: number;
  /** Value of `X-Amz-Function-Error`: the function ran and failed, whatever the status. */
  readonly functionError: string | undefined;
  readonly retryAfter: string | undefined;
  /** The function ran, and writes its response: what fails it later stands behind its end. */
  readonly isStreamed: boolean;
  readonly contentType: string | undefined;
}

/** `headers`: by their names in lower case. */
export function readResponseHead(status: number, headers: ReadonlyMap<string, string>): ResponseHead {
  const functionError = headers.get(FUNCTION_ERROR);
  const isSuccess = status >= 200 && status < 300 && functionError === undefined;
  return {
    status,
    functionError,
    isStreamed: isSuccess && headers.get(RESPONSE_MODE) === "streaming",
    contentType: headers.get("content-type"),
    retryAfter: status === 429 ? headers.get(RETRY_AFTER) : undefined,
  };
}

/** Outcomes that need no body: they hold even when the connection breaks behind the head. */
export function outcomeOfHead(head: ResponseHead, nowMs: number): InvocationOutcome | undefined {
  if (head.functionError !== undefined) return undefined;
  switch (head.status) {
    case 413:
      return { kind: "payloadTooLarge" };
    case 429:
      return { kind: "throttled", retryAfterMs: parseRetryAfter(head.retryAfter, nowMs) };
    case 502:
    case 503:
      return { kind: "unavailable", message: `The function's server answered with status ${head.status}.` };
    case 504:
      return { kind: "timedOut" };
    default:
      return undefined;
  }
}

/** `trailers`: what stands behind the body, which tells of a stream alone that it failed. */
export function outcomeOfResponse(
  head: ResponseHead,
  body: Uint8Array,
  nowMs: number,
  trailers: ReadonlyMap<string, string>,
): InvocationOutcome {
  const errorType = head.isStreamed ? trailers.get(ERROR_TYPE) : undefined;
  if (errorType !== undefined) {
    const report = { errorType, body: Buffer.from(trailers.get(ERROR_BODY) ?? "", "base64") };
    return outcomeOfReport(report, "");
  }
  if (head.functionError === undefined && head.status >= 200 && head.status < 300) {
    return { kind: "succeeded", payload: body };
  }
  const decided = outcomeOfHead(head, nowMs);
  if (decided !== undefined) return decided;
  const said = parseErrorBody(body);
  const fallbackType = head.functionError === undefined ? "Function.HttpStatus" : head.functionError;
  const detail = said.detail ?? (said.errorMessage === undefined ? { stack: beginningOf(body) } : undefined);
  return functionError(
    said.errorType ?? fallbackType,
    said.errorMessage ?? describeStatus(head.status),
    detail,
  );
}

/** What a server says that knows nothing of Lambda's errors. */
function beginningOf(body: Uint8Array): string {
  return Buffer.from(body.buffer, body.byteOffset, Math.min(body.byteLength, SHOWN_BODY_BYTES)).toString();
}

function describeStatus(status: number): string {
  const answer = `The function answered with status ${status}`;
  if (status >= 300 && status < 400) return `${answer}; redirects are not followed. Give the final URL.`;
  return `${answer} and no error message.`;
}

/** Delay in milliseconds, 0…`RETRY_AFTER_MS_MAX`; `undefined` for a header that is missing or unreadable. */
export function parseRetryAfter(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined || header.length > RETRY_AFTER_CHARS_MAX) return undefined;
  const text = header.trim();
  const delayMs = isDigits(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  if (Number.isNaN(delayMs)) return undefined;
  return Math.min(Math.max(delayMs, 0), RETRY_AFTER_MS_MAX);
}

function isDigits(text: string): boolean {
  return /^[0-9]+$/.test(text);
}
