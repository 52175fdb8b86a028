import { elementTexts, memberText } from "../model/exact-json.ts";
import { type ErrorDetails, type RunDetail, reducedErrorType } from "../model/function-error.ts";
import { isJson } from "../model/json-check.ts";
import { RESPONSE_BYTES_MAX } from "../model/limits.ts";
import type { InvocationOutcome } from "../model/outcome.ts";
import { Redactor } from "../secrets/redactor.ts";

/** What functions say of their failures is untrusted and may be long; this much of it is kept. */
export const ERROR_TYPE_CHARS_MAX = 256;
export const ERROR_MESSAGE_CHARS_MAX = 2048;
/** More than the error book keeps: what it takes out makes a text shorter. */
export const STACK_CHARS_MAX = 16 * 1024;
const STACK_LINES_MAX = 200;

export function functionError(
  errorType: string,
  message: string,
  detail?: RunDetail,
): Extract<InvocationOutcome, { readonly kind: "functionError" }> {
  return {
    kind: "functionError",
    errorType: errorType.slice(0, ERROR_TYPE_CHARS_MAX),
    message: message.slice(0, ERROR_MESSAGE_CHARS_MAX),
    ...withDetail(detail),
  };
}

/** Nothing where there is nothing to tell. */
export function withDetail(detail: RunDetail | undefined): { readonly detail?: RunDetail } {
  if (detail === undefined) return {};
  const { stack = "", logTail = "", stackMember } = detail;
  return stack === "" && logTail === "" && stackMember === undefined ? {} : { detail };
}

/** Lambda's text for a response over the limit of a synchronous invocation (invocation §2). */
export const RESPONSE_TOO_LARGE = {
  errorType: "Function.ResponseSizeTooLarge",
  message: `Response payload size exceeded maximum allowed payload size (${RESPONSE_BYTES_MAX} bytes).`,
} as const;

export function responseTooLarge(): InvocationOutcome {
  return functionError(RESPONSE_TOO_LARGE.errorType, RESPONSE_TOO_LARGE.message);
}

/** As AWS's supervisor names a response that ends before its end. */
export function brokenOff(logTail = ""): InvocationOutcome {
  return functionError("Runtime.TruncatedResponse", "The response broke off before its end.", { logTail });
}

/** The caller gave up. Not a function error: what the engine itself stops costs no retry. */
export function abandoned(): InvocationOutcome {
  return { kind: "unavailable", message: "The invocation was stopped by its caller before it ended." };
}

/**
 * Lambda's error body, `{"errorType":"…","errorMessage":"…"}`, read defensively: a member that is missing or of another
 * type is `undefined`, and a body that is not such an object has neither.
 */
export function parseErrorBody(body: Uint8Array): ErrorBody {
  // Not parsed: a body of the largest size would take seconds and half a gigabyte as values.
  if (!isJson(body)) return {};
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString();
  const errorType = textMember(text, "errorType");
  const errorMessage = textMember(text, "errorMessage");
  const detail = stackDetail(text);
  return {
    ...(errorType !== undefined && errorType !== "" ? { errorType } : {}),
    ...(errorMessage !== undefined ? { errorMessage } : {}),
    ...(detail === undefined ? {} : { detail }),
  };
}

interface ErrorBody {
  readonly errorType?: string;
  readonly errorMessage?: string;
  readonly detail?: RunDetail;
}

/** The one of Lambda's Node runtime, and that of all others. */
const STACK_MEMBERS = ["stackTrace", "trace"] as const;

function stackDetail(text: string): RunDetail | undefined {
  for (const stackMember of STACK_MEMBERS) {
    const member = memberText(text, stackMember);
    if (member === undefined) continue;
    const stack = stackOf(member);
    // What was found wrong before any frame ran has none, and says so by an empty list.
    return { ...(stack === "" ? {} : { stack }), stackMember, ...requestIdMember(text) };
  }
  return undefined;
}

function requestIdMember(text: string): Pick<RunDetail, "requestIdMember"> {
  const id = textMember(text, "requestId");
  return id === undefined ? {} : { requestIdMember: id === "" ? "empty" : "named" };
}

/** A list of lines, or one text with all of them. Go's frames are objects, which stay the JSON that they are. */
function stackOf(json: string): string {
  if (json.startsWith('"')) return String(JSON.parse(json)).slice(0, STACK_CHARS_MAX);
  const lines: string[] = [];
  let chars = 0;
  for (const element of elementTexts(json)) {
    if (lines.length === STACK_LINES_MAX || chars > STACK_CHARS_MAX) break;
    if (!/^["{]/.test(element)) continue;
    chars += element.length;
    const frame: unknown = JSON.parse(element);
    lines.push(typeof frame === "string" ? frame.trimEnd() : JSON.stringify(frame));
  }
  return lines.join("\n").slice(0, STACK_CHARS_MAX);
}

function textMember(json: string, name: string): string | undefined {
  const text = memberText(json, name);
  return text?.startsWith('"') ? String(JSON.parse(text)) : undefined;
}

/** Why it cannot start stands in the log and in explanations, whoever reads them. */
export function describeFailure(outcome: InvocationOutcome, errorDetails: ErrorDetails = "full"): string {
  if (outcome.kind !== "functionError") return outcome.kind;
  const { errorType, message } = outcome;
  return errorDetails === "type"
    ? reducedErrorType(errorType)
    : new Redactor().redact(`${errorType}: ${message}`);
}
