import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Worker } from "node:worker_threads";

/**
 * In a thread of its own: what other tests hold is not to be seen. Holds its event loop for so long, then says what was
 * seen.
 */
const SCRIPT = `
  const { parentPort, workerData } = require("node:worker_threads");
  (async () => {
    const { Registry } = await import(workerData.client);
    const { addEventLoopProbe } = await import(workerData.probe);
    const registry = new Registry();
    addEventLoopProbe(registry);
    const alive = setInterval(() => {}, 1_000);
    await new Promise((resolve) => setTimeout(resolve, 200));
    for (const endMs = performance.now() + workerData.holdMs; performance.now() < endMs; );
    const name = "millrace_event_loop_step_seconds";
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      const { values } = await registry.getSingleMetric(name).get();
      const valueOf = (labels) => values.find((value) => JSON.stringify(value.labels) === JSON.stringify(labels))?.value ?? 0;
      const all = values.find(({ metricName }) => metricName === name + "_count")?.value ?? 0;
      if (all === 0) continue;
      parentPort.postMessage({ all, short: valueOf({ le: 0.2 }) });
      clearInterval(alive);
      return;
    }
  })();
`;

test("the probe of the event loop sees a planted step of 300 ms", async (t) => {
  const workerData = {
    client: import.meta.resolve("prom-client"),
    probe: new URL("../../../src/telemetry/event-loop-probe.ts", import.meta.url).href,
    holdMs: 300,
  };
  const worker = new Worker(SCRIPT, { eval: true, workerData });
  t.after(() => worker.terminate());
  const [seen]: { readonly all: number; readonly short: number }[] = await once(worker, "message");
  assert.ok(seen !== undefined && seen.all > seen.short, JSON.stringify(seen));
});
