import assert from "node:assert/strict";
import { test } from "node:test";
import {
  arrivalAt,
  itemAt,
  NO_ABORT,
  OLDEST,
  onlyShard,
  readShard,
  type StreamHarness,
  samples,
} from "./stream-source-harness.ts";

const BYTES_MAX = 4 * 1024 * 1024;
/** DynamoDB Local gives records times that are rounded down to the minute; dates of answers are in whole seconds. */
const ROUNDING_MS = 61_000;

/** What a source says of its own time and of what it keeps: nobody else may. */
export function describeWordContract(harness: StreamHarness): void {
  test("a dated answer tells the clock by which the records of it arrived", async () => {
    await using stream = await harness.createStream(1);
    const source = await stream.openSource();
    const { shardId } = await onlyShard(source);
    await stream.append(shardId, samples(3));
    const reader = await source.openReader(shardId, OLDEST, NO_ABORT);
    let read = await reader.read(10, BYTES_MAX, NO_ABORT);
    for (let reads = 0; read.records.length === 0 && reads < 50; reads++) {
      await stream.pause(read.readAgainAfterMs);
      read = await reader.read(10, BYTES_MAX, NO_ABORT);
    }
    assert.ok(read.records.length > 0);
    if (read.answeredMs !== undefined) {
      const ageMs = read.answeredMs - arrivalAt(read.records, 0);
      assert.ok(ageMs > -ROUNDING_MS && ageMs < 2 * ROUNDING_MS, `an age of ${ageMs} ms just after arrival`);
    }
  });

  test("a record that is there is served, and one that was trimmed is not", async (t) => {
    await using stream = await harness.createStream(1);
    const source = await stream.openSource();
    if (source.stillServes === undefined) return t.skip("the source does not say");
    const { shardId } = await onlyShard(source);
    await stream.append(shardId, samples(2, "gone"));
    const gone = (await readShard(stream, shardId, OLDEST)).records;
    await stream.pause(1_000);
    await stream.append(shardId, samples(2, "kept"));
    const all = (await readShard(stream, shardId, OLDEST)).records;
    const isServed = (index: number) => source.stillServes?.(shardId, itemAt(all, index).position, NO_ABORT);
    assert.deepEqual(
      [await isServed(0), await isServed(1), await isServed(2), await isServed(3)],
      [true, true, true, true],
    );
    if (!harness.can.trim) return;
    await stream.trimBefore(arrivalAt(gone, 1) + 1);
    assert.deepEqual(
      [await isServed(0), await isServed(1), await isServed(2), await isServed(3)],
      [false, false, true, true],
    );
  });
}
