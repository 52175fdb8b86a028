import assert from "node:assert/strict";
import { test } from "node:test";
import {
  itemAt,
  NO_ABORT,
  OLDEST,
  onlyShard,
  readToTip,
  type SampleRecord,
  type StreamHarness,
} from "./stream-source-harness.ts";

const MIXED: readonly SampleRecord[] = [
  { key: "plain", data: '{"kind":"object"}' },
  { key: 'schlüssel "漢字" \\ \u2028', data: '{"text":"höhe 漢字"}' },
  { key: "text", data: "not JSON" },
  { key: "scalar", data: "17" },
  { key: "empty-object", data: "{}" },
];

/** The laws of `StreamEvents`: what the engine relies on to cut batches by size and to filter. */
export function describeEventsContract(harness: StreamHarness): void {
  test("an event has exactly the announced bytes and gives every record's data unchanged", async () => {
    await using stream = await harness.createStream(1);
    const source = await stream.openSource();
    const { shardId } = await onlyShard(source);
    await stream.append(shardId, MIXED);
    const { records } = await readToTip(stream, await source.openReader(shardId, OLDEST, NO_ABORT));
    assert.equal(records.length, MIXED.length);
    for (let count = 1; count <= records.length; count++) {
      const batch = records.slice(0, count);
      const event = source.events.encode(batch, undefined);
      const announced = batch.reduce((sum, record) => sum + record.encodedBytes, count - 1);
      assert.equal(event.length, source.events.envelopeBytes(shardId) + announced);
      const data = stream.dataOf(JSON.parse(Buffer.from(event).toString()));
      assert.deepEqual(
        data,
        MIXED.slice(0, count).map((sample) => sample.data),
      );
    }
  });

  test("an event made of its records' elements is the event of the records, byte for byte", async () => {
    await using stream = await harness.createStream(1);
    const source = await stream.openSource();
    const { shardId } = await onlyShard(source);
    await stream.append(shardId, MIXED);
    const { records } = await readToTip(stream, await source.openReader(shardId, OLDEST, NO_ABORT));
    const { events } = source;
    const elements = records.map((record) => Buffer.from(events.element(record)));
    assert.deepEqual(
      elements.map(({ length }) => length),
      records.map(({ encodedBytes }) => encodedBytes),
    );
    for (let count = 0; count <= records.length; count++) {
      const made = events.eventOf(shardId, elements.slice(0, count));
      const encoded = events.encode(records.slice(0, count), undefined);
      assert.equal(Buffer.from(made).toString(), Buffer.from(encoded).toString());
    }
  });

  test("a filter document holds the data under its key, and says whether it is a JSON object", async () => {
    await using stream = await harness.createStream(1);
    const source = await stream.openSource();
    const { shardId } = await onlyShard(source);
    await stream.append(shardId, [itemAt(MIXED, 0)]);
    const { records } = await readToTip(stream, await source.openReader(shardId, OLDEST, NO_ABORT));
    const { document, isDataJson } = source.events.filterDocument(itemAt(records, 0));
    assert.ok(typeof document === "object" && document !== null);
    assert.ok(source.events.filterDataKey in document);
    assert.equal(isDataJson, true);
  });

  const windows = { skip: harness.can.noWindows === true };
  test("a tumbling-window event carries the window's members", windows, async () => {
    await using stream = await harness.createStream(1);
    const source = await stream.openSource();
    const { shardId } = await onlyShard(source);
    const window = {
      shardId,
      startMs: 0,
      endMs: 60_000,
      stateJson: '{"sum":3}',
      isFinalInvokeForWindow: true,
      isWindowTerminatedEarly: false,
    };
    const event: unknown = JSON.parse(Buffer.from(source.events.encode([], window)).toString());
    assert.deepEqual(event, {
      Records: [],
      shardId,
      eventSourceARN: source.description.eventSourceArn,
      window: { start: "1970-01-01T00:00:00Z", end: "1970-01-01T00:01:00Z" },
      state: { sum: 3 },
      isFinalInvokeForWindow: true,
      isWindowTerminatedEarly: false,
    });
  });
}
