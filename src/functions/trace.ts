import { createHash } from "node:crypto";
import { traceparentOf, xrayHeaderOf } from "../model/trace-context.ts";
import type { InvocationContext } from "../ports/function-target.ts";

/** One invocation's trace in both forms: AWS X-Ray's `Lambda-Runtime-Trace-Id` and W3C's `traceparent`. */
export interface TraceHeaders {
  readonly xray: string;
  readonly traceparent: string;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** W3C forbids a parent of zeroes only; request ids are random, so this stands in for the nil UUID alone. */
const ZERO_PARENT = "0000000000000000";

let cachedSecond = -1;
let cachedSecondHex = "00000000";

/**
 * The engine's own span, when it traces. Otherwise derived from the request id and the second of the start, so that it
 * costs no randomness and a log line with the request id leads to the trace. Both forms name the same trace: X-Ray's id
 * is the W3C id with its first 8 digits, the epoch second, set apart. Not sampled then: the engine itself records
 * nothing that a function could belong to.
 */
export function traceHeaders(context: InvocationContext): TraceHeaders {
  const { trace } = context;
  const { lineage } = context;
  if (trace !== undefined)
    return { xray: xrayHeaderOf(trace) + lineagePart(lineage), traceparent: traceparentOf(trace) };
  const second = Math.floor((context.deadlineMs - context.timeoutMs) / 1000);
  if (second !== cachedSecond) {
    cachedSecond = second;
    cachedSecondHex = (second >>> 0).toString(16).padStart(8, "0");
  }
  const id = UUID.test(context.requestId) ? context.requestId : uuidLike(context.requestId);
  const node = id.slice(24);
  const clockSequence = id.slice(19, 23);
  const unique = id.slice(9, 13) + id.slice(14, 18) + clockSequence + node;
  const parent = clockSequence + node === ZERO_PARENT ? "0000000000000001" : clockSequence + node;
  return {
    xray: `Root=1-${cachedSecondHex}-${unique};Parent=${parent};Sampled=0${lineagePart(lineage)}`,
    traceparent: `00-${cachedSecondHex}${unique}-${parent}-00`,
  };
}

/** Clients of AWS pass the header on, and with it the chain of functions. */
function lineagePart(lineage: string | undefined): string {
  return lineage === undefined ? "" : `;Lineage=${lineage}`;
}

function uuidLike(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}
