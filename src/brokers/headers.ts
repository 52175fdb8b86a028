import { TRACE_HEADER_CHARS_MAX, type TraceCarrier } from "../model/trace-context.ts";

/** A member of a message's headers, whatever they are. */
export function headerOf(headers: unknown, name: string): unknown {
  if (typeof headers !== "object" || headers === null || !Object.hasOwn(headers, name)) return undefined;
  return Reflect.get(headers, name);
}

export function traceCarrierOf(headers: unknown): TraceCarrier | undefined {
  const traceparent = traceHeader(headers, "traceparent");
  const xray = traceHeader(headers, "X-Amzn-Trace-Id");
  if (traceparent === undefined && xray === undefined) return undefined;
  return { traceparent, tracestate: traceHeader(headers, "tracestate"), xray };
}

function traceHeader(headers: unknown, name: string): string | undefined {
  const value = headerOf(headers, name);
  return typeof value === "string" && value.length <= TRACE_HEADER_CHARS_MAX ? value : undefined;
}
