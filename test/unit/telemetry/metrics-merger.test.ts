import assert from "node:assert/strict";
import { test } from "node:test";
import { createMetricsMerger } from "../../../src/telemetry/metrics-merger.ts";
import { createTelemetry } from "../../../src/telemetry/telemetry.ts";

function createProcess() {
  const telemetry = createTelemetry({ log: () => {}, processMetrics: true });
  telemetry.register("orders");
  // Through JSON, as between processes.
  const snapshot = async () => JSON.parse(JSON.stringify(await telemetry.metricsSnapshot()));
  return { telemetry, snapshot };
}

function sampleOf(text: string, series: string): number {
  const line = text.split("\n").find((each) => each.startsWith(`${series} `));
  return Number(line?.slice(series.length + 1));
}

test("counters, gauges and histograms of processes are added up, in Prometheus's text", async () => {
  const [one, two] = [createProcess(), createProcess()];
  one.telemetry.count("polled_events", "orders", 3);
  two.telemetry.count("polled_events", "orders", 4);
  one.telemetry.gauge("buffered_bytes", "orders", 10);
  two.telemetry.gauge("buffered_bytes", "orders", 5);
  one.telemetry.invocation("orders", "succeeded", 100);
  two.telemetry.invocation("orders", "functionError", 100);
  const merger = createMetricsMerger();
  merger.update("1", await one.snapshot());
  merger.update("2", await two.snapshot());
  const text = await merger.text();
  assert.equal(sampleOf(text, 'millrace_polled_events_total{mapping="orders"}'), 7);
  assert.equal(sampleOf(text, 'millrace_buffered_bytes{mapping="orders"}'), 15);
  assert.equal(sampleOf(text, 'millrace_invocation_duration_seconds_count{mapping="orders"}'), 2);
  assert.equal(sampleOf(text, 'millrace_invocations_total{mapping="orders",outcome="functionError"}'), 1);
  assert.match(text, /^process_resident_memory_bytes \d+/m);
});

test("what a process had counted stays counted when it has ended; what it held does not", async () => {
  const [one, two] = [createProcess(), createProcess()];
  one.telemetry.count("polled_events", "orders", 3);
  one.telemetry.gauge("buffered_bytes", "orders", 10);
  two.telemetry.count("polled_events", "orders", 4);
  const merger = createMetricsMerger();
  merger.update("1", await one.snapshot());
  merger.update("2", await two.snapshot());
  merger.retire("1");
  merger.retire("never seen");
  const again = createProcess();
  again.telemetry.count("polled_events", "orders", 1);
  merger.update("1", await again.snapshot());
  merger.retire("1");
  const text = await merger.text();
  assert.equal(sampleOf(text, 'millrace_polled_events_total{mapping="orders"}'), 8);
  assert.equal(sampleOf(text, 'millrace_buffered_bytes{mapping="orders"}'), 0);
});
