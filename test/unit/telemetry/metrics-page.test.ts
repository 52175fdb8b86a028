import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { exposedMetrics } from "./exposed-metrics.ts";

const PAGE = readFileSync(new URL("../../../docs/metrics.md", import.meta.url), "utf8");

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
