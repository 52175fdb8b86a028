import assert from "node:assert/strict";
import { test } from "node:test";
import { CallTracer } from "../../../src/invocation/call-tracer.ts";
import { InvokerBook } from "../../../src/invocation/invoker-book.ts";
import { API_CALLER } from "../../../src/model/caller.ts";
import type { InvocationOutcome } from "../../../src/model/outcome.ts";
import type { SpanContext } from "../../../src/model/trace-context.ts";
import type { InvocationContext } from "../../../src/ports/function-target.ts";
import type { Invocation } from "../../../src/ports/invoker.ts";
import type { Span } from "../../../src/ports/tracing.ts";
import { FAILED, ManualClock, SILENT_TELEMETRY, SUCCEEDED } from "../engine/stream/small-world.ts";

const ARN = "arn:aws:lambda:eu-west-1:123456789012:function:orders:live";
const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT = "00f067aa0ba902b7";

function createWorld() {
  const clock = new ManualClock();
  const spans: Span[] = [];
  const handed: (SpanContext | undefined)[] = [];
  const tracer = new CallTracer({
    tracing: {
      sampling: { ratio: 1, followsParent: true },
      linksMax: 1,
      record: (span) => void spans.push(span),
    },
    clock,
    random: { next: () => 0.5, uuid: () => crypto.randomUUID() },
  });
  let outcome: InvocationOutcome = SUCCEEDED;
  const target = {
    invoke: async (_payload: Uint8Array, context: InvocationContext) => {
      handed.push(context.trace);
      await new Promise<void>((resolve) => clock.schedule(40, resolve));
      return outcome;
    },
    close: async () => {},
  };
  const fn = {
    ...{ name: "orders", target, timeoutMs: 3_000, concurrency: 1 },
    versions: new Map([["2", target]]),
    aliases: new Map([["live", { version: "2", weights: new Map<string, number>() }]]),
  };
  const invoker = new InvokerBook(clock, SILENT_TELEMETRY, { tracer }).invokerOf(fn);
  const call = async (more: Partial<Invocation> = {}, answer: InvocationOutcome = SUCCEEDED) => {
    outcome = answer;
    const result = invoker.invoke({
      caller: API_CALLER,
      requestId: "r-1",
      functionArn: ARN,
      payload: () => Buffer.from("{}"),
      mayStart: () => true,
      signal: new AbortController().signal,
      ...more,
    });
    await clock.advance(40);
    return await result;
  };
  return { call, spans, handed };
}

test("a direct call has a span of its own in its caller's trace, and hands it to the function", async () => {
  const { call, spans, handed } = createWorld();
  await call({ carrier: { traceparent: `00-${TRACE}-${PARENT}-01` } });
  const [span] = spans;
  assert.equal(span?.kind, "call");
  const { context, parent, startMs: _startMs, ...rest } = span;
  assert.deepEqual([context.traceId, parent?.spanId, handed], [TRACE, PARENT, [context]]);
  assert.deepEqual(rest, {
    kind: "call",
    callerKind: "api",
    functionName: "orders",
    functionArn: ARN,
    durationMs: 40,
    requestId: "r-1",
    problem: undefined,
    outcome: "succeeded",
    executedVersion: "2",
  });
});

test("a direct call without a trace begins one, and its span says what went wrong", async () => {
  const { call, spans } = createWorld();
  await call({}, FAILED);
  const [span] = spans;
  assert.deepEqual([span?.parent, span?.problem], [undefined, "Error"]);
});

test("a call that its caller did not want sampled is not recorded, and a batch's span is its own", async () => {
  const { call, spans, handed } = createWorld();
  await call({ carrier: { traceparent: `00-${TRACE}-${PARENT}-00` } });
  const own = { traceId: TRACE, spanId: PARENT, sampled: true, traceState: undefined };
  await call({ beginSpan: () => ({ context: own, end: () => {} }) });
  assert.deepEqual([spans, handed[1]], [[], own]);
});
