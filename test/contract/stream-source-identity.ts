import assert from "node:assert/strict";
import { test } from "node:test";
import type { StartPoint } from "../../src/model/record.ts";
import {
  dataTexts,
  itemAt,
  NO_ABORT,
  OLDEST,
  onlyShard,
  type Reading,
  readingData,
  readShard,
  readToTip,
  type StreamHarness,
  samples,
  throughJson,
} from "./stream-source-harness.ts";

/**
 * That a log is more than its name: made anew, or with its end lost, it is another; and that progress is a position.
 */
export function describeIdentityContract(harness: StreamHarness): void {
  describeRemaking(harness);
  describeLostEnds(harness);
  describeUnseenPositions(harness);
}

/** Shorter and longer than what was read: only the first is behind the old log's end. */
const LENGTHS = [3, 15];

function describeRemaking(harness: StreamHarness): void {
  const remakes = { skip: harness.can.remake !== true };
  for (const length of LENGTHS) {
    test(
      `a reader reads all ${length} records of a stream made anew after 10, and says so`,
      remakes,
      async () => {
        await using stream = await harness.createStream(1);
        const source = await stream.openSource();
        const { shardId } = await onlyShard(source);
        const reader = await source.openReader(shardId, OLDEST, NO_ABORT);
        await stream.append(shardId, samples(10, "old"));
        const before = await readToTip(stream, reader);
        await stream.remake?.();
        await stream.append(shardId, samples(length, "new"));
        const after = await readToTip(stream, reader);
        assert.deepEqual(readingData(stream, source, after.records), dataTexts(samples(length, "new")));
        assertSaid(after, "remade", shardId);
        assert.notEqual(after.logId, before.logId);
      },
    );

    test(
      `a start after 10 records of an old stream reads all ${length} of the new one`,
      remakes,
      async () => {
        await using stream = await harness.createStream(1);
        const { shardId } = await onlyShard(await stream.openSource());
        await stream.append(shardId, samples(10, "old"));
        const before = await readShard(stream, shardId, OLDEST);
        await stream.remake?.();
        await stream.append(shardId, samples(length, "new"));
        const after = await readShard(stream, shardId, behindLast(before), before.logId);
        assert.deepEqual(after.data, dataTexts(samples(length, "new")));
        assertSaid(after, "remade", shardId);
        const again = await readShard(stream, shardId, itemAt(after.anew, 0).anew.from, after.logId);
        assert.deepEqual([again.data, again.anew], [after.data, []], "the point that was told is no start");
      },
    );
  }

  test(
    "a stream made anew twice, and empty the first time, is read from its beginning",
    remakes,
    async () => {
      await using stream = await harness.createStream(1);
      const source = await stream.openSource();
      const { shardId } = await onlyShard(source);
      const reader = await source.openReader(shardId, OLDEST, NO_ABORT);
      await stream.append(shardId, samples(10, "old"));
      await readToTip(stream, reader);
      await stream.remake?.();
      await stream.remake?.();
      await stream.append(shardId, samples(12, "new"));
      const { records } = await readToTip(stream, reader);
      assert.deepEqual(readingData(stream, source, records), dataTexts(samples(12, "new")));
    },
  );

  const known = { skip: harness.can.remake !== true && harness.can.loseEnd !== true };
  test("a start in a log that is still the one it was repeats nothing and says nothing", known, async () => {
    await using stream = await harness.createStream(1);
    const { shardId } = await onlyShard(await stream.openSource());
    await stream.append(shardId, samples(6));
    const before = await readShard(stream, shardId, OLDEST);
    await stream.append(shardId, samples(4, "behind"));
    const after = await readShard(stream, shardId, behindLast(before), before.logId);
    assert.deepEqual([after.data, after.anew], [dataTexts(samples(4, "behind")), []]);
    assert.notEqual(before.logId, undefined);
  });
}

function describeLostEnds(harness: StreamHarness): void {
  const losses = { skip: harness.can.loseEnd !== true };
  for (const length of LENGTHS) {
    test(
      `a log that lost 4 of 10 records and grew by ${length}: a reader gets just those`,
      losses,
      async () => {
        await using stream = await harness.createStream(1);
        const source = await stream.openSource();
        const { shardId } = await onlyShard(source);
        const reader = await source.openReader(shardId, OLDEST, NO_ABORT);
        await stream.append(shardId, samples(6, "kept"));
        await stream.append(shardId, samples(4, "lost"));
        const before = await readToTip(stream, reader);
        await stream.loseEnd?.(shardId, 6);
        await stream.append(shardId, samples(length, "new"));
        const after = await readToTip(stream, reader);
        assert.deepEqual(readingData(stream, source, after.records), dataTexts(samples(length, "new")));
        assertSaid(after, "wentBack", shardId);
        const { from } = itemAt(after.anew, 0).anew;
        assert.deepEqual(from, { kind: "after", position: itemAt(before.records, 5).position });
      },
    );
  }

  test("a start behind the end that a log lost reads what was written in its place", losses, async () => {
    await using stream = await harness.createStream(1);
    const { shardId } = await onlyShard(await stream.openSource());
    await stream.append(shardId, samples(6, "kept"));
    await stream.append(shardId, samples(4, "lost"));
    const before = await readShard(stream, shardId, OLDEST);
    await stream.loseEnd?.(shardId, 6);
    await stream.append(shardId, samples(15, "new"));
    const after = await readShard(stream, shardId, behindLast(before), before.logId);
    assert.deepEqual([after.data, after.trimmed], [dataTexts(samples(15, "new")), false]);
    assertSaid(after, "wentBack", shardId);
    const inside = { kind: "after", position: itemAt(before.records, 2).position } as const;
    const kept = await readShard(stream, shardId, inside, before.logId);
    assert.deepEqual([kept.data.length, kept.anew], [3 + 15, []], "what was kept is no news");
  });
}

function describeUnseenPositions(harness: StreamHarness): void {
  const unseen = { skip: harness.can.unseen !== true };
  test("a read tells how far it looked, where the end of the shard holds no record", unseen, async () => {
    await using stream = await harness.createStream(1);
    const source = await stream.openSource();
    const { shardId } = await onlyShard(source);
    const reader = await source.openReader(shardId, OLDEST, NO_ABORT);
    await stream.append(shardId, samples(3));
    await stream.appendUnseen?.(shardId);
    const { records, lookedTo } = await readToTip(stream, reader);
    const last = itemAt(records, -1).position;
    assert.ok(lookedTo !== undefined && source.comparePositions(lookedTo, last) > 0, `looked to ${lookedTo}`);
    await stream.appendUnseen?.(shardId);
    const more = await readToTip(stream, reader);
    assert.equal(more.records.length, 0);
    assert.ok(more.lookedTo !== undefined && source.comparePositions(more.lookedTo, lookedTo) > 0);
    await stream.append(shardId, samples(2, "behind"));
    const start = throughJson({ kind: "after", position: more.lookedTo });
    assert.deepEqual((await readShard(stream, shardId, start)).data, dataTexts(samples(2, "behind")));
  });

  test(
    "a shard whose read end was trimmed is gone on with from where it was looked to: no gap",
    unseen,
    async () => {
      await using stream = await harness.createStream(1);
      const { shardId } = await onlyShard(await stream.openSource());
      await stream.append(shardId, samples(3));
      await stream.appendUnseen?.(shardId);
      const { lookedTo } = await readShard(stream, shardId, OLDEST);
      assert.ok(lookedTo !== undefined);
      await stream.trimBefore(Number.MAX_SAFE_INTEGER);
      await stream.append(shardId, samples(2, "behind"));
      const { data, trimmed } = await readShard(stream, shardId, { kind: "after", position: lookedTo });
      assert.deepEqual([data, trimmed], [dataTexts(samples(2, "behind")), false]);
    },
  );
}

function behindLast({ records }: Reading): StartPoint {
  return throughJson({ kind: "after", position: itemAt(records, -1).position });
}

/** Once, before any record of the new log, in words that name the shard. */
function assertSaid({ anew }: Reading, because: "remade" | "wentBack", shardId: string): void {
  assert.deepEqual(
    anew.map((said) => [said.anew.because, said.behind]),
    [[because, 0]],
  );
  assert.ok(itemAt(anew, 0).anew.told.includes(shardId), itemAt(anew, 0).anew.told);
}
