import assert from "node:assert/strict";
import { test } from "node:test";
import {
  arrivalAt,
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

/** The latest point and timestamps; positions are proven with the reading. */
export function describeStartPointsContract(harness: StreamHarness): void {
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
    const early = arrivalAt(records, 2);
    const late = arrivalAt(records, 3);
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
    const start = { kind: "timestamp", epochMs: arrivalAt(records, 2) + 1 } as const;
    const reader = await source.openReader(shardId, start, NO_ABORT);
    assert.equal((await readToTip(stream, reader)).records.length, 0);
    await stream.append(shardId, samples(3, "late"));
    const { records: late } = await readToTip(stream, reader);
    assert.deepEqual(readingData(stream, source, late), dataTexts(samples(3, "late")));
  });
}
