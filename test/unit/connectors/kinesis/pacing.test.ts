import assert from "node:assert/strict";
import { test } from "node:test";
import { KINESIS_QUOTA, ShardQuotas } from "../../../../connectors/kinesis/shard-quota.ts";
import type { StartPoint } from "../../../../src/model/record.ts";
import { apiRecord, FakeKinesis, NO_ABORT, openFakeSource, readUntil, SHARD_ID } from "./fake-kinesis.ts";

const OLDEST: StartPoint = { kind: "oldest" };

function manyRecords(count: number, bytes: number) {
  return Array.from({ length: count }, (_, index) => apiRecord(index, Buffer.alloc(bytes)));
}

/** Most calls within any second. */
function busiestSecond(api: FakeKinesis): number {
  const times = api.callsOf("records").map(({ atMs }) => atMs);
  return Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + 1_000).length));
}

test("a reader that is behind makes five calls in every second, and never a sixth", async () => {
  const api = new FakeKinesis();
  api.stored = manyRecords(10_000, 10);
  const reader = await openFakeSource(api).openReader(SHARD_ID, OLDEST, NO_ABORT);
  await readUntil(api, [reader], 9_999);
  assert.equal(busiestSecond(api), 5);
  assert.ok(api.callsOf("records").length >= 49);
});

test("mappings that read the same shard share its five calls, and each gets its part", async () => {
  const api = new FakeKinesis();
  api.stored = manyRecords(10_000, 10);
  const quotas = new ShardQuotas(KINESIS_QUOTA, () => api.nowMs);
  const readers = await Promise.all(
    [0, 1, 2].map(() => openFakeSource(api, { quotas }).openReader(SHARD_ID, OLDEST, NO_ABORT)),
  );
  const records = await readUntil(api, readers, 9_999);
  assert.equal(busiestSecond(api), 5);
  assert.ok(api.callsOf("records").length >= 49, `${api.callsOf("records").length} calls`);
  assert.ok(
    records.every((count) => count >= 1_500),
    `uneven: ${records}`,
  );
});

test("a reader that uses its turns late does not make up for them", async () => {
  const api = new FakeKinesis();
  api.stored = manyRecords(10_000, 10);
  const quotas = new ShardQuotas(KINESIS_QUOTA, () => api.nowMs);
  const readers = await Promise.all(
    [0, 1, 2, 3, 4, 5].map(() => openFakeSource(api, { quotas }).openReader(SHARD_ID, OLDEST, NO_ABORT)),
  );
  await readUntil(api, readers, 2_000);
  // All stand still, with turns in their hands, and come back at once.
  api.nowMs = 3_100;
  await readUntil(api, readers, 6_000);
  assert.equal(busiestSecond(api), 5);
});

test("a response of 10 MiB is worked off for five seconds before the next call", async () => {
  const api = new FakeKinesis();
  api.stored = manyRecords(25, 1024 * 1024);
  const reader = await openFakeSource(api).openReader(SHARD_ID, OLDEST, NO_ABORT);
  await readUntil(api, [reader], 11_000, 10);
  const [first, second, third] = api.callsOf("records").map(({ atMs }) => atMs);
  assert.ok(second !== undefined && first !== undefined && third !== undefined);
  assert.ok(second - first >= 5_000 && second - first < 5_100);
  assert.ok(third - second >= 5_000);
});

test("a caught-up reader polls once a second, and fast again once there is more", async () => {
  const api = new FakeKinesis();
  const reader = await openFakeSource(api).openReader(SHARD_ID, OLDEST, NO_ABORT);
  await readUntil(api, [reader], 9_999);
  assert.equal(api.callsOf("records").length, 10);
  api.stored = manyRecords(1_000, 10);
  const startMs = api.nowMs;
  const [records] = await readUntil(api, [reader], startMs + 4_000);
  assert.equal(records, 1_000);
});

test("a read before its time asks nothing, keeps its place and does not claim to have caught up", async () => {
  const api = new FakeKinesis();
  api.stored = manyRecords(3, 10);
  const reader = await openFakeSource(api).openReader(SHARD_ID, OLDEST, NO_ABORT);
  const first = await reader.read(1, 1_000_000, NO_ABORT);
  const early = await reader.read(1, 1_000_000, NO_ABORT);
  assert.deepEqual([first.records.length, early.records.length], [1, 0]);
  assert.ok((early.lagMs ?? 0) > 0 && early.readAgainAfterMs > 0 && early.readAgainAfterMs <= 200);
  assert.equal(api.callsOf("records").length, 1);
  api.nowMs += early.readAgainAfterMs;
  const again = await reader.read(1, 1_000_000, NO_ABORT);
  assert.equal(again.records.length, 1);
});

test("what a page held beyond the bounds of a read comes without another call", async () => {
  const api = new FakeKinesis();
  api.stored = manyRecords(10, 1_000);
  const reader = await openFakeSource(api).openReader(SHARD_ID, OLDEST, NO_ABORT);
  const sizes: number[] = [];
  for (let reads = 0; reads < 5; reads++) sizes.push((await reader.read(10, 4_000, NO_ABORT)).records.length);
  assert.deepEqual(sizes, [2, 2, 2, 2, 2]);
  assert.equal(api.callsOf("records").length, 1);
});

test("a read that waits for its turn says that nothing was asked", async () => {
  const api = new FakeKinesis();
  const source = openFakeSource(api);
  const [first, second] = [
    await source.openReader(SHARD_ID, { kind: "oldest" }, NO_ABORT),
    await source.openReader(SHARD_ID, { kind: "oldest" }, NO_ABORT),
  ];
  assert.equal((await first.read(10, 1_000, NO_ABORT)).nothingHeard, undefined);
  const waiting = await second.read(10, 1_000, NO_ABORT);
  assert.ok(waiting.nothingHeard === true && waiting.readAgainAfterMs > 0);
});
