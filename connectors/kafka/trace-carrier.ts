import { TRACE_HEADER_CHARS_MAX, type TraceCarrier } from "../../src/model/trace-context.ts";
import { type KafkaRecord, NO_HEADERS } from "./record.ts";

/** Names of headers are compared as tracing libraries write them: W3C's in lower case, X-Ray's in any. */
const TRACEPARENT = "traceparent";
const TRACESTATE = "tracestate";
const XRAY = "x-amzn-trace-id";

/** The last one counts of a key that comes twice, as for Kafka's own clients. */
export function kafkaTraceCarrier({ headersJson }: KafkaRecord): TraceCarrier | undefined {
  if (headersJson === NO_HEADERS) return undefined;
  // A record without these headers, and most have none, is not parsed.
  if (!headersJson.includes(`"${TRACEPARENT}"`) && !headersJson.toLowerCase().includes(`"${XRAY}"`)) {
    return undefined;
  }
  let traceparent: string | undefined;
  let tracestate: string | undefined;
  let xray: string | undefined;
  for (const header of JSON.parse(headersJson) as readonly Record<string, readonly number[]>[]) {
    const [[name, bytes] = ["", []]] = Object.entries(header);
    if (name === TRACEPARENT) traceparent = textOf(bytes);
    else if (name === TRACESTATE) tracestate = textOf(bytes);
    else if (name.toLowerCase() === XRAY) xray = textOf(bytes);
  }
  return { traceparent, tracestate, xray };
}

/** Trace headers are ASCII; what is not becomes text that no parser takes. */
function textOf(bytes: readonly number[]): string | undefined {
  return bytes.length > TRACE_HEADER_CHARS_MAX ? undefined : Buffer.from(bytes).toString("latin1");
}
