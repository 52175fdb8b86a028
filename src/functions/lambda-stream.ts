import type { InvokeWithResponseStreamCommandOutput } from "@aws-sdk/client-lambda";
import type { InvocationOutcome } from "../model/outcome.ts";
import { HTTP_RESPONSE_TYPE } from "../ports/response-sink.ts";
import { functionError, parseErrorBody, withDetail } from "./function-failure.ts";
import type { StreamedAnswer } from "./streamed-answer.ts";

type StreamEvent =
  NonNullable<InvokeWithResponseStreamCommandOutput["EventStream"]> extends AsyncIterable<infer Event>
    ? Event
    : never;

/** What stands between an HTTP response's head and its body. */
const SEPARATOR = Buffer.alloc(8);
const OPENING_BRACE = 0x7b;

/**
 * Hands the answer of InvokeWithResponseStream on as it comes. Whether the function streams it does not say: the
 * response of one that returns it comes by the same way.
 */
export async function outcomeOfStream(
  { EventStream }: InvokeWithResponseStreamCommandOutput,
  stream: StreamedAnswer,
): Promise<InvocationOutcome> {
  let end: StreamEvent["InvokeComplete"];
  try {
    for await (const { PayloadChunk, InvokeComplete } of EventStream ?? []) {
      end ??= InvokeComplete;
      const chunk = PayloadChunk?.Payload ?? EMPTY;
      if (chunk.length === 0) continue;
      if (!stream.isOpen) stream.open(contentTypeOf(chunk));
      await stream.write(chunk);
      // Lambda cuts a response that is longer than any, and says nothing of it.
      if (stream.isFull) return { kind: "succeeded", payload: EMPTY };
    }
  } catch {
    // The head was there: it has run.
  }
  if (end === undefined)
    return functionError("Function.ConnectionLost", "The answer of Lambda broke off before its end.");
  const outcome = outcomeOfEnd(end);
  if (outcome.kind === "succeeded" && !stream.isOpen) stream.open(undefined);
  return outcome;
}

function outcomeOfEnd({
  ErrorCode,
  ErrorDetails = "",
  LogResult,
}: NonNullable<StreamEvent["InvokeComplete"]>): InvocationOutcome {
  const log = LogResult === undefined ? {} : { logTail: Buffer.from(LogResult, "base64").toString() };
  if (ErrorCode === undefined || ErrorCode === "")
    return { kind: "succeeded", payload: EMPTY, ...withDetail(log) };
  const said = parseErrorBody(Buffer.from(ErrorDetails));
  const message = ErrorDetails === "" ? "The function gave no error message." : ErrorDetails;
  return functionError(said.errorType ?? ErrorCode, said.errorMessage ?? message, { ...said.detail, ...log });
}

/** Lambda keeps to itself what the function says of it: only an HTTP response is known, by how it begins. */
function contentTypeOf(chunk: Uint8Array): string | undefined {
  const first = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  const end = first[0] === OPENING_BRACE ? first.indexOf(SEPARATOR) : -1;
  if (end < 0) return undefined;
  try {
    JSON.parse(first.toString("utf8", 0, end));
    return HTTP_RESPONSE_TYPE;
  } catch {
    return undefined;
  }
}

const EMPTY = new Uint8Array(0);
