import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { createTelemetry } from "../../../src/telemetry/telemetry.ts";

const PAGE = readFileSync(new URL("../../../deploy/metrics.md", import.meta.url), "utf8");

/** Labels that no table lists: of histograms, Prometheus's own. */
const OWN_LABELS = ["le"];

/** Metrics with their labels, as a process exposes them in which everything has happened. */
async function exposedMetrics(): Promise<Map<string, Set<string>>> {
  const telemetry = createTelemetry({ log: () => undefined, processMetrics: true, version: "1.2.3" });
  telemetry.register("m");
  telemetry.offsetLag("m", "p", 1);
  telemetry.invocation("m", "succeeded", 1);
  const shards = [{ shardId: "s", oldestAgeMs: 5 }];
  telemetry.watch(() => [{ name: "m", state: "Enabled", oldestAgeMs: 5, shards }]);
  const metrics = new Map<string, Set<string>>();
  const text = await telemetry.metricsText();
  const histograms = [...text.matchAll(/^# TYPE (\w+) histogram$/gm)].map((match) => match[1] ?? "");
  for (const [, name = ""] of text.matchAll(/^# TYPE (\w+) /gm)) metrics.set(name, new Set());
  for (const line of text.split("\n")) {
    const [, sample = "", labels = ""] = /^(\w+)(?:\{(.*)\})? /.exec(line) ?? [];
    if (sample === "") continue;
    const base = histograms.find((name) => sample.startsWith(`${name}_`)) ?? sample;
    const known = metrics.get(base) ?? new Set();
    for (const match of labels.matchAll(/(\w+)="/g)) known.add(match[1] ?? "");
    for (const own of OWN_LABELS) known.delete(own);
    metrics.set(base, known);
  }
  return metrics;
}

/** Rows of tables with a column of labels: the metrics of the first cell, the labels of the second. */
function listedMetrics(): Map<string, Set<string>> {
  const metrics = new Map<string, Set<string>>();
  for (const line of PAGE.split("\n")) {
    const cells = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
    if (cells.length !== 5) continue;
    const [, names = "", labels = ""] = cells;
    for (const [, name = ""] of names.matchAll(/`(millrace_\w+)`/g)) {
      metrics.set(name, new Set([...labels.matchAll(/`(\w+)`/g)].map((match) => match[1] ?? "")));
    }
  }
  return metrics;
}

test("the page of metrics lists what a process exposes, with its labels, and nothing else", async () => {
  const exposed = await exposedMetrics();
  const own = [...exposed].filter(([name]) => name.startsWith("millrace_"));
  assert.ok(own.length > 40);
  const sorted = (metrics: Iterable<readonly [string, Set<string>]>) =>
    [...metrics].map(([name, labels]) => `${name} ${[...labels].sort().join(",")}`).sort();
  assert.deepEqual(sorted(listedMetrics()), sorted(own));
});

test("every metric that the page speaks of exists, those of prom-client too", async () => {
  const exposed = await exposedMetrics();
  const named = [...PAGE.matchAll(/\b(millrace_\w+|nodejs_\w+|process_\w+)/g)].map((match) => match[1] ?? "");
  assert.deepEqual(
    [...new Set(named)].filter((name) => !exposed.has(name)),
    [],
  );
});

test("the page answers for each of AWS's metrics of event source mappings and synchronous invocation", () => {
  const rows = PAGE.split("\n")
    .filter((line) => /^\| [A-Z]/.test(line))
    .join("\n");
  for (const name of [
    "PolledEventCount",
    "FilteredOutEventCount",
    "InvokedEventCount",
    "FailedInvokeEventCount",
    "DroppedEventCount",
    "OnFailureDestinationDeliveredEventCount",
    "DeletedEventCount",
    "ProvisionedPollers",
    "IteratorAge",
    "OffsetLag",
    "MaxOffsetLag",
    "SumOffsetLag",
    "Invocations",
    "Errors",
    "Throttles",
    "Duration",
    "ConcurrentExecutions",
    "DestinationDeliveryFailures",
  ]) {
    assert.match(rows, new RegExp(`\\b${name}\\b`), name);
  }
});
