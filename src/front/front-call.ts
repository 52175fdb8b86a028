import type { ServerResponse } from "node:http";
import { functionArn } from "../manifests/function-name.ts";
import type { Invocation } from "../ports/invoker.ts";
import type { ResponseSink } from "../ports/response-sink.ts";
import type { Exchange, FrontRequest } from "./exchange.ts";

/** Mappings wait for a place, and take each that comes free (decision 0026). */
const PATIENCE_MS = 250;

/** The one call of a function that a request is. */
export function callOf(
  { route, request, place }: Exchange,
  payload: Uint8Array,
  sink: ResponseSink | undefined,
  response: ServerResponse,
  signal: AbortSignal,
): Invocation {
  const { functionName: name, qualifier } = route;
  return {
    // No mapping has a name with brackets.
    caller: { kind: "front", key: `(${route.name})` },
    requestId: request.requestId,
    functionArn: functionArn({ name, qualifier }, place),
    patienceMs: PATIENCE_MS,
    carrier: carrierOf(request),
    payload: () => payload,
    // One that has started goes on when its caller has gone, as on AWS.
    mayStart: () => !response.destroyed,
    signal,
    ...(sink === undefined ? {} : { sink }),
  };
}

function carrierOf({ headers }: FrontRequest): Invocation["carrier"] {
  const carrier: { traceparent?: string; tracestate?: string; xray?: string } = {};
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    if (lower === "traceparent") carrier.traceparent = value;
    else if (lower === "tracestate") carrier.tracestate = value;
    else if (lower === "x-amzn-trace-id") carrier.xray = value;
  }
  const { traceparent, tracestate, xray } = carrier;
  return { traceparent, tracestate, xray };
}
