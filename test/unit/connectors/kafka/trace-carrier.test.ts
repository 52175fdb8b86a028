import assert from "node:assert/strict";
import { test } from "node:test";
import { createKafkaEvents } from "../../../../connectors/kafka/event.ts";
import {
  createKafkaPartition,
  createKafkaRecord,
  type KafkaHeader,
} from "../../../../connectors/kafka/record.ts";
import { readTraceCarrier } from "../../../../src/model/trace-context.ts";

const EVENTS = createKafkaEvents({ eventSourceArn: undefined, bootstrapServers: ["broker:9092"] });
const PARTITION = createKafkaPartition("orders", 0);
const TRACEPARENT = "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01";

function header(key: string, value: string | Buffer | null): KafkaHeader {
  return { key, value: typeof value === "string" ? Buffer.from(value) : value };
}

function carrierOf(...headers: KafkaHeader[]) {
  const message = {
    offset: 1,
    key: null,
    value: Buffer.from("x"),
    headers,
    timestampMs: 1,
    timestampType: "CREATE_TIME" as const,
  };
  return EVENTS.traceCarrier?.(createKafkaRecord(PARTITION, message, 1));
}

test("gives the trace headers of a record among others", () => {
  const carrier = carrierOf(
    header("content-type", "application/json"),
    header("traceparent", TRACEPARENT),
    header("tracestate", "vendor=1"),
    header("X-Amzn-Trace-Id", "Root=1"),
  );
  assert.deepEqual(carrier, { traceparent: TRACEPARENT, tracestate: "vendor=1", xray: "Root=1" });
});

test("X-Ray's header is known in any case, W3C's as their specification writes them", () => {
  assert.equal(carrierOf(header("x-amzn-trace-id", "Root=1"))?.xray, "Root=1");
  assert.equal(carrierOf(header("Traceparent", TRACEPARENT)), undefined);
});

test("the last of several headers of one name counts", () => {
  assert.equal(
    carrierOf(header("traceparent", "a"), header("traceparent", TRACEPARENT))?.traceparent,
    TRACEPARENT,
  );
});

test("a record without trace headers carries nothing, and one that only speaks of them neither", () => {
  assert.equal(carrierOf(), undefined);
  assert.equal(carrierOf(header("a", "1"), header("b", "traceparent")), undefined);
});

test("headers that are no text, too long, missing or named to mislead give no context and no error", () => {
  const hostile = [
    header("traceparent", null),
    header("traceparent", Buffer.from([0, 255, 254])),
    header("traceparent", "0".repeat(1_000_000)),
    header('x"traceparent"x', TRACEPARENT),
    header("__proto__", "1"),
  ];
  for (const one of hostile) {
    const carrier = carrierOf(one, header("x-amzn-trace-id", "Root=?"));
    assert.equal(readTraceCarrier(carrier ?? {}), undefined, one.key);
  }
});
