import assert from "node:assert/strict";
import { test } from "node:test";
import { startOtlpCollector } from "../../servers/otlp-collector.ts";
import { until } from "../cli/millrace-process.ts";
import { FailingWorld } from "./failing-world.ts";

const RECORDS = 4;

test("a span of a redrive is linked to the attempt that its record failed with", async (t) => {
  const collector = await startOtlpCollector();
  t.after(() => collector.close());
  const options = { records: RECORDS, keys: 2, shards: 1, destination: "file:failed.jsonl" };
  const world = await FailingWorld.create(t, options);
  const run = world.run({
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_BSP_SCHEDULE_DELAY: "200" },
  });
  const api = await run.apiUrl();
  await world.givenUp(run, RECORDS);
  world.isBroken = false;
  const { status, stdout } = await world.command(api, "redrive", "--mapping", "orders-stream");
  assert.equal(status, 0, stdout);
  run.kill("SIGTERM");
  await run.ended;
  const invocations = () => collector.spans.filter(({ name }) => name.startsWith("process"));
  await until(
    () => invocations().length >= 2 * RECORDS,
    () => JSON.stringify(collector.spans.map(({ name, links }) => [name, links])),
  );
  assert.deepEqual(collector.faults, []);
  const failed = invocations().filter(({ error }) => error !== undefined);
  const again = invocations().filter(({ error }) => error === undefined);
  assert.deepEqual([failed.length, again.length], [RECORDS, RECORDS]);
  const linked = again.flatMap(({ links }) => links.map(({ traceId, spanId }) => `${traceId}/${spanId}`));
  assert.deepEqual(
    linked.toSorted(),
    failed.map(({ traceId, spanId }) => `${traceId}/${spanId}`).toSorted(),
    "each to its own",
  );
});
