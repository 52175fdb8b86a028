import { parsedAnswer } from "./answer-members.ts";

/** Zero bytes between the head of an HTTP response stream and its body (invocation §3.3). */
export const SEPARATOR = Buffer.alloc(8);
const OPENING_BRACE = 0x7b;

/** A response that was streamed, cut behind its head. `undefined`: it has none. */
export function cutPrelude(
  payload: Uint8Array,
): { readonly prelude: unknown; readonly body: Uint8Array } | undefined {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  const end = bytes[0] === OPENING_BRACE ? bytes.indexOf(SEPARATOR) : -1;
  const parsed = end < 0 ? undefined : parsedAnswer(bytes.subarray(0, end));
  return parsed && { prelude: parsed.value, body: bytes.subarray(end + SEPARATOR.length) };
}
