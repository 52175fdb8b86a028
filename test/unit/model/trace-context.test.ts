import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readTraceCarrier, traceparentOf, xrayHeaderOf } from "../../../src/model/trace-context.ts";

const TRACE = "5759e988bd862e3fe1be46a994272793";
const SPAN = "53995c3f42cd8ad8";

test("reads W3C's and X-Ray's headers as the same context", () => {
  const w3c = readTraceCarrier({ traceparent: `00-${TRACE}-${SPAN}-01`, tracestate: "a=1, b@x=2" });
  assert.deepEqual(w3c, { traceId: TRACE, spanId: SPAN, sampled: true, traceState: "a=1,b@x=2" });
  const xray = readTraceCarrier({
    xray: `Root=1-${TRACE.slice(0, 8)}-${TRACE.slice(8)};Parent=${SPAN};Sampled=1`,
  });
  assert.deepEqual(xray, { traceId: TRACE, spanId: SPAN, sampled: true, traceState: undefined });
});

test("W3C's header goes before X-Ray's, and X-Ray's is taken where W3C's cannot be read", () => {
  const xray = `Root=1-${"a".repeat(8)}-${"b".repeat(24)};Parent=${SPAN};Sampled=0`;
  assert.equal(readTraceCarrier({ traceparent: `00-${TRACE}-${SPAN}-01`, xray })?.traceId, TRACE);
  assert.equal(readTraceCarrier({ traceparent: "00-broken", xray })?.traceId, "a".repeat(8) + "b".repeat(24));
  assert.equal(readTraceCarrier({}), undefined);
});

test("reads the forms of `traceparent` that W3C allows, and no others", () => {
  const table: readonly (readonly [text: string, sampled: boolean | undefined])[] = [
    [`00-${TRACE}-${SPAN}-00`, false],
    [`00-${TRACE}-${SPAN}-03`, true],
    // A later version may say more behind.
    [`cc-${TRACE}-${SPAN}-01-what-the-future-brings`, true],
    [`cc-${TRACE}-${SPAN}-01`, true],
    [`cc-${TRACE}-${SPAN}-01.x`, undefined],
    [`00-${TRACE}-${SPAN}-01-x`, undefined],
    [`ff-${TRACE}-${SPAN}-01`, undefined],
    [`00-${"0".repeat(32)}-${SPAN}-01`, undefined],
    [`00-${TRACE}-${"0".repeat(16)}-01`, undefined],
    [`00-${TRACE.toUpperCase()}-${SPAN}-01`, undefined],
    [`00-${TRACE}-${SPAN}-0g`, undefined],
    [`00-${TRACE}-${SPAN}`, undefined],
    [`00${TRACE}${SPAN}01`.padEnd(55, "0"), undefined],
    ["", undefined],
    [`cc-${TRACE}-${SPAN}-01-${"x".repeat(100_000)}`, undefined],
  ];
  for (const [traceparent, sampled] of table) {
    assert.equal(readTraceCarrier({ traceparent })?.sampled, sampled, traceparent.slice(0, 80));
  }
});

test("leaves the decision open where X-Ray does, in any order and case of the members", () => {
  const root = `1-${TRACE.slice(0, 8)}-${TRACE.slice(8)}`;
  const table: readonly (readonly [text: string, wanted: boolean | undefined | "unreadable"])[] = [
    [`Root=${root};Parent=${SPAN};Sampled=0`, false],
    [`Root=${root};Parent=${SPAN};Sampled=?`, undefined],
    [`Root=${root};Parent=${SPAN}`, undefined],
    [`sampled=1; parent=${SPAN}; root=${root}; Lineage=25:3c3d4e:0`, true],
    [`Self=1-67891234-12456789abcdef012345678;Root=${root};Parent=${SPAN};Sampled=1`, true],
    // As a service without a span of its own writes it.
    [`Root=${root};Sampled=1`, true],
    [`Root=${root}`, undefined],
    [`Root=${root};Parent=${SPAN}0;Sampled=1`, "unreadable"],
    [`Root=${root.replace("1-", "2-")};Parent=${SPAN};Sampled=1`, "unreadable"],
    [`Root=${root}0;Parent=${SPAN};Sampled=1`, "unreadable"],
    [`Parent=${SPAN};Sampled=1`, "unreadable"],
    [";;;===;;", "unreadable"],
    [`Root=${root};Parent=${SPAN};Sampled=1;${"x".repeat(600)}`, "unreadable"],
  ];
  for (const [xray, wanted] of table) {
    const context = readTraceCarrier({ xray });
    assert.equal(context === undefined ? "unreadable" : context.sampled, wanted, xray.slice(0, 80));
  }
});

test("forgets a `tracestate` that is not well-formed, and keeps the context", () => {
  const traceparent = `00-${TRACE}-${SPAN}-01`;
  const bad = [
    "a",
    "=1",
    "a=1\r\nx-evil: 1",
    "A=1",
    "a=ü",
    "a=b=c",
    "a=1,".repeat(33),
    `a=${"x".repeat(600)}`,
  ];
  for (const tracestate of bad) {
    const context = readTraceCarrier({ traceparent, tracestate });
    assert.equal(context?.traceState, undefined, tracestate.slice(0, 40));
    assert.equal(context?.traceId, TRACE);
  }
  assert.equal(readTraceCarrier({ traceparent, tracestate: "a=1,,b=2" })?.traceState, "a=1,b=2");
});

test("whatever the headers hold, what is read can be sent on as headers and is read the same again", () => {
  const root = `1-${TRACE.slice(0, 8)}-${TRACE.slice(8)}`;
  const valid = [`00-${TRACE}-${SPAN}-01`, "a=1,b=2", `Root=${root};Parent=${SPAN};Sampled=1`];
  const header = (index: number) => {
    const splice = fc.tuple(fc.nat(70), fc.nat(2), fc.string({ unit: "binary", maxLength: 2 }));
    const spliced = splice.map(([at, cut, put]) => {
      const text = valid[index] ?? "";
      return text.slice(0, at) + put + text.slice(at + cut);
    });
    return fc.oneof(fc.constant(valid[index]), spliced, fc.string());
  };
  let readable = 0;
  fc.assert(
    fc.property(header(0), header(1), header(2), (traceparent, tracestate, xray) => {
      const context = readTraceCarrier({ traceparent, tracestate, xray });
      if (context === undefined) return;
      readable++;
      const own = { ...context, spanId: context.spanId ?? SPAN, sampled: context.sampled === true };
      const again = readTraceCarrier({ traceparent: traceparentOf(own), tracestate: own.traceState });
      assert.deepEqual(again, own);
      assert.deepEqual(readTraceCarrier({ xray: xrayHeaderOf(own) }), { ...own, traceState: undefined });
      assert.match(own.traceState ?? "", /^[\x20-\x7e]*$/);
    }),
    { numRuns: 2000 },
  );
  assert.ok(readable > 500, `${readable} could be read`);
});
