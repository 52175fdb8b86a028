import assert from "node:assert/strict";
import { test } from "node:test";
import {
  arrivalAt,
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
} from "./stream-source-harness.ts";

const BYTES_MAX = 4 * 1024 * 1024;

/** What happens to readers when shards are split, merged and trimmed. */
export function describeShardsContract(harness: StreamHarness): void {
  describeResharding(harness);
  describeTrimming(harness);
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
    await stream.trimBefore(arrivalAt(records, 3) + 1);
    const start = { kind: "after", position: itemAt(records, 1).position } as const;
    const opened = await source.openReader(shardId, start, NO_ABORT);
    for (const reader of harness.can.holdsFetched ? [opened] : [opened, held]) {
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
    await stream.trimBefore(arrivalAt(records, 1) + 1);
    const { data, trimmed } = await readShard(stream, shardId, OLDEST);
    assert.deepEqual([data, trimmed], [dataTexts(samples(2, "kept")), false]);
  });
}
