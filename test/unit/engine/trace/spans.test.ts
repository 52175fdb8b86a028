import assert from "node:assert/strict";
import { test } from "node:test";
import { MillraceError } from "../../../../src/model/errors.ts";
import type { DeliverySpan, InvocationSpan, Sampling, Span, Tracing } from "../../../../src/ports/tracing.ts";
import { FAILED, ManualClock, SmallWorld, SUCCEEDED } from "../stream/small-world.ts";

const TRACE = "5759e988bd862e3fe1be46a994272793";
const OTHER_TRACE = "6759e988bd862e3fe1be46a994272793";

function carrier(traceId: string, span: number, sampled = true) {
  return { traceparent: `00-${traceId}-${String(span).padStart(16, "0")}-0${sampled ? 1 : 0}` };
}

/** A world that traces, and the spans that it made. */
function tracedWorld(
  mapping: ConstructorParameters<typeof SmallWorld>[0] = {},
  sampling: Sampling = { ratio: 1, followsParent: true },
  linksMax = 128,
) {
  const spans: Span[] = [];
  const tracing: Tracing = { sampling, linksMax, record: (span) => spans.push(span) };
  const world = new SmallWorld(mapping, {}, ["s1"], tracing);
  const invocations = () => spans.filter((span): span is InvocationSpan => span.kind === "invocation");
  const deliveries = () => spans.filter((span): span is DeliverySpan => span.kind === "delivery");
  return { world, spans, invocations, deliveries };
}

test("a batch whose records come from one trace goes on with it, and hands its own span to the function", async () => {
  const { world, invocations } = tracedWorld();
  world.append(
    "s1",
    { trace: { ...carrier(TRACE, 1), tracestate: "vendor=x" } },
    { trace: carrier(TRACE, 2) },
  );
  world.start();
  await world.clock.advance(1000);
  const [span] = invocations();
  assert.equal(span?.context.traceId, TRACE);
  assert.equal(span?.parent?.spanId, "0000000000000001");
  assert.deepEqual(world.calls[0]?.trace, span?.context);
  assert.equal(span?.context.traceState, "vendor=x");
  assert.deepEqual(
    span?.links.map(({ spanId }) => spanId),
    ["0000000000000001", "0000000000000002"],
  );
  assert.deepEqual(
    [span?.records, span?.attempt, span?.outcome, span?.subject.shardId, span?.requestId],
    [2, 1, "succeeded", "s1", world.calls[0]?.requestId],
  );
});

test("a batch of several traces begins its own, of X-Ray's form, and links to all of them", async () => {
  const { world, invocations } = tracedWorld();
  world.append("s1", { trace: carrier(TRACE, 1) }, { trace: carrier(OTHER_TRACE, 2) }, {});
  world.start();
  await world.clock.advance(1000);
  const [span] = invocations();
  const second = Math.floor(ManualClock.startMs / 1000).toString(16);
  assert.equal(span?.context.traceId.slice(0, 8), second);
  assert.match(span?.context.traceId ?? "", /^[0-9a-f]{32}$/);
  assert.equal(span?.parent, undefined);
  assert.deepEqual(
    span?.links.map(({ traceId }) => traceId),
    [TRACE, OTHER_TRACE],
  );
});

test("X-Ray's trace without a span is gone on with, under no parent and without a link", async () => {
  const { world, invocations } = tracedWorld();
  world.append("s1", { trace: { xray: `Root=1-${TRACE.slice(0, 8)}-${TRACE.slice(8)}` } });
  world.start();
  await world.clock.advance(1000);
  const [span] = invocations();
  assert.equal(span?.context.traceId, TRACE);
  assert.equal(span?.parent?.spanId, undefined);
  assert.deepEqual([span?.links, span?.linksDropped], [[], 0]);
});

test("one record of a trace among others does not make the batch a part of it", async () => {
  const { world, invocations } = tracedWorld();
  world.append("s1", {}, { trace: carrier(TRACE, 1) });
  world.start();
  await world.clock.advance(1000);
  assert.equal(invocations()[0]?.parent, undefined);
  assert.equal(invocations()[0]?.links.length, 1);
});

test("links are bounded, and those left out are counted; what cannot be read is neither", async () => {
  const { world, invocations } = tracedWorld({}, undefined, 3);
  world.append("s1", { trace: { traceparent: "hostile" } });
  for (let span = 1; span <= 10; span++) world.append("s1", { trace: carrier(OTHER_TRACE, span) });
  world.start();
  await world.clock.advance(1000);
  assert.equal(invocations()[0]?.links.length, 3);
  assert.equal(invocations()[0]?.linksDropped, 7);
});

test("retries, halves and the delivery of a failed batch stay in one trace; the delivery is the last attempt's child", async () => {
  const { world, spans, invocations, deliveries } = tracedWorld({
    retryAttemptsMax: 1,
    bisectBatchOnFunctionError: true,
    onFailureDestination: "arn:aws:sqs:eu-west-1:123456789012:failed",
  });
  world.handler = () => FAILED;
  let refusals = 1;
  world.deliver = async () => {
    if (refusals-- > 0) throw new MillraceError("ERR_MILLRACE_DESTINATION_UNAVAILABLE", "down");
  };
  world.appendMany("s1", 2);
  world.start();
  await world.clock.advance(60_000);
  assert.equal(new Set(spans.map(({ context }) => context.traceId)).size, 1);
  assert.equal(new Set(spans.map(({ context }) => context.spanId)).size, spans.length);
  assert.deepEqual(
    invocations().map(({ records, attempt, outcome, problem }) => [records, attempt, outcome, problem]),
    [
      [2, 1, "functionError", "Error"],
      [1, 1, "functionError", "Error"],
      [1, 2, "functionError", "Error"],
      [1, 1, "functionError", "Error"],
      [1, 2, "functionError", "Error"],
    ],
  );
  const [first] = invocations();
  for (const later of invocations().slice(1)) assert.equal(later.parent?.spanId, first?.context.spanId);
  assert.deepEqual(
    deliveries().map(({ parent, problem }) => [parent?.spanId, problem]),
    [
      [invocations()[2]?.context.spanId, "ERR_MILLRACE_DESTINATION_UNAVAILABLE"],
      [invocations()[2]?.context.spanId, undefined],
      [invocations()[4]?.context.spanId, undefined],
    ],
  );
  assert.equal(deliveries()[0]?.condition, "RetryAttemptsExhausted");
});

test("a record given up before any attempt still has a delivery in its own trace", async () => {
  const { world, invocations, deliveries } = tracedWorld({
    recordAgeMsMax: 60_000,
    onFailureDestination: "file:failed.jsonl",
  });
  world.append("s1", { arrivalMs: -120_000, trace: carrier(TRACE, 7) });
  world.start();
  await world.clock.advance(1000);
  assert.deepEqual(invocations(), []);
  assert.equal(deliveries()[0]?.context.traceId, TRACE);
  assert.equal(deliveries()[0]?.parent?.spanId, "0000000000000007");
});

test("a span's time is the call's own, by the monotonic clock", async () => {
  const { world, invocations } = tracedWorld();
  world.handler = async () => {
    await new Promise<void>((resolve) => world.clock.schedule(250, resolve));
    return SUCCEEDED;
  };
  world.appendMany("s1", 1);
  world.start();
  await world.clock.advance(1000);
  assert.equal(invocations()[0]?.durationMs, 250);
});

test("follows the decision of the records' trace, and decides by ratio where there is none", async () => {
  const never = { ratio: 0, followsParent: true };
  const table: readonly (readonly [Sampling, ReturnType<typeof carrier> | undefined, boolean])[] = [
    [never, carrier(TRACE, 1, true), true],
    [never, undefined, false],
    [{ ratio: 1, followsParent: true }, carrier(TRACE, 1, false), false],
    [{ ratio: 1, followsParent: false }, carrier(TRACE, 1, false), true],
    [{ ratio: 0, followsParent: false }, carrier(TRACE, 1, true), false],
  ];
  for (const [sampling, trace, isSampled] of table) {
    const { world, spans } = tracedWorld({}, sampling);
    world.append("s1", trace === undefined ? {} : { trace });
    world.start();
    await world.clock.advance(1000);
    assert.equal(spans.length, isSampled ? 1 : 0, JSON.stringify([sampling, trace]));
    // The function is told in any case, so that it decides the same.
    assert.equal(world.calls[0]?.trace?.sampled, isSampled);
  }
});

test("a ratio keeps its share of the traces", async () => {
  const { Tracer } = await import("../../../../src/engine/trace/tracer.ts");
  const { createSystemRandom } = await import("../../../../src/system/random.ts");
  const { world } = tracedWorld();
  const tracing: Tracing = { sampling: { ratio: 0.25, followsParent: true }, linksMax: 0, record: () => {} };
  const subject = {} as ConstructorParameters<typeof Tracer>[0]["subject"];
  const tracer = new Tracer({ tracing, clock: world.clock, random: createSystemRandom(), subject });
  let sampled = 0;
  for (let trace = 0; trace < 4000; trace++) if (tracer.begin().sampled) sampled++;
  // Twelve standard deviations.
  assert.ok(Math.abs(sampled - 1000) < 330, `${sampled} of 4000`);
});

test("without tracing no carrier is read and the function is handed no context", async () => {
  const world = new SmallWorld();
  world.append("s1", {
    trace: {
      get traceparent(): string {
        throw new Error("A carrier was read.");
      },
    },
  });
  world.start();
  await world.clock.advance(1000);
  assert.equal(world.calls.length, 1);
  assert.equal(world.calls[0]?.trace, undefined);
});
