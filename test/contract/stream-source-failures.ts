import assert from "node:assert/strict";
import { test } from "node:test";
import { rejectsWith } from "./rejects-with.ts";
import {
  dataTexts,
  NO_ABORT,
  OLDEST,
  onlyShard,
  readingData,
  readToTip,
  type StreamHarness,
  samples,
} from "./stream-source-harness.ts";

const BYTES_MAX = 4 * 1024 * 1024;

/** Expired iterators, what is unknown, aborts and closing. */
export function describeFailuresContract(harness: StreamHarness): void {
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
