import assert from "node:assert/strict";
import { test } from "node:test";
import { COUNTERS, GAUGES, HISTOGRAMS } from "../../../src/ports/telemetry.ts";
import { createTelemetry, type LogWriter } from "../../../src/telemetry/telemetry.ts";

function createSubject(log: LogWriter = () => undefined) {
  return createTelemetry({ log, processMetrics: false });
}

async function linesOf(telemetry: ReturnType<typeof createSubject>): Promise<string[]> {
  return (await telemetry.metricsText()).split("\n");
}

test("exposes every name of the catalogues, at 0 from the registration of a mapping on", async () => {
  const telemetry = createSubject();
  telemetry.register("orders");
  const lines = await linesOf(telemetry);
  for (const name of Object.keys(COUNTERS))
    assert(lines.includes(`millrace_${name}_total{mapping="orders"} 0`), name);
  for (const name of Object.keys(GAUGES))
    assert(lines.includes(`millrace_${name}{mapping="orders"} 0`), name);
  for (const name of [...Object.keys(HISTOGRAMS), "invocation_duration_seconds"]) {
    assert(lines.includes(`millrace_${name}_count{mapping="orders"} 0`), name);
    assert(lines.includes(`millrace_${name}_bucket{le="+Inf",mapping="orders"} 0`), name);
  }
});

test("adds up counters per mapping and keeps them over scrapes", async () => {
  const telemetry = createSubject();
  telemetry.count("polled_events", "a", 3);
  telemetry.count("polled_events", "a", 4);
  telemetry.count("polled_events", "b", 1);
  await linesOf(telemetry);
  const lines = await linesOf(telemetry);
  assert(lines.includes('millrace_polled_events_total{mapping="a"} 7'));
  assert(lines.includes('millrace_polled_events_total{mapping="b"} 1'));
  assert.equal(telemetry.totals("a").counters.polled_events, 7);
});

test("shows the last value of a gauge", async () => {
  const telemetry = createSubject();
  telemetry.gauge("in_flight_invocations", "a", 5);
  telemetry.gauge("in_flight_invocations", "a", 2);
  assert((await linesOf(telemetry)).includes('millrace_in_flight_invocations{mapping="a"} 2'));
});

test("shows nothing of a mapping that is gone", async () => {
  const telemetry = createSubject();
  telemetry.gauge("owned_shards", "a", 5);
  telemetry.gauge("owned_shards", "b", 1);
  await linesOf(telemetry);
  telemetry.unregister("a");
  const lines = await linesOf(telemetry);
  assert(!lines.some((line) => line.includes('mapping="a"')));
  assert(lines.includes('millrace_owned_shards{mapping="b"} 1'));
});

test("shows the offset lag of each partition and their sum, only where a source tells it", async () => {
  const telemetry = createSubject();
  telemetry.register("a");
  telemetry.register("b");
  telemetry.offsetLag("a", "orders-0", 5);
  telemetry.offsetLag("a", "orders-1", 7);
  const lines = await linesOf(telemetry);
  assert(lines.includes('millrace_offset_lag_records{mapping="a"} 12'));
  assert(lines.includes('millrace_partition_offset_lag_records{mapping="a",partition="orders-1"} 7'));
  assert(!lines.some((line) => line.startsWith('millrace_offset_lag_records{mapping="b"}')));
  telemetry.offsetLag("a", "orders-0", undefined);
  telemetry.offsetLag("a", "orders-1", undefined);
  const later = await linesOf(telemetry);
  assert(later.includes('millrace_offset_lag_records{mapping="a"} 0'));
  assert(!later.some((line) => line.startsWith("millrace_partition_offset_lag_records{")));
});

test("puts values into cumulative buckets, bounds included, with sum and count", async () => {
  const telemetry = createSubject();
  for (const records of [1, 2, 3, 20_000]) telemetry.observe("batch_size_records", "a", records);
  const lines = await linesOf(telemetry);
  const bucket = (le: string) => `millrace_batch_size_records_bucket{le="${le}",mapping="a"}`;
  for (const expected of [
    `${bucket("1")} 1`,
    `${bucket("2")} 2`,
    `${bucket("5")} 3`,
    `${bucket("10000")} 3`,
    `${bucket("+Inf")} 4`,
    'millrace_batch_size_records_sum{mapping="a"} 20006',
    'millrace_batch_size_records_count{mapping="a"} 4',
    "# TYPE millrace_batch_size_records histogram",
  ]) {
    assert(lines.includes(expected), expected);
  }
});

test("counts invocations by outcome, with their duration in seconds", async () => {
  const telemetry = createSubject();
  telemetry.invocation("a", "succeeded", 250);
  telemetry.invocation("a", "functionError", 50);
  telemetry.invocation("a", "succeeded", 1000);
  const lines = await linesOf(telemetry);
  assert(lines.includes('millrace_invocations_total{mapping="a",outcome="succeeded"} 2'));
  assert(lines.includes('millrace_invocations_total{mapping="a",outcome="functionError"} 1'));
  assert(lines.includes('millrace_invocation_duration_seconds_sum{mapping="a"} 1.3'));
  assert.equal(telemetry.totals("a").invocations, 3);
});

test("an endless number of outcome names does not grow the metrics for ever", async () => {
  const telemetry = createSubject();
  for (let index = 0; index < 1000; index++) telemetry.invocation("a", `outcome ${index}`, 1);
  const lines = await linesOf(telemetry);
  assert.equal(lines.filter((line) => line.startsWith("millrace_invocations_total{")).length, 33);
  assert(lines.includes('millrace_invocations_total{mapping="a",outcome="other"} 968'));
});

test("two telemetries share nothing", async () => {
  const first = createSubject();
  first.count("polled_events", "a", 1);
  assert.doesNotMatch(await createSubject().metricsText(), /mapping="a"/);
});

test("logs only fields that are on the list, and long values cut", () => {
  const lines: unknown[] = [];
  const telemetry = createSubject((level, message, fields) => lines.push([level, message, fields]));
  const fields = { mapping: "a", payload: '{"card":"4111"}', shardId: undefined, error: "x".repeat(5000) };
  telemetry.log("warn", "said", fields);
  assert.deepEqual(lines, [["warn", "said", { mapping: "a", error: `${"x".repeat(2000)}…` }]]);
});
