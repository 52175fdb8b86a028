import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
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

test("a mapping that one process stops keeps what was counted of it while another runs it, and none of its gauges", async () => {
  const [one, two] = [createProcess(), createProcess()];
  for (const { telemetry } of [one, two]) {
    telemetry.count("polled_events", "orders", 5);
    telemetry.observe("batch_size_records", "orders", 5);
    telemetry.gauge("owned_shards", "orders", 2);
  }
  const merger = createMetricsMerger();
  merger.update("1", await one.snapshot());
  merger.update("2", await two.snapshot());
  one.telemetry.unregister("orders");
  merger.update("1", await one.snapshot());
  const stopped = await merger.text();
  assert.equal(sampleOf(stopped, 'millrace_polled_events_total{mapping="orders"}'), 10);
  assert.equal(sampleOf(stopped, 'millrace_batch_size_records_count{mapping="orders"}'), 2);
  assert.equal(sampleOf(stopped, 'millrace_owned_shards{mapping="orders"}'), 2);
  one.telemetry.count("polled_events", "orders", 1);
  merger.update("1", await one.snapshot());
  assert.equal(sampleOf(await merger.text(), 'millrace_polled_events_total{mapping="orders"}'), 11);
});

test("a mapping that runs in no process has no series, and begins at 0 when it runs again", async () => {
  const [one, two] = [createProcess(), createProcess()];
  const merger = createMetricsMerger();
  for (const [id, { telemetry, snapshot }] of Object.entries({ 1: one, 2: two })) {
    telemetry.count("polled_events", "orders", 5);
    telemetry.gauge("owned_shards", "orders", 2);
    telemetry.register("payments");
    merger.update(id, await snapshot());
    telemetry.unregister("orders");
    merger.update(id, await snapshot());
  }
  const text = await merger.text();
  assert.ok(!text.includes('mapping="orders"'));
  assert.equal(sampleOf(text, 'millrace_polled_events_total{mapping="payments"}'), 0);
  one.telemetry.register("orders");
  merger.update("1", await one.snapshot());
  assert.equal(sampleOf(await merger.text(), 'millrace_polled_events_total{mapping="orders"}'), 0);
});

/** Of the page of metrics: the rule that each metric is merged by, where it is not the sum. */
function statedRules(): Map<string, string> {
  const page = readFileSync(new URL("../../../docs/metrics.md", import.meta.url), "utf8");
  const rows = [...page.matchAll(/^\| (largest|smallest|left out) \| (.*) \|$/gm)];
  return new Map(
    rows.flatMap(([, rule = "", names = ""]) =>
      [...names.matchAll(/`(\w+)`/g)].map(([, name = ""]) => [name, rule] as const),
    ),
  );
}

test("every metric is merged by the rule that the page of metrics states", async () => {
  const { telemetry, snapshot } = createProcess();
  telemetry.offsetLag("orders", "orders-0", 1);
  const shards = [{ shardId: "s", oldestAgeMs: 5 }];
  telemetry.watch(() => [{ name: "orders", state: "Enabled", oldestAgeMs: 5, shards }]);
  telemetry.invocation("orders", "succeeded", 1);
  const metrics = (await snapshot()) as { name: string; values: { value: number; labels: object }[] }[];
  const merger = createMetricsMerger();
  const withValue = (value: number) =>
    metrics.map((metric) => ({
      ...metric,
      values: (metric.values.length > 0 ? metric.values : [{ labels: {} }]).map((each) => ({
        ...each,
        value,
      })),
    }));
  merger.update("1", withValue(1));
  merger.update("2", withValue(3));
  const text = await merger.text();
  const rules = metrics.map(({ name }) => {
    const [, value] = new RegExp(`^${name}(?:_count|_sum)?(?:{.*})? (\\d+)$`, "m").exec(text) ?? [];
    return [name, { 4: "sum", 3: "largest", 1: "smallest" }[value ?? ""] ?? "left out"] as const;
  });
  assert.ok(rules.filter(([, rule]) => rule === "sum").length > 40);
  assert.deepEqual(
    new Map(rules.filter(([, rule]) => rule !== "sum").toSorted()),
    new Map([...statedRules()].toSorted()),
  );
});
