import { memberText } from "../model/exact-json.ts";
import { isJson } from "../model/json-check.ts";
import { RESPONSE_BYTES_MAX } from "../model/limits.ts";
import type { InvocationOutcome } from "../model/outcome.ts";

/** What functions say of their failures is untrusted and may be long; this much of it is kept. */
export const ERROR_TYPE_CHARS_MAX = 256;
export const ERROR_MESSAGE_CHARS_MAX = 2048;

export function functionError(errorType: string, message: string): InvocationOutcome {
  return {
    kind: "functionError",
    errorType: errorType.slice(0, ERROR_TYPE_CHARS_MAX),
    message: message.slice(0, ERROR_MESSAGE_CHARS_MAX),
  };
}

/** Lambda's text for a response over the limit of a synchronous invocation (invocation §2). */
export const RESPONSE_TOO_LARGE = {
  errorType: "Function.ResponseSizeTooLarge",
  message: `Response payload size exceeded maximum allowed payload size (${RESPONSE_BYTES_MAX} bytes).`,
} as const;

export function responseTooLarge(): InvocationOutcome {
  return functionError(RESPONSE_TOO_LARGE.errorType, RESPONSE_TOO_LARGE.message);
}

/** The caller gave up. Not a function error: what the engine itself stops costs no retry. */
export function abandoned(): InvocationOutcome {
  return { kind: "unavailable", message: "The invocation was stopped by its caller before it ended." };
}

/**
 * Lambda's error body, `{"errorType":"…","errorMessage":"…"}`, read defensively: a member that is missing or of another
 * type is `undefined`, and a body that is not such an object has neither.
 */
export function parseErrorBody(body: Uint8Array): { errorType?: string; errorMessage?: string } {
  // Not parsed: a body of the largest size would take seconds and half a gigabyte as values.
  if (!isJson(body)) return {};
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString();
  const errorType = textMember(text, "errorType");
  const errorMessage = textMember(text, "errorMessage");
  return {
    ...(errorType !== undefined && errorType !== "" ? { errorType } : {}),
    ...(errorMessage !== undefined ? { errorMessage } : {}),
  };
}

function textMember(json: string, name: string): string | undefined {
  const text = memberText(json, name);
  return text?.startsWith('"') ? String(JSON.parse(text)) : undefined;
}
