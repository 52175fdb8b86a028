import assert from "node:assert/strict";
import { test } from "node:test";
import {
  dataTexts,
  NO_ABORT,
  OLDEST,
  onlyShard,
  readingData,
  readShard,
  readToTip,
  type StreamHarness,
  samples,
  throughJson,
} from "./stream-source-harness.ts";

const BYTES_MAX = 4 * 1024 * 1024;

/** Order, resumption, independence of readers, and the bounds of a read. */
export function describeReadingContract(harness: StreamHarness): void {
  describeReading(harness);
  describeForeignTimes(harness);
  describeBounds(harness);
}

function describeReading(harness: StreamHarness): void {
  const several = { skip: harness.can.onlyOneShard === true };
  test("lists every shard of a new stream once, open and without parents", several, async () => {
    await using stream = await harness.createStream(3);
    const source = await stream.openSource();
    const shards = await source.listShards(NO_ABORT);
    assert.equal(new Set(shards.map((shard) => shard.shardId)).size, 3);
    assert.ok(shards.every((shard) => !shard.closed && shard.parentShardIds.length === 0));
  });

  test("reads a shard from its oldest record in the order of arrival, with keys and arrival times", async () => {
    await using stream = await harness.createStream(1);
    const { shardId } = await onlyShard(await stream.openSource());
    const appended = samples(25);
    await stream.append(shardId, appended.slice(0, 10));
    await stream.append(shardId, appended.slice(10));
    const { data, records, endOfShard } = await readShard(stream, shardId, OLDEST);
    assert.deepEqual(data, dataTexts(appended));
    assert.deepEqual(
      records.map((record) => record.key),
      appended.map((record) => record.key),
    );
    assert.ok(
      records.every(
        ({ arrivalMs }) => arrivalMs !== undefined && Number.isInteger(arrivalMs) && arrivalMs >= 0,
      ),
    );
    assert.equal(endOfShard, false);
  });

  test("compares positions in the order of the shard", async () => {
    await using stream = await harness.createStream(1);
    const source = await stream.openSource();
    const { shardId } = await onlyShard(source);
    await stream.append(shardId, samples(12));
    const { records } = await readShard(stream, shardId, OLDEST);
    const positions = records.map((record) => record.position);
    for (const [i, left] of positions.entries()) {
      for (const [j, right] of positions.entries()) {
        assert.equal(Math.sign(source.comparePositions(left, right)), Math.sign(i - j));
      }
    }
  });

  test("resuming after any position yields exactly what follows it, also from another source", async () => {
    await using stream = await harness.createStream(1);
    const { shardId } = await onlyShard(await stream.openSource());
    const appended = dataTexts(samples(8));
    await stream.append(shardId, samples(8));
    const { records } = await readShard(stream, shardId, OLDEST);
    for (const [index, { position }] of records.entries()) {
      const rest = await readShard(stream, shardId, throughJson({ kind: "after", position }));
      assert.deepEqual(rest.data, appended.slice(index + 1));
      assert.equal(rest.trimmed, false);
    }
  });

  test("an empty read is not the end: the same reader gets what is appended later", async () => {
    await using stream = await harness.createStream(1);
    const source = await stream.openSource();
    const { shardId } = await onlyShard(source);
    const reader = await source.openReader(shardId, OLDEST, NO_ABORT);
    const nothing = await readToTip(stream, reader);
    await stream.append(shardId, samples(3));
    const something = await readToTip(stream, reader);
    assert.deepEqual([nothing.records.length, nothing.endOfShard], [0, false]);
    assert.deepEqual(readingData(stream, source, something.records), dataTexts(samples(3)));
  });

  test("readers of one shard do not disturb each other", async () => {
    await using stream = await harness.createStream(1);
    const source = await stream.openSource();
    const { shardId } = await onlyShard(source);
    await stream.append(shardId, samples(6));
    const first = await source.openReader(shardId, OLDEST, NO_ABORT);
    await first.read(2, BYTES_MAX, NO_ABORT);
    const second = await source.openReader(shardId, OLDEST, NO_ABORT);
    assert.equal((await readToTip(stream, second)).records.length, 6);
    await second.close();
    assert.equal((await readToTip(stream, first)).records.length, 4);
  });

  test("shards of one stream hold only their own records", several, async () => {
    await using stream = await harness.createStream(2);
    const source = await stream.openSource();
    const shards = await source.listShards(NO_ABORT);
    for (const { shardId } of shards) await stream.append(shardId, samples(4, shardId));
    for (const { shardId } of shards) {
      const { data } = await readShard(stream, shardId, OLDEST);
      assert.deepEqual(data, dataTexts(samples(4, shardId)));
    }
  });
}

/** Beyond what a number holds, beyond a `Date`, before any of them. */
const FOREIGN_TIMES = [1_790_000_000_000_000_001n, 8_800_000_000_000_000n, -62_135_596_800_000n];

function describeForeignTimes(harness: StreamHarness): void {
  const times = { skip: harness.can.foreignTimes !== true };
  test(
    "a time that is none is handed on as it is, and its record and all behind it are delivered",
    times,
    async () => {
      await using stream = await harness.createStream(1);
      const source = await stream.openSource();
      const { shardId } = await onlyShard(source);
      const [first, odd, last] = [samples(2), samples(FOREIGN_TIMES.length, "odd"), samples(2, "behind")];
      await stream.append(shardId, first);
      for (const [index, time] of FOREIGN_TIMES.entries()) {
        const record = odd[index];
        if (record !== undefined) await stream.appendAt?.(shardId, record, time);
      }
      await stream.append(shardId, last);
      const { records, data } = await readShard(stream, shardId, OLDEST);
      assert.deepEqual(data, dataTexts([...first, ...odd, ...last]));
      const text = Buffer.from(source.events.encode(records, undefined)).toString();
      for (const time of FOREIGN_TIMES) assert.match(text, new RegExp(`[:,]${time}[,}]`));
      for (const { arrivalMs } of records) {
        assert.ok(arrivalMs === undefined || !Number.isNaN(new Date(arrivalMs).getTime()), `${arrivalMs}`);
      }
    },
  );
}

function describeBounds(harness: StreamHarness): void {
  test("a read gives at most the records asked for, and loses none between two reads", async () => {
    await using stream = await harness.createStream(1);
    const source = await stream.openSource();
    const { shardId } = await onlyShard(source);
    await stream.append(shardId, samples(20));
    const reader = await source.openReader(shardId, OLDEST, NO_ABORT);
    const { records } = await readToTip(stream, reader, 3);
    assert.deepEqual(readingData(stream, source, records), dataTexts(samples(20)));
    const again = await source.openReader(shardId, OLDEST, NO_ABORT);
    const read = await again.read(3, BYTES_MAX, NO_ABORT);
    assert.ok(read.records.length <= 3);
  });

  test("a read gives at most the bytes asked for, but a record that is larger all the same", async () => {
    await using stream = await harness.createStream(1);
    const source = await stream.openSource();
    const { shardId } = await onlyShard(source);
    const large = { key: "large", data: JSON.stringify({ padding: "x".repeat(20_000) }) };
    const appended = [...samples(5), large, ...samples(5, "behind")];
    await stream.append(shardId, appended);
    const reader = await source.openReader(shardId, OLDEST, NO_ABORT);
    const seen: string[] = [];
    for (let reads = 0; seen.length < appended.length; reads++) {
      assert.ok(reads < 200, "the large record stopped the shard");
      const { records, readAgainAfterMs } = await reader.read(1_000, 3_000, NO_ABORT);
      const bytes = records.reduce((sum, record) => sum + record.bytes, 0);
      assert.ok(records.length <= 1 || bytes <= 3_000, `${records.length} records of ${bytes} bytes`);
      seen.push(...readingData(stream, source, records));
      await stream.pause(readAgainAfterMs);
    }
    assert.deepEqual(seen, dataTexts(appended));
  });

  test("tells the lag while behind the tip, and none when caught up, or does not tell it at all", async () => {
    await using stream = await harness.createStream(1);
    const source = await stream.openSource();
    const { shardId } = await onlyShard(source);
    await stream.append(shardId, samples(2));
    await stream.pause(50);
    const reader = await source.openReader(shardId, OLDEST, NO_ABORT);
    const behind = await reader.read(1, BYTES_MAX, NO_ABORT);
    assert.ok(behind.lagMs === undefined || behind.lagMs > 0);
    await readToTip(stream, reader);
    const { lagMs } = await reader.read(1, BYTES_MAX, NO_ABORT);
    assert.ok(lagMs === undefined || lagMs === 0);
  });
}
