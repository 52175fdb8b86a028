import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { createRuntimeFunction } from "../../../src/functions/runtime/runtime-function.ts";
import { createTelemetry } from "../../../src/telemetry/telemetry.ts";

const CODE = join(import.meta.dirname, "../../fixtures/functions/powertools");

test("a handler with Powertools for TypeScript has its metrics on Millrace's page of metrics, unchanged", async (t) => {
  const telemetry = createTelemetry({ log: () => undefined, processMetrics: false });
  const target = await createRuntimeFunction({
    functionName: "orders",
    runtime: "nodejs24.x",
    handler: "index.handler",
    command: undefined,
    codeFolder: CODE,
    layerFolders: [],
    memoryMb: 512,
    concurrency: 1,
    environment: {},
    log: { line: ({ fn, text }) => telemetry.functionLine(fn, text) },
    watch: telemetry.watchOf("orders"),
  });
  t.after(() => target.close());
  for (const [requestId, event] of [
    ["r-1", { sold: 2, seconds: [0.5, 1.5] }],
    ["r-2", { sold: 3, seconds: [0.25] }],
  ] as const) {
    const outcome = await target.invoke(
      Buffer.from(JSON.stringify(event)),
      // What it printed is read when the call has its outcome.
      {
        requestId,
        functionName: "orders",
        functionArn: "arn",
        deadlineMs: 0,
        timeoutMs: 60_000,
        logs: "tail",
      },
      new AbortController().signal,
    );
    assert.equal(outcome.kind, "succeeded", JSON.stringify(outcome));
  }
  const text = await telemetry.metricsText();
  const figure = (name: string, metric: string, unit: string, dimensions: string) => {
    const labels = `function="orders",namespace="shop",metric="${metric}",unit="${unit}",dimensions="${dimensions}"`;
    const line = text
      .split("\n")
      .find((each) => each.startsWith(`millrace_function_embedded_${name}{${labels}} `));
    return Number(line?.split(" ").at(-1));
  };
  const dimensions = "service=orders,stage=test";
  assert.equal(figure("samples_total", "sold", "Count", dimensions), 2, text);
  assert.equal(figure("sum", "sold", "Count", dimensions), 5);
  assert.equal(figure("samples_total", "latency", "Seconds", dimensions), 3, "an array of values");
  assert.equal(figure("sum", "latency", "Seconds", dimensions), 2.25);
  assert.equal(figure("max", "latency", "Seconds", dimensions), 1.5);
  assert.equal(figure("last", "latency", "Seconds", dimensions), 0.25);
  assert.equal(figure("sum", "ColdStart", "Count", "function_name=orders,service=orders"), 1);
  assert.match(text, /millrace_function_cold_starts_total\{function="orders"\} 1\n/);
  assert.match(text, /millrace_function_environments\{function="orders",state="(idle|busy)"\} 1\n/);
});
