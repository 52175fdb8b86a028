import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { traceHeaders } from "../../../src/functions/trace.ts";

const contextOf = (requestId: string, startMs = 1_700_000_000_500) => ({
  requestId,
  functionName: "orders",
  functionArn: "arn:aws:lambda:eu-west-1:123456789012:function:orders",
  deadlineMs: startMs + 30_000,
  timeoutMs: 30_000,
});

test("names the same trace in X-Ray's and in W3C's form, beginning with the second of the start", () => {
  const trace = traceHeaders(contextOf("01234567-89ab-4cde-8f01-23456789abcd"));
  assert.equal(trace.xray, "Root=1-6553f100-89ab4cde8f0123456789abcd;Parent=8f0123456789abcd;Sampled=0");
  assert.equal(trace.traceparent, "00-6553f10089ab4cde8f0123456789abcd-8f0123456789abcd-00");
});

test("gives well-formed headers for any request id and time", () => {
  const anyId = fc.oneof(fc.uuid(), fc.string(), fc.constant("00000000-0000-0000-0000-000000000000"));
  fc.assert(
    fc.property(anyId, fc.integer({ min: 0, max: 4e12 }), (requestId, startMs) => {
      const trace = traceHeaders(contextOf(requestId, startMs));
      assert.match(trace.xray, /^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0$/);
      assert.match(trace.traceparent, /^00-[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-00$/);
    }),
  );
});
