import assert from "node:assert/strict";
import { test } from "node:test";
import { hasErrorCode } from "../../../../src/model/errors.ts";
import type { StartPoint, StreamRecord } from "../../../../src/model/record.ts";
import type { ShardReader } from "../../../../src/ports/stream-source.ts";
import {
  ALL_HASH_KEYS,
  apiRecord,
  FakeKinesis,
  NO_ABORT,
  openFakeSource,
  SHARD_ID,
  sequence,
} from "./fake-kinesis.ts";

const OLDEST: StartPoint = { kind: "oldest" };

function streamOf(count: number): FakeKinesis {
  const api = new FakeKinesis();
  api.stored = Array.from({ length: count }, (_, index) => apiRecord(index));
  return api;
}

/** Reads `reads` times, in due time. */
async function readTimes(api: FakeKinesis, reader: ShardReader, reads: number, recordsMax = 2) {
  const records: StreamRecord[] = [];
  let trimmed = 0;
  for (let count = 0; count < reads; count++) {
    const read = await reader.read(recordsMax, 1_000_000, NO_ABORT);
    records.push(...read.records);
    if (read.trimmed) trimmed++;
    api.nowMs += read.readAgainAfterMs;
  }
  return { positions: records.map(({ position }) => position), trimmed };
}

test("an expired iterator is replaced by one behind the last record, without loss or repetition", async () => {
  const api = streamOf(6);
  const reader = await openFakeSource(api).openReader(SHARD_ID, OLDEST, NO_ABORT);
  const before = await readTimes(api, reader, 1);
  api.faults.push({ action: "records", kind: "expiredIterator" });
  const after = await readTimes(api, reader, 4);
  assert.deepEqual(
    [...before.positions, ...after.positions],
    Array.from({ length: 6 }, (_, index) => sequence(index)),
  );
  assert.deepEqual(api.callsOf("iterator").at(-1)?.place, { kind: "after", sequenceNumber: sequence(1) });
});

test("an iterator that expires before anything was read is replaced by one at the start", async () => {
  for (const start of [OLDEST, { kind: "timestamp", epochMs: 1_003 } as const]) {
    const api = streamOf(6);
    const reader = await openFakeSource(api).openReader(SHARD_ID, start, NO_ABORT);
    api.faults.push({ action: "records", kind: "expiredIterator" });
    const { positions } = await readTimes(api, reader, 5);
    assert.equal(positions[0], sequence(start === OLDEST ? 0 : 3));
  }
});

test("iterators that are refused again and again are a failure, not a loop", async () => {
  const api = streamOf(1);
  const reader = await openFakeSource(api).openReader(SHARD_ID, OLDEST, NO_ABORT);
  for (let count = 0; count < 10; count++) api.faults.push({ action: "records", kind: "invalidArgument" });
  await assert.rejects(readTimes(api, reader, 10), (error) =>
    hasErrorCode(error, "ERR_MILLRACE_SOURCE_UNAVAILABLE"),
  );
});

test("a throttled read says so and keeps its place", async () => {
  const api = streamOf(4);
  const reader = await openFakeSource(api).openReader(SHARD_ID, OLDEST, NO_ABORT);
  await readTimes(api, reader, 1);
  api.faults.push({ action: "records", kind: "throttled" });
  await assert.rejects(reader.read(2, 1_000_000, NO_ABORT), (error) =>
    hasErrorCode(error, "ERR_MILLRACE_SOURCE_THROTTLED"),
  );
  api.nowMs += 1_000;
  const { positions } = await readTimes(api, reader, 1);
  assert.deepEqual(positions, [sequence(2), sequence(3)]);
});

test("a trimmed position is continued from the oldest record, and says so once", async () => {
  const api = streamOf(6);
  api.trimmedBelow = sequence(4);
  const start = { kind: "after", position: sequence(1) } as const;
  const reader = await openFakeSource(api).openReader(SHARD_ID, start, NO_ABORT);
  const { positions, trimmed } = await readTimes(api, reader, 12, 1);
  assert.deepEqual(positions, [sequence(4), sequence(5)]);
  assert.equal(trimmed, 1);
});

for (const kind of ["invalidArgument", "notFound"] as const) {
  test(`one ${kind} at a known place that passes repeats nothing and is no gap`, async () => {
    const api = streamOf(6);
    api.faults.push({ action: "iterator", kind });
    const start = { kind: "after", position: sequence(3) } as const;
    const reader = await openFakeSource(api).openReader(SHARD_ID, start, NO_ABORT);
    const { positions, trimmed } = await readTimes(api, reader, 3);
    assert.deepEqual([positions, trimmed], [[sequence(4), sequence(5)], 0]);
  });
}

test("a place that stays refused in the same stream gives nothing again that was read before it", async () => {
  const api = streamOf(6);
  for (let count = 0; count < 7; count++) api.faults.push({ action: "iterator", kind: "invalidArgument" });
  const start = { kind: "after", position: sequence(3) } as const;
  const reader = await openFakeSource(api).openReader(SHARD_ID, start, NO_ABORT);
  const { positions, trimmed } = await readTimes(api, reader, 20);
  assert.deepEqual([positions, trimmed], [[sequence(4), sequence(5)], 1]);
});

test("a stream that was made anew while it was stopped is read from its beginning, and that is told", async () => {
  const api = streamOf(6);
  const source = openFakeSource(api);
  const start = { kind: "after", position: sequence(3) } as const;
  const reader = await source.openReader(SHARD_ID, start, NO_ABORT, "created:1");
  const first = await reader.read(10, 1_000_000, NO_ABORT);
  assert.deepEqual(
    [first.anew?.because, first.anew?.from, first.records.length],
    ["remade", { kind: "oldest" }, 0],
  );
  const { positions } = await readTimes(api, reader, 5);
  assert.equal(positions.length, 6);
  assert.equal(first.logId, "created:1000");
});

test("a stream that is made anew under a reader is read from its beginning within a minute, whatever places it accepts", async () => {
  const api = streamOf(6);
  const reader = await openFakeSource(api).openReader(SHARD_ID, OLDEST, NO_ABORT);
  await readTimes(api, reader, 5);
  api.createdMs = 2_000;
  api.stored = Array.from({ length: 3 }, (_, index) => apiRecord(index));
  const said: string[] = [];
  const positions: string[] = [];
  for (let reads = 0; reads < 80; reads++) {
    const read = await reader.read(10, 1_000_000, NO_ABORT);
    if (read.anew !== undefined) said.push(read.anew.because);
    positions.push(...read.records.map(({ position }) => position));
    api.nowMs += read.readAgainAfterMs;
  }
  assert.deepEqual(said, ["remade"]);
  assert.deepEqual(positions, [sequence(0), sequence(1), sequence(2)]);
});

test("a service that gives another moment of creation with each answer says nothing of the stream", async () => {
  const api = streamOf(6);
  let moment = 0;
  api.describeStream = async () => ({ createdMs: ++moment });
  const start = { kind: "after", position: sequence(3) } as const;
  const reader = await openFakeSource(api).openReader(SHARD_ID, start, NO_ABORT);
  for (let reads = 0; reads < 130; reads++) {
    const read = await reader.read(10, 1_000_000, NO_ABORT);
    assert.equal(read.anew, undefined);
    api.nowMs += read.readAgainAfterMs;
  }
});

test("a shard that is gone is not found, and not taken for a trimmed position", async () => {
  const api = streamOf(1);
  api.faults.push({ action: "iterator", kind: "notFound" }, { action: "iterator", kind: "notFound" });
  const start = { kind: "after", position: sequence(0) } as const;
  const reader = await openFakeSource(api).openReader(SHARD_ID, start, NO_ABORT);
  await assert.rejects(reader.read(1, 1_000_000, NO_ABORT), (error) =>
    hasErrorCode(error, "ERR_MILLRACE_SOURCE_NOT_FOUND"),
  );
});

test("polling takes up a place inside an aggregate, which fan-out left, at the whole aggregate", async () => {
  const api = streamOf(6);
  const start = { kind: "after", position: `${sequence(2)}.1` } as const;
  const reader = await openFakeSource(api).openReader(SHARD_ID, start, NO_ABORT);
  const { positions } = await readTimes(api, reader, 1);
  assert.deepEqual(positions, [sequence(2), sequence(3)]);
});

test("a position of another kind of source is refused with what to do", async () => {
  const source = openFakeSource(streamOf(1));
  const start = { kind: "after", position: "partition-7:12" } as const;
  await assert.rejects(
    source.openReader(SHARD_ID, start, NO_ABORT),
    /is not a position of a Kinesis stream.*new uuid/,
  );
});

test("children that the end of a shard names are listed before the service lists them", async () => {
  const api = streamOf(1);
  api.closed = true;
  const child = (index: number) => ({
    shardId: `shardId-00000000000${index}`,
    parentShardIds: [SHARD_ID],
    closed: false,
    hashKeys: ALL_HASH_KEYS,
  });
  api.childShards = [child(1), child(2)];
  const source = openFakeSource(api);
  const reader = await source.openReader(SHARD_ID, OLDEST, NO_ABORT);
  const { endOfShard } = await reader.read(10, 1_000_000, NO_ABORT);
  assert.equal(endOfShard, true);
  const shards = await source.listShards(NO_ABORT);
  assert.deepEqual(
    shards.map(({ shardId, parentShardIds }) => [shardId, parentShardIds]),
    [
      [SHARD_ID, []],
      ["shardId-000000000001", [SHARD_ID]],
      ["shardId-000000000002", [SHARD_ID]],
    ],
  );
  // Once the service has listed them, it alone decides: one that it forgets does not come back.
  api.listed = [child(1), child(2)];
  await source.listShards(NO_ABORT);
  api.listed = [child(2)];
  assert.deepEqual(
    (await source.listShards(NO_ABORT)).map(({ shardId }) => shardId),
    ["shardId-000000000002"],
  );
});

test("the latest place is behind the last record, or a moment when there was none lately", async () => {
  const api = streamOf(6);
  api.nowMs = 2_000;
  const busy = await openFakeSource(api).captureLatest(SHARD_ID, NO_ABORT);
  assert.deepEqual(busy, { kind: "after", position: sequence(5) });
  api.nowMs = 60_000;
  const quiet = await openFakeSource(api).captureLatest(SHARD_ID, NO_ABORT);
  assert.deepEqual(quiet, { kind: "timestamp", epochMs: 59_000 });
});

/** The next answers to GetRecords hold nothing at all, as those of a server do that only looks like the service. */
function answerNothing(api: FakeKinesis, times: number): void {
  const { records } = api;
  let left = times;
  api.records = async (...call) => {
    const page = await records.apply(api, call);
    return left-- > 0 ? { records: [], nextIterator: undefined, lagMs: 0, childShards: [] } : page;
  };
}

test("one page without records and without a next iterator is not believed to be the end of a shard", async () => {
  const api = streamOf(6);
  const reader = await openFakeSource(api).openReader(SHARD_ID, OLDEST, NO_ABORT);
  const before = await readTimes(api, reader, 1);
  answerNothing(api, 1);
  const after = await readTimes(api, reader, 5);
  assert.deepEqual(
    [...before.positions, ...after.positions],
    api.stored.map((record) => record.sequenceNumber),
  );
});

test("a shard that two iterators one after another say to be over is over", async () => {
  const api = streamOf(2);
  api.closed = true;
  const reader = await openFakeSource(api).openReader(
    SHARD_ID,
    { kind: "after", position: sequence(1) },
    NO_ABORT,
  );
  let reads = 0;
  for (; reads < 5; reads++) if ((await reader.read(2, 1_000_000, NO_ABORT)).endOfShard) break;
  assert.ok(reads < 5);
  assert.deepEqual([api.callsOf("iterator").length, api.callsOf("records").length], [2, 2]);
});
