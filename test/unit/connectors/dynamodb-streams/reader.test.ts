import assert from "node:assert/strict";
import { test } from "node:test";
import { MillraceError } from "../../../../src/model/errors.ts";
import type { StartPoint } from "../../../../src/model/record.ts";
import type { ShardRead, ShardReader } from "../../../../src/ports/stream-source.ts";
import { rejectsWith } from "../../../contract/rejects-with.ts";
import { NO_ABORT, OLDEST, throughJson } from "../../../contract/stream-source-harness.ts";
import { openFakeSource } from "./fake-source.ts";
import { FakeStream } from "./fake-stream.ts";

const BYTES_MAX = 4 * 1024 * 1024;
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

interface World {
  readonly stream: FakeStream;
  readonly shardId: string;
  open(start?: StartPoint): Promise<ShardReader>;
}

function createWorld(): World {
  const stream = new FakeStream();
  const shardId = stream.addShard();
  const source = openFakeSource(stream);
  return { stream, shardId, open: (start = OLDEST) => source.openReader(shardId, start, NO_ABORT) };
}

function read(reader: ShardReader, recordsMax = 10_000, bytesMax = BYTES_MAX): Promise<ShardRead> {
  return reader.read(recordsMax, bytesMax, NO_ABORT);
}

const keysOf = ({ records }: ShardRead) => records.map((record) => record.key);

test("no call asks for more than 1,000 records, whatever the engine has room for", async () => {
  const { stream, shardId, open } = createWorld();
  for (let index = 0; index < 1_500; index++) stream.appendItem(shardId, `k${index}`, "x");
  const reader = await open();
  assert.equal((await read(reader, 10_000)).records.length, 1_000);
  assert.equal((await read(reader, 10_000)).records.length, 500);
  assert.deepEqual(
    stream.calls.filter((call) => call.startsWith("GetRecords")),
    ["GetRecords 1000", "GetRecords 1000"],
  );
});

test("an idle shard is read four times a second, one with data five times, and a held page at once", async () => {
  const { stream, shardId, open } = createWorld();
  const reader = await open();
  assert.equal((await read(reader)).readAgainAfterMs, 250);
  for (let index = 0; index < 5; index++) stream.appendItem(shardId, `k${index}`, "x");
  assert.equal((await read(reader)).readAgainAfterMs, 200);
  stream.appendItem(shardId, "a", "x");
  stream.appendItem(shardId, "b", "x");
  const cut = await read(reader, 10, 1);
  assert.deepEqual([keysOf(cut), cut.readAgainAfterMs], [["a"], 0]);
  const calls = stream.calls.length;
  const rest = await read(reader, 10, 1);
  assert.deepEqual([keysOf(rest), rest.readAgainAfterMs], [["b"], 200]);
  assert.equal(stream.calls.length, calls, "what a page held is not asked for again");
});

test("a closed shard ends with the last record that its last page held, and then stays at its end", async () => {
  const { stream, shardId, open } = createWorld();
  for (const key of ["a", "b", "c"]) stream.appendItem(shardId, key, "x");
  stream.closeShard(shardId);
  const reader = await open();
  const ends: unknown[] = [];
  for (let reads = 0; reads < 3; reads++) {
    const found = await read(reader, 10, 1);
    ends.push([keysOf(found), found.endOfShard, found.readAgainAfterMs]);
  }
  assert.deepEqual(ends, [
    [["a"], false, 0],
    [["b"], false, 0],
    [["c"], true, 0],
  ]);
  const calls = stream.calls.length;
  const nothing = await read(reader);
  assert.deepEqual([nothing.records.length, nothing.endOfShard, nothing.lagMs], [0, true, 0]);
  assert.equal(stream.calls.length, calls);
});

test("the time that a call took counts towards the pause behind it", async () => {
  const { stream, open } = createWorld();
  const reader = await open();
  stream.onGetRecords = () => {
    stream.nowMs += 180;
  };
  assert.equal((await read(reader)).readAgainAfterMs, 70);
  stream.onGetRecords = () => {
    stream.nowMs += 900;
  };
  assert.equal((await read(reader)).readAgainAfterMs, 0);
});

test("some empty pages on the way to the next record are not taken for the tip", async () => {
  const { stream, shardId, open } = createWorld();
  stream.appendItem(shardId, "first", "x");
  stream.nowMs += 5_000;
  stream.appendItem(shardId, "second", "x");
  const reader = await open();
  await read(reader, 1);
  stream.emptyPages = 3;
  for (let reads = 0; reads < 3; reads++) {
    const { records, lagMs } = await read(reader);
    assert.deepEqual([records.length, lagMs], [0, 5_000]);
  }
  assert.deepEqual(keysOf(await read(reader)), ["second"]);
  for (let reads = 0; reads < 3; reads++) assert.notEqual((await read(reader)).lagMs, 0);
  assert.equal((await read(reader)).lagMs, 0);
});

test("an iterator that expired is replaced behind the last record read", async () => {
  const { stream, shardId, open } = createWorld();
  for (const key of ["a", "b", "c"]) stream.appendItem(shardId, key, "x");
  const reader = await open();
  await read(reader, 2);
  stream.nowMs += 16 * MINUTE_MS;
  stream.appendItem(shardId, "d", "x");
  const rest = await read(reader);
  assert.deepEqual([keysOf(rest), rest.trimmed], [["c", "d"], false]);
  assert.ok(stream.calls.includes("GetShardIterator after"));
});

test("iterators that are dead on arrival end the read, not in an endless loop, and the next one goes on", async () => {
  const { stream, shardId, open } = createWorld();
  stream.appendItem(shardId, "a", "x");
  const reader = await open();
  stream.onGetRecords = () => stream.expireIterators();
  await rejectsWith("ERR_MILLRACE_SOURCE_UNAVAILABLE", () => read(reader));
  stream.onGetRecords = () => {};
  assert.deepEqual(keysOf(await read(reader)), ["a"]);
});

test("a throttled read keeps its place, and so does one that failed behind a found gap", async () => {
  const { stream, shardId, open } = createWorld();
  for (const key of ["a", "b"]) stream.appendItem(shardId, key, "x");
  const reader = await open();
  await read(reader, 1);
  stream.failures.push(new MillraceError("ERR_MILLRACE_SOURCE_THROTTLED", "slow down"));
  await rejectsWith("ERR_MILLRACE_SOURCE_THROTTLED", () => read(reader));
  assert.deepEqual(keysOf(await read(reader)), ["b"]);

  stream.nowMs += DAY_MS;
  stream.trimBefore(stream.nowMs);
  stream.appendItem(shardId, "c", "x");
  const behind = await open({ kind: "after", position: "100000000000000000001" });
  stream.onGetRecords = () => {
    stream.onGetRecords = () => {};
    throw new MillraceError("ERR_MILLRACE_SOURCE_THROTTLED", "slow down");
  };
  await rejectsWith("ERR_MILLRACE_SOURCE_THROTTLED", () => read(behind));
  const found = await read(behind);
  assert.deepEqual([keysOf(found), found.trimmed], [["c"], true]);
});

test("a start from a timestamp is refused in AWS's words", async () => {
  const { open } = createWorld();
  const error = await rejectsWith("ERR_MILLRACE_CONFIG", () => open({ kind: "timestamp", epochMs: 0 }));
  assert.match(error.message, /^Unsupported starting position for arn type: arn:aws:dynamodb:/);
});

test("a position of another source is not taken for one of this stream", async () => {
  const { open } = createWorld();
  for (const position of ["", "shardId-1", "12x", "@5@it", "12@x@it"]) {
    await rejectsWith("ERR_MILLRACE_SOURCE_NOT_FOUND", () => open({ kind: "after", position }));
  }
});

async function captureLatest({ stream, shardId }: World): Promise<StartPoint> {
  const source = openFakeSource(stream);
  await source.listShards(NO_ABORT);
  return throughJson(await source.captureLatest(shardId, NO_ABORT));
}

test("the latest point of a closed shard is its last sequence number, without a call", async () => {
  const world = createWorld();
  world.stream.appendItem(world.shardId, "a", "x");
  world.stream.closeShard(world.shardId);
  const start = await captureLatest(world);
  assert.deepEqual(world.stream.calls, ["DescribeStream"]);
  const nothing = await read(await world.open(start));
  assert.deepEqual([nothing.records.length, nothing.endOfShard], [0, true]);
});

test("the latest point of a shard that closes during the capture is found by listing once more", async () => {
  const world = createWorld();
  world.stream.onGetRecords = () => world.stream.closeShard(world.shardId);
  const start = await captureLatest(world);
  world.stream.onGetRecords = () => {};
  assert.ok(start.kind === "after" && /^\d+$/.test(start.position));
  assert.equal((await read(await world.open(start))).endOfShard, true);
});

test("the latest point of a busy shard is the last record seen: exact at any time later", async () => {
  const world = createWorld();
  const { stream, shardId } = world;
  stream.appendItem(shardId, "before", "x");
  stream.onGetRecords = () => stream.appendItem(shardId, "during", "x");
  const start = await captureLatest(world);
  stream.onGetRecords = () => {};
  stream.appendItem(shardId, "behind", "x");
  stream.nowMs += 20 * MINUTE_MS;
  assert.deepEqual(keysOf(await read(await world.open(start))), ["behind"]);
});

test("the latest point of a quiet shard is exact for as long as its iterator lives", async () => {
  const world = createWorld();
  const { stream, shardId } = world;
  stream.appendItem(shardId, "before", "x");
  const start = await captureLatest(world);
  stream.appendItem(shardId, "behind", "x");
  stream.nowMs += 14 * MINUTE_MS;
  const found = await read(await world.open(start));
  assert.deepEqual([keysOf(found), found.trimmed], [["behind"], false]);
});

test("a latest point that outlived its iterator repeats at most 65 seconds, and loses nothing", async () => {
  const world = createWorld();
  const { stream, shardId } = world;
  for (let index = 0; index < 2_500; index++) stream.appendItem(shardId, "old", "x");
  stream.nowMs += 66_000;
  stream.appendItem(shardId, "just before", "x");
  const start = await captureLatest(world);
  stream.appendItem(shardId, "behind", "x");
  stream.nowMs += 16 * MINUTE_MS;
  const reader = await world.open(start);
  const keys: (string | undefined)[] = [];
  for (let reads = 0; reads < 5; reads++) {
    const found = await read(reader);
    keys.push(...keysOf(found));
    assert.equal(found.trimmed, false);
  }
  assert.deepEqual(keys, ["just before", "behind"]);
});

test("a search for a dead latest point is resumed when its own iterator expires, and then reads on as usual", async () => {
  const world = createWorld();
  const { stream, shardId } = world;
  for (let index = 0; index < 1_500; index++) stream.appendItem(shardId, "old", "x");
  stream.nowMs += 2 * MINUTE_MS;
  const start = await captureLatest(world);
  stream.nowMs += 16 * MINUTE_MS;
  const reader = await world.open(start);
  assert.equal((await read(reader)).records.length, 0);
  stream.expireIterators();
  stream.appendItem(shardId, "behind", "x");
  const keys = [...keysOf(await read(reader)), ...keysOf(await read(reader))];
  assert.deepEqual(keys, ["behind"]);
  stream.expireIterators();
  stream.appendItem(shardId, "next", "x");
  assert.deepEqual(keysOf(await read(reader)), ["next"]);
});

test("a latest point older than the retention says that there may be a gap", async () => {
  const world = createWorld();
  const { stream, shardId } = world;
  const start = await captureLatest(world);
  stream.appendItem(shardId, "gone", "x");
  stream.nowMs += DAY_MS + 1_000;
  stream.trimBefore(stream.nowMs - DAY_MS);
  stream.appendItem(shardId, "kept", "x");
  const reader = await world.open(start);
  const found = await read(reader);
  assert.deepEqual([keysOf(found), found.trimmed], [["kept"], true]);
  assert.equal((await read(reader)).trimmed, false);
});

test("one page without records and without a next iterator is not believed to be the end of a shard", async () => {
  const { stream, shardId, open } = createWorld();
  const reader = await open();
  await read(reader);
  const { getRecords } = stream;
  stream.getRecords = async (...call) => {
    stream.getRecords = getRecords;
    const answer = await getRecords.apply(stream, call);
    return answer.kind === "records" ? { ...answer, records: [], next: undefined } : answer;
  };
  const doubted = await read(reader);
  stream.appendItem(shardId, "a", "x");
  const next = await read(reader);
  assert.deepEqual([doubted.endOfShard, keysOf(doubted), keysOf(next)], [false, [], ["a"]]);
});

test("a place that is called trimmed once, and is not, repeats nothing and is no gap", async () => {
  const { stream, shardId, open } = createWorld();
  for (const key of ["a", "b", "c"]) stream.appendItem(shardId, key, "x");
  const first = (await read(await open(), 2)).records[1];
  const reader = await open({ kind: "after", position: first?.position ?? "" });
  const { openIterator } = stream;
  stream.openIterator = async () => {
    stream.openIterator = openIterator;
    return { kind: "trimmed" };
  };
  const found = await read(reader);
  stream.appendItem(shardId, "d", "x");
  const next = await read(reader);
  assert.deepEqual([keysOf(found), keysOf(next), found.trimmed || next.trimmed], [["c"], ["d"], false]);
});

test("a closed shard of which all that was not read is trimmed ends with a gap", async () => {
  const { stream, shardId, open } = createWorld();
  for (const key of ["a", "b", "c"]) stream.appendItem(shardId, key, "x");
  const first = (await read(await open(), 1)).records[0];
  stream.closeShard(shardId);
  stream.nowMs += DAY_MS;
  stream.trimBefore(stream.nowMs);
  const found = await read(await open({ kind: "after", position: first?.position ?? "" }));
  assert.deepEqual([keysOf(found), found.endOfShard, found.trimmed], [[], true, true]);
});
