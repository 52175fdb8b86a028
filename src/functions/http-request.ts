import { clientContextHeader } from "../model/client-context.ts";
import { isHeaderValue } from "../network/wire-head.ts";
import type { InvocationContext } from "../ports/function-target.ts";
import { RESPONSE_MODE } from "./http-response.ts";
import { traceHeaders } from "./trace.ts";

/** What all requests to a URL begin with. */
export function requestLine({ pathname, search, host }: URL): string {
  return `POST ${pathname}${search} HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\n`;
}

/**
 * A request's head, by the HTTP function contract (http-function.md §1), with the empty line at its end. `undefined`: a
 * value that came from outside would end its header, or is none. `isStreamed`: the answer may be a stream.
 */
export function requestHead(
  line: string,
  context: InvocationContext,
  bytes: number,
  isStreamed = false,
): string | undefined {
  const { trace, clientContext, requestId, deadlineMs, functionArn } = context;
  const { xray, traceparent } = traceHeaders(context);
  let head = line;
  if (trace !== undefined) {
    // Beside Lambda's own names, what tracing libraries look for; only when the engine traces.
    head += `x-amzn-trace-id: ${xray}\r\n`;
    if (trace.traceState !== undefined) {
      if (!isHeaderValue(trace.traceState)) return undefined;
      head += `tracestate: ${trace.traceState}\r\n`;
    }
  }
  if (clientContext !== undefined) {
    const value = clientContextHeader(clientContext);
    if (value !== undefined && !isHeaderValue(value)) return undefined;
    if (value !== undefined) head += `lambda-runtime-client-context: ${value}\r\n`;
  }
  if (isStreamed) head += `${RESPONSE_MODE}: streaming\r\n`;
  if (!isHeaderValue(requestId) || !isHeaderValue(functionArn) || !isHeaderValue(xray)) return undefined;
  return `${head}content-type: application/json\r\nlambda-runtime-aws-request-id: ${requestId}\r\nlambda-runtime-deadline-ms: ${deadlineMs}\r\nlambda-runtime-invoked-function-arn: ${functionArn}\r\nlambda-runtime-trace-id: ${xray}\r\ntraceparent: ${traceparent}\r\ncontent-length: ${bytes}\r\n\r\n`;
}
