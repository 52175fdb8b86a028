import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ByteReader, sumOfInt64 } from "../../../../connectors/kafka/bytes.ts";
import { createKafkaEvents } from "../../../../connectors/kafka/event.ts";
import {
  createKafkaPartition,
  createKafkaRecord,
  type KafkaMessage,
} from "../../../../connectors/kafka/record.ts";
import { RecordBatches } from "../../../../connectors/kafka/record-batch.ts";
import { NO_ABORT } from "../../../contract/stream-source-harness.ts";
import { batchBytes, varlong } from "./batch-bytes.ts";

const READ_MS = 1_700_000_000_000;
const PARTITION = createKafkaPartition("orders", 0);
const EVENTS = createKafkaEvents({ eventSourceArn: undefined, bootstrapServers: ["b:1"] });
const INT64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });

async function readRecords(bytes: Buffer) {
  const batches = new RecordBatches({ bytes, fetchOffset: 0, aborted: [], shardId: "orders-0" });
  const messages: KafkaMessage[] = [];
  await batches.next((message) => messages.push({ ...message }) > 0, NO_ABORT);
  return messages.map((message) => createKafkaRecord(PARTITION, message, READ_MS));
}

const times: readonly (readonly [name: string, time: bigint, isArrival: boolean])[] = [
  ["nanoseconds", 1_790_000_000_000_000_001n, false],
  ["microseconds", 1_790_000_000_000_000n, true],
  ["the last moment of a Date", 8_640_000_000_000_000n, true],
  ["a moment behind it", 8_640_000_000_000_001n, false],
  ["the first number that is no safe integer", 2n ** 53n, false],
  ["the largest of 64 bits", 2n ** 63n - 1n, false],
  ["the smallest of 64 bits", -(2n ** 63n), false],
  ["the year 1, as .NET writes it", -62_135_596_800_000n, false],
];

for (const [name, time, isArrival] of times) {
  test(`a time of ${name} is shown as it is, and stops nothing`, async () => {
    const bytes = batchBytes({
      baseOffset: 0,
      baseTimestampMs: time,
      records: [
        { offset: 0, value: "odd" },
        { offset: 1, value: "behind" },
      ],
    });
    const records = await readRecords(bytes);
    const text = Buffer.from(EVENTS.encode(records, undefined)).toString();
    assert.equal(text.split(`"timestamp":${time},`).length, 3, text);
    assert.equal(
      Buffer.byteLength(text),
      EVENTS.envelopeBytes("orders-0") + records.reduce((sum, record) => sum + record.encodedBytes, 1),
    );
    assert.deepEqual(
      records.map(({ arrivalMs }) => arrivalMs),
      isArrival ? [Number(time), Number(time)] : [READ_MS, READ_MS],
    );
    for (const record of records) EVENTS.filterDocument(record);
  });
}

test("times of one batch that lie as far apart as 64 bits allow are each their own", async () => {
  const [low, high] = [-(2n ** 62n), 2n ** 62n];
  const bytes = batchBytes({
    baseOffset: 0,
    baseTimestampMs: low,
    records: [{ offset: 0 }, { offset: 1, timestampDelta: high - low - 1n }],
  });
  const records = await readRecords(bytes);
  assert.deepEqual(
    records.map(({ timestampMs }) => BigInt(timestampMs)),
    [low, high - 1n],
  );
});

test("any 64 bits are read as what they are, a number where it holds them", () => {
  fc.assert(
    fc.property(INT64, (value) => {
      const read = new ByteReader(varlong(value)).varlong();
      assert.equal(BigInt(read), value);
      assert.equal(typeof read, Number.isSafeInteger(Number(value)) ? "number" : "bigint");
    }),
  );
});

test("sums go around as 64 bits do", () => {
  fc.assert(
    fc.property(INT64, INT64, (a, b) => {
      assert.equal(BigInt(sumOfInt64(a, b)), BigInt.asIntN(64, a + b));
    }),
  );
});

test("a number of more than ten bytes is none", () => {
  assert.throws(() => new ByteReader(Buffer.alloc(20, 0xff)).varlong(), RangeError);
  assert.throws(() => new ByteReader(Buffer.alloc(9, 0xff)).varlong(), RangeError);
});
