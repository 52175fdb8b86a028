/**
 * Takes a function's response while the function writes it (invocation §3.3).
 *
 * Laws of whoever fills it, a `FunctionTarget`:
 * - `open` is called once, before the first byte, and only for a function that streams. One that does not never opens
 *   it: its response is the outcome's payload. Lambda alone, which does not tell which it is, opens it for both.
 * - It gets bytes of its own call alone, in their order, and none after the outcome. Of a response that was streamed
 *   the outcome's payload is empty.
 * - Once it is open, the outcome is `succeeded`, `functionError` or `timedOut`: the function has run, and nobody may
 *   take it for one that has not.
 */
export interface ResponseSink {
  open(head: ResponseHead): void;
  /**
   * Never throws. A promise holds up the function until it resolves; it never rejects. Who has nobody to hand the bytes
   * to any more drops them. The memory is the sink's from then on.
   */
  write(chunk: Uint8Array): Promise<void> | undefined;
}

export interface ResponseHead {
  /** As the function says it; `HTTP_RESPONSE_TYPE`: a head in JSON and eight zero bytes come before the body. */
  readonly contentType: string | undefined;
  /** The function's: `$LATEST` or a number. */
  readonly executedVersion: string;
}

/** What `awslambda.HttpResponseStream` and its kin write: an HTTP response with its own status and headers. */
export const HTTP_RESPONSE_TYPE = "application/vnd.awslambda.http-integration-response";
