import assert from "node:assert/strict";
import { test } from "node:test";
import { MillraceError } from "../../../src/model/errors.ts";
import type { ProgressStore } from "../../../src/ports/progress-store.ts";
import { createMemoryStore } from "../../../src/stores/memory.ts";
import { SHARD_SERIES_MAX, type WatchedMapping } from "../../../src/telemetry/status-metrics.ts";
import { createTelemetry } from "../../../src/telemetry/telemetry.ts";

function createSubject() {
  let nowMs = 0;
  const telemetry = createTelemetry({
    log: () => undefined,
    processMetrics: false,
    version: "1.2.3",
    clock: { monotonic: () => nowMs },
  });
  return {
    telemetry,
    lines: async () => (await telemetry.metricsText()).split("\n"),
    passMs: (ms: number) => {
      nowMs += ms;
    },
  };
}

test("shows a mapping's state and lag as they are at each scrape, and no longer than it is there", async () => {
  const { telemetry, lines } = createSubject();
  let status: readonly WatchedMapping[] = [
    { name: "a", state: "Enabled", oldestAgeMs: 1500, shards: [{ shardId: "s1", oldestAgeMs: 1500 }] },
  ];
  telemetry.watch(() => status);
  const first = await lines();
  assert(first.includes('millrace_lag_seconds{mapping="a"} 1.5'));
  assert(first.includes('millrace_shard_lag_seconds{mapping="a",shard="s1"} 1.5'));
  assert(first.includes('millrace_mapping_state{mapping="a",state="Enabled"} 1'));
  assert(first.includes('millrace_mapping_state{mapping="a",state="Failed"} 0'));
  status = [{ name: "a", state: "Failed", oldestAgeMs: 0, shards: [] }];
  const later = await lines();
  assert(later.includes('millrace_lag_seconds{mapping="a"} 0'));
  assert(later.includes('millrace_mapping_state{mapping="a",state="Failed"} 1'));
  assert(!later.some((line) => line.startsWith("millrace_shard_lag_seconds{")));
  status = [];
  assert(!(await lines()).some((line) => line.startsWith("millrace_mapping_state{")));
});

test("a stream of many shards has a bounded number of series, and its worst shard in the mapping's own", async () => {
  const { telemetry, lines } = createSubject();
  const shards = Array.from({ length: 5000 }, (_, index) => ({ shardId: `s${index}`, oldestAgeMs: index }));
  telemetry.watch(() => [{ name: "a", state: "Enabled", oldestAgeMs: 4999, shards }]);
  const text = await lines();
  assert.equal(
    text.filter((line) => line.startsWith("millrace_shard_lag_seconds{")).length,
    SHARD_SERIES_MAX,
  );
  assert(text.includes('millrace_lag_seconds{mapping="a"} 4.999'));
});

test("tells the version", async () => {
  assert((await createSubject().lines()).includes('millrace_build_info{version="1.2.3"} 1'));
});

test("measures a store's calls, failed ones too, and gives its answers and errors unchanged", async () => {
  const { telemetry, lines, passMs } = createSubject();
  const inner = createMemoryStore();
  const down = new MillraceError("ERR_MILLRACE_STORE_UNAVAILABLE", "down");
  const flaky: ProgressStore = {
    ...inner,
    list: async (uuid) => {
      passMs(30);
      return await inner.list(uuid);
    },
    renew: async () => {
      passMs(2000);
      throw down;
    },
  };
  const store = telemetry.observeStore(flaky);
  assert.deepEqual(await store.list("m"), []);
  await assert.rejects(store.renew("m", { shardId: "s", owner: "o", epoch: 1 }), down);
  const text = await lines();
  assert(text.includes('millrace_store_call_duration_seconds_bucket{le="0.025",operation="list"} 0'));
  assert(text.includes('millrace_store_call_duration_seconds_bucket{le="0.05",operation="list"} 1'));
  assert(text.includes('millrace_store_call_duration_seconds_sum{operation="renew"} 2'));
  assert(text.includes('millrace_store_errors_total{operation="renew"} 1'));
  assert(text.includes('millrace_store_errors_total{operation="list"} 0'));
});
