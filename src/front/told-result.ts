import type { InvocationResult } from "../ports/invoker.ts";
import { isMembers, parsedAnswer } from "./answer-members.ts";
import type { Codec, Failure, FrontAnswer } from "./exchange.ts";
import { cutPrelude } from "./prelude.ts";

/** Why a call has no answer of its function; `undefined`: it has one. */
export function failureOf(result: InvocationResult): Failure | undefined {
  switch (result.kind) {
    case "succeeded":
      return undefined;
    case "functionError":
    case "timedOut":
      return "functionFailed";
    case "throttled":
      return "throttled";
    case "payloadTooLarge":
      return "tooLarge";
    case "unavailable":
    case "notStarted":
      return "unavailable";
    case "refused":
      switch (result.why) {
        case "noSuchFunction":
          return "forbidden";
        case "notReady":
          return "unavailable";
        default:
          return "throttled";
      }
  }
}

/**
 * A function that does not stream, behind a URL that does: its bytes go out as they are, with the status and the
 * headers that they may speak of, as on AWS. One that streams and was collected on the way has its prelude before them.
 */
export function answerAsWritten(codec: Codec, payload: Uint8Array): FrontAnswer | undefined {
  const collected = cutPrelude(payload);
  if (collected !== undefined) {
    const streamed = codec.head?.(collected.prelude);
    return streamed && { ...streamed, body: collected.body };
  }
  const value = parsedAnswer(payload)?.value;
  const isHead = isMembers(value) && value["statusCode"] !== undefined;
  if (!isHead) return { status: 200, headers: [["content-type", "application/json"]], body: payload };
  const head = codec.head?.(value);
  return head && { ...head, body: payload };
}
