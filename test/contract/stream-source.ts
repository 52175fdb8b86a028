import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { rejectsWith } from "./rejects-with.ts";
import { describeEventsContract } from "./stream-source-events.ts";
import {
  dataTexts,
  itemAt,
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
/** Stops a test that hangs; no behaviour is judged by it. */
const HANG = { timeout: 120_000 };

/** The laws of `src/ports/stream-source.ts`. Every adapter, simulated or real, runs them. */
export function describeStreamSourceContract(name: string, harness: StreamHarness): void {
  describe(`StreamSource contract: ${name}`, HANG, () => {
    describeReading(harness);
    describeBounds(harness);
    describeStartPoints(harness);
    describeResharding(harness);
    describeTrimming(harness);
    describeFailures(harness);
    describeEventsContract(harness);
  });
}

function describeReading(harness: StreamHarness): void {
  test("lists every shard of a new stream once, open and without parents", async () => {
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
    assert.ok(records.every((record) => Number.isInteger(record.arrivalMs) && record.arrivalMs >= 0));
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

  test("shards of one stream hold only their own records", async () => {
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

function describeStartPoints(harness: StreamHarness): void {
  test("the captured latest point leaves out what is there and misses nothing that comes later", async () => {
    await using stream = await harness.createStream(1);
    const source = await stream.openSource();
    const { shardId } = await onlyShard(source);
    await stream.append(shardId, samples(5, "before"));
    const latest = throughJson(await source.captureLatest(shardId, NO_ABORT));
    await stream.append(shardId, samples(5, "behind"));
    assert.deepEqual((await readShard(stream, shardId, latest)).data, dataTexts(samples(5, "behind")));
  });

  test("the captured latest point of an empty shard misses none of its later records", async () => {
    await using stream = await harness.createStream(1);
    const source = await stream.openSource();
    const { shardId } = await onlyShard(source);
    const latest = throughJson(await source.captureLatest(shardId, NO_ABORT));
    await stream.pause(50);
    await stream.append(shardId, samples(5));
    assert.deepEqual((await readShard(stream, shardId, latest)).data, dataTexts(samples(5)));
  });

  const timestamps = { skip: !harness.can.startAtTimestamp };
  test("a timestamp starts at the first record that arrived at it or later", timestamps, async () => {
    await using stream = await harness.createStream(1);
    const { shardId } = await onlyShard(await stream.openSource());
    await stream.append(shardId, samples(3, "early"));
    await stream.pause(1_000);
    await stream.append(shardId, samples(3, "late"));
    const { records } = await readShard(stream, shardId, OLDEST);
    const early = itemAt(records, 2).arrivalMs;
    const late = itemAt(records, 3).arrivalMs;
    assert.ok(early < late);
    for (const epochMs of [early + 1, late]) {
      const { data } = await readShard(stream, shardId, { kind: "timestamp", epochMs });
      assert.deepEqual(data, dataTexts(samples(3, "late")));
    }
    const all = await readShard(stream, shardId, { kind: "timestamp", epochMs: early - 60_000 });
    assert.equal(all.data.length, 6);
  });

  test("a timestamp behind all records starts with what comes next", timestamps, async () => {
    await using stream = await harness.createStream(1);
    const source = await stream.openSource();
    const { shardId } = await onlyShard(source);
    await stream.append(shardId, samples(3, "early"));
    const { records } = await readShard(stream, shardId, OLDEST);
    await stream.pause(1_000);
    const start = { kind: "timestamp", epochMs: itemAt(records, 2).arrivalMs + 1 } as const;
    const reader = await source.openReader(shardId, start, NO_ABORT);
    assert.equal((await readToTip(stream, reader)).records.length, 0);
    await stream.append(shardId, samples(3, "late"));
    const { records: late } = await readToTip(stream, reader);
    assert.deepEqual(readingData(stream, source, late), dataTexts(samples(3, "late")));
  });
}

function describeResharding(harness: StreamHarness): void {
  const splits = { skip: !harness.can.split };
  test(
    "a split closes the shard, which ends behind its last record, and opens two children",
    splits,
    async () => {
      await using stream = await harness.createStream(1);
      const source = await stream.openSource();
      const { shardId } = await onlyShard(source);
      const held = await source.openReader(shardId, OLDEST, NO_ABORT);
      await stream.append(shardId, samples(5));
      await stream.split(shardId);
      const shards = await source.listShards(NO_ABORT);
      const children = shards.filter((shard) => shard.shardId !== shardId);
      assert.equal(shards.find((shard) => shard.shardId === shardId)?.closed, true);
      assert.deepEqual(
        children.map((child) => [child.parentShardIds, child.closed]),
        [
          [[shardId], false],
          [[shardId], false],
        ],
      );
      const { records, endOfShard } = await readToTip(stream, held);
      assert.deepEqual([records.length, endOfShard], [5, true]);
      for (const child of children) {
        await stream.append(child.shardId, samples(2, child.shardId));
        const reading = await readShard(stream, child.shardId, OLDEST);
        assert.deepEqual(reading.data, dataTexts(samples(2, child.shardId)));
        assert.equal(reading.endOfShard, false);
      }
    },
  );

  test("a closed shard stays readable from every place, and ends again each time", splits, async () => {
    await using stream = await harness.createStream(1);
    const source = await stream.openSource();
    const { shardId } = await onlyShard(source);
    await stream.append(shardId, samples(4));
    const latest = await source.captureLatest(shardId, NO_ABORT);
    await stream.split(shardId);
    const all = await readShard(stream, shardId, OLDEST);
    assert.deepEqual([all.data, all.endOfShard], [dataTexts(samples(4)), true]);
    for (const [index, { position }] of all.records.entries()) {
      const rest = await readShard(stream, shardId, { kind: "after", position });
      assert.deepEqual([rest.records.length, rest.endOfShard], [3 - index, true]);
    }
    for (const start of [latest, await source.captureLatest(shardId, NO_ABORT)]) {
      const nothing = await readShard(stream, shardId, start);
      assert.deepEqual([nothing.records.length, nothing.endOfShard], [0, true]);
    }
  });

  test("a shard that was closed empty ends without a record", splits, async () => {
    await using stream = await harness.createStream(1);
    const source = await stream.openSource();
    const { shardId } = await onlyShard(source);
    const latest = await source.captureLatest(shardId, NO_ABORT);
    await stream.split(shardId);
    for (const start of [OLDEST, latest]) {
      const { records, endOfShard } = await readShard(stream, shardId, start);
      assert.deepEqual([records.length, endOfShard], [0, true]);
    }
  });

  test("a merge closes two shards and opens one child of both", { skip: !harness.can.merge }, async () => {
    await using stream = await harness.createStream(2);
    const source = await stream.openSource();
    const [left, right] = await source.listShards(NO_ABORT);
    assert.ok(left !== undefined && right !== undefined);
    await stream.append(left.shardId, samples(2, "left"));
    await stream.merge([left.shardId, right.shardId]);
    const shards = await source.listShards(NO_ABORT);
    const child = shards.find((shard) => !shard.closed);
    assert.ok(child !== undefined);
    assert.equal(shards.filter((shard) => shard.closed).length, 2);
    assert.deepEqual([...child.parentShardIds].sort(), [left.shardId, right.shardId].sort());
    const parent = await readShard(stream, left.shardId, OLDEST);
    assert.deepEqual([parent.data, parent.endOfShard], [dataTexts(samples(2, "left")), true]);
    await stream.append(child.shardId, samples(2, "child"));
    assert.deepEqual((await readShard(stream, child.shardId, OLDEST)).data, dataTexts(samples(2, "child")));
  });
}

function describeTrimming(harness: StreamHarness): void {
  const trims = { skip: !harness.can.trim };
  test("a trimmed position is continued from the oldest record, and says so once", trims, async () => {
    await using stream = await harness.createStream(1);
    const source = await stream.openSource();
    const { shardId } = await onlyShard(source);
    await stream.append(shardId, samples(4, "gone"));
    const { records } = await readShard(stream, shardId, OLDEST);
    const held = await source.openReader(shardId, OLDEST, NO_ABORT);
    await held.read(1, BYTES_MAX, NO_ABORT);
    await stream.pause(1_000);
    await stream.append(shardId, samples(4, "kept"));
    await stream.trimBefore(itemAt(records, 3).arrivalMs + 1);
    const start = { kind: "after", position: itemAt(records, 1).position } as const;
    const opened = await source.openReader(shardId, start, NO_ABORT);
    for (const reader of [opened, held]) {
      const reading = await readToTip(stream, reader);
      assert.deepEqual(readingData(stream, source, reading.records), dataTexts(samples(4, "kept")));
      assert.equal(reading.trimmed, true);
      assert.equal((await readToTip(stream, reader)).trimmed, false);
    }
  });

  test("the oldest record is a place that no trimming makes a gap of", trims, async () => {
    await using stream = await harness.createStream(1);
    const { shardId } = await onlyShard(await stream.openSource());
    await stream.append(shardId, samples(2, "gone"));
    const { records } = await readShard(stream, shardId, OLDEST);
    await stream.pause(1_000);
    await stream.append(shardId, samples(2, "kept"));
    await stream.trimBefore(itemAt(records, 1).arrivalMs + 1);
    const { data, trimmed } = await readShard(stream, shardId, OLDEST);
    assert.deepEqual([data, trimmed], [dataTexts(samples(2, "kept")), false]);
  });
}

function describeFailures(harness: StreamHarness): void {
  const expiries = { skip: !harness.can.expireIterators };
  test("an expired iterator is recovered inside, without loss or repetition", expiries, async () => {
    await using stream = await harness.createStream(1);
    const source = await stream.openSource();
    const { shardId } = await onlyShard(source);
    const untouched = await source.openReader(shardId, OLDEST, NO_ABORT);
    await stream.append(shardId, samples(6));
    const reader = await source.openReader(shardId, OLDEST, NO_ABORT);
    const first = await reader.read(2, BYTES_MAX, NO_ABORT);
    await stream.expireIterators();
    const rest = await readToTip(stream, reader);
    const data = readingData(stream, source, [...first.records, ...rest.records]);
    assert.deepEqual(data, dataTexts(samples(6)));
    assert.equal((await readToTip(stream, untouched)).records.length, 6);
  });

  test("a shard that is unknown is not found", async () => {
    await using stream = await harness.createStream(1);
    const source = await stream.openSource();
    await rejectsWith("ERR_MILLRACE_SOURCE_NOT_FOUND", () => source.captureLatest("no-such-shard", NO_ABORT));
    await rejectsWith("ERR_MILLRACE_SOURCE_NOT_FOUND", async () => {
      const reader = await source.openReader("no-such-shard", OLDEST, NO_ABORT);
      await reader.read(1, BYTES_MAX, NO_ABORT);
    });
  });

  test("a stream that is unknown is not found", async () => {
    await rejectsWith("ERR_MILLRACE_SOURCE_NOT_FOUND", async () => {
      const source = await harness.openMissingStream();
      await source.listShards(NO_ABORT).finally(() => source.close());
    });
  });

  test("every call with an aborted signal rejects as aborted, and the next one works", async () => {
    await using stream = await harness.createStream(1);
    const source = await stream.openSource();
    const { shardId } = await onlyShard(source);
    await stream.append(shardId, samples(3));
    const reader = await source.openReader(shardId, OLDEST, NO_ABORT);
    const aborted = AbortSignal.abort();
    await rejectsWith("ERR_MILLRACE_ABORTED", () => source.listShards(aborted));
    await rejectsWith("ERR_MILLRACE_ABORTED", () => source.captureLatest(shardId, aborted));
    await rejectsWith("ERR_MILLRACE_ABORTED", () => source.openReader(shardId, OLDEST, aborted));
    await rejectsWith("ERR_MILLRACE_ABORTED", () => reader.read(10, BYTES_MAX, aborted));
    const { records } = await readToTip(stream, reader);
    assert.deepEqual(readingData(stream, source, records), dataTexts(samples(3)));
  });

  test("a read that is aborted while it runs ends, and loses no record", async () => {
    await using stream = await harness.createStream(1);
    const source = await stream.openSource();
    const { shardId } = await onlyShard(source);
    await stream.append(shardId, samples(3));
    const reader = await source.openReader(shardId, OLDEST, NO_ABORT);
    const caller = new AbortController();
    const pending = reader.read(1, BYTES_MAX, caller.signal);
    caller.abort();
    const [result] = await Promise.allSettled([pending]);
    if (result.status === "rejected") {
      await rejectsWith("ERR_MILLRACE_ABORTED", () => Promise.reject(result.reason));
    }
    const early = result.status === "fulfilled" ? result.value.records : [];
    const { records } = await readToTip(stream, reader);
    assert.deepEqual(readingData(stream, source, [...early, ...records]), dataTexts(samples(3)));
  });

  test("closing a reader or a source twice does no harm", async () => {
    await using stream = await harness.createStream(1);
    const source = await stream.openSource();
    const { shardId } = await onlyShard(source);
    const reader = await source.openReader(shardId, OLDEST, NO_ABORT);
    await reader.close();
    await reader.close();
    await source.close();
    await source.close();
  });
}
