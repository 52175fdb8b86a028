import { createTelemetry } from "../../../src/telemetry/telemetry.ts";

/** Labels that no table lists: of histograms, Prometheus's own. */
const OWN_LABELS = ["le"];

const EMBEDDED = JSON.stringify({
  _aws: {
    Timestamp: 0,
    CloudWatchMetrics: [
      { Namespace: "shop", Dimensions: [["service"]], Metrics: [{ Name: "sold", Unit: "Count" }] },
    ],
  },
  service: "orders",
  sold: 1,
});

/** Metrics with their labels, as a process exposes them in which everything has happened. */
export async function exposedMetrics(): Promise<Map<string, Set<string>>> {
  const telemetry = createTelemetry({ log: () => undefined, processMetrics: true, version: "1.2.3" });
  telemetry.register("m");
  telemetry.offsetLag("m", "p", 1);
  telemetry.invocation("m", "succeeded", 1);
  telemetry.functionRunning("f", 1);
  telemetry.functionGrant("f", 1);
  telemetry.ticks.ticked("default/nightly", 5);
  telemetry.ticks.missed("default/nightly", 1);
  telemetry.functionCall("f", "api", "succeeded", 1, 0);
  telemetry.front.answered("r", 200, 1);
  const watch = telemetry.watchOf("f");
  watch.moved(undefined, "starting");
  watch.memory(1);
  telemetry.functionLine("f", EMBEDDED);
  telemetry.asyncCount("async_events_received", "f", 1);
  telemetry.asyncAge("f", 1);
  telemetry.watchEvents(() => [{ lane: "f:f", items: 1, bytes: 2, oldestMs: 3 }]);
  const shards = [{ shardId: "s", oldestAgeMs: 5 }];
  const standstills = [{ reason: "sourceGone", seconds: 60 }];
  telemetry.watchDrift(() => new Map([["function", 1]]));
  telemetry.watch(() => [{ name: "m", state: "Enabled", oldestAgeMs: 5, shards, standstills }]);
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
