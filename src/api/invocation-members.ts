import { isUtf8 } from "node:buffer";
import type { IncomingHttpHeaders } from "node:http";
import { isJson } from "../model/json-check.ts";
import { lineageIn } from "../model/lineage.ts";
import type { TraceCarrier } from "../model/trace-context.ts";
import { ApiFault } from "./wire-fault.ts";

const BYTE_ORDER_MARK = Buffer.from("\ufeff");

export function carrierOf(headers: IncomingHttpHeaders): TraceCarrier {
  const [traceparent, tracestate, xray] = ["traceparent", "tracestate", "x-amzn-trace-id"].map((name) => {
    const value = headers[name];
    return typeof value === "string" ? value : undefined;
  });
  return { traceparent, tracestate, xray };
}

/** Functions that the chain of events has passed: AWS's clients hand the header on. */
export function lineageOf(headers: IncomingHttpHeaders): string | undefined {
  return lineageIn(carrierOf(headers).xray);
}

/** @throws ApiFault for what is no JSON */
export function payloadOf(body: Buffer): Uint8Array {
  if (body.length === 0) return Buffer.from("{}");
  const json = body.subarray(0, 3).equals(BYTE_ORDER_MARK) ? body.subarray(3) : body;
  if (isUtf8(body) && isJson(json)) return body;
  const reason = isUtf8(body) ? "Unexpected character or end of input" : "Invalid UTF-8";
  const message = `Could not parse request body into json: Could not parse payload into json: ${reason}`;
  throw new ApiFault("InvalidRequestContentException", message);
}
