import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { KafkaFault } from "../../../../connectors/kafka/fault.ts";
import { BATCH_BYTES_MAX } from "../../../../connectors/kafka/open-batch.ts";
import type { KafkaMessage } from "../../../../connectors/kafka/record.ts";
import { type AbortedTransaction, RecordBatches } from "../../../../connectors/kafka/record-batch.ts";
import { NO_ABORT } from "../../../contract/stream-source-harness.ts";
import { batchBytes, type SketchedRecord, varint } from "./batch-bytes.ts";

interface Reading {
  readonly messages: readonly KafkaMessage[];
  readonly nextOffset: number;
}

async function read(
  bytes: Buffer,
  fetchOffset = 0,
  aborted: readonly AbortedTransaction[] = [],
): Promise<Reading> {
  const batches = new RecordBatches({ bytes, fetchOffset, aborted, shardId: "orders-0" });
  const messages: KafkaMessage[] = [];
  const keep = (message: KafkaMessage) => messages.push(plainly(message)) > 0;
  assert.equal(await batches.next(keep, NO_ABORT), false);
  return { messages, nextOffset: batches.nextOffset };
}

function plainly({ damage, ...message }: KafkaMessage): KafkaMessage {
  return damage === undefined ? message : { ...message, damage };
}

function records(...offsets: readonly number[]): readonly SketchedRecord[] {
  return offsets.map((offset) => ({ offset, key: "k", value: `v${offset}` }));
}

const offsetsOf = ({ messages }: Reading) => messages.map(({ offset }) => offset);

test("reads keys, values, headers and times of a batch", async () => {
  const { messages } = await read(
    batchBytes({
      baseOffset: 7,
      baseTimestampMs: 1_700_000_000_000,
      records: [
        {
          offset: 7,
          key: "a",
          value: "b",
          headers: [
            ["h", "1"],
            ["none", null],
          ],
        },
        { offset: 8 },
      ],
    }),
  );
  assert.deepEqual(messages, [
    {
      offset: 7,
      key: Buffer.from("a"),
      value: Buffer.from("b"),
      headers: [
        { key: "h", value: Buffer.from("1") },
        { key: "none", value: null },
      ],
      timestampMs: 1_700_000_000_000,
      timestampType: "CREATE_TIME",
    },
    {
      offset: 8,
      key: null,
      value: null,
      headers: [],
      timestampMs: 1_700_000_000_000,
      timestampType: "CREATE_TIME",
    },
  ]);
});

test("takes the time of the log where the batch says so", async () => {
  const { messages } = await read(batchBytes({ baseOffset: 0, records: records(0), appendTimeMs: 5_000 }));
  assert.deepEqual([messages[0]?.timestampMs, messages[0]?.timestampType], [5_000, "LOG_APPEND_TIME"]);
});

test("leaves out what stands before the offset that was asked for", async () => {
  const bytes = Buffer.concat([
    batchBytes({ baseOffset: 0, records: records(0, 1, 2) }),
    batchBytes({ baseOffset: 3, records: records(3, 4) }),
  ]);
  const reading = await read(bytes, 2);
  assert.deepEqual([offsetsOf(reading), reading.nextOffset], [[2, 3, 4], 5]);
});

test("goes on behind the records that compaction took from the end of a batch", async () => {
  const reading = await read(batchBytes({ baseOffset: 10, records: records(10, 13), lastOffset: 19 }), 10);
  assert.deepEqual([offsetsOf(reading), reading.nextOffset], [[10, 13], 20]);
});

test("goes on behind a batch that compaction has emptied", async () => {
  const reading = await read(batchBytes({ baseOffset: 0, records: [], lastOffset: 4 }));
  assert.deepEqual([offsetsOf(reading), reading.nextOffset], [[], 5]);
});

test("leaves a batch that the fetch has cut for the next fetch", async () => {
  const whole = batchBytes({ baseOffset: 0, records: records(0, 1) });
  const cut = batchBytes({ baseOffset: 2, records: records(2, 3) }).subarray(0, 70);
  const reading = await read(Buffer.concat([whole, cut]));
  assert.deepEqual([offsetsOf(reading), reading.nextOffset], [[0, 1], 2]);
});

test("leaves out aborted transactions from their start to their marker, of their producer only", async () => {
  const transactional = { isTransactional: true } as const;
  const bytes = Buffer.concat([
    batchBytes({ baseOffset: 0, records: records(0), producerId: 1n, ...transactional }),
    batchBytes({ baseOffset: 1, records: records(1), producerId: 2n, ...transactional }),
    batchBytes({ baseOffset: 2, records: records(2) }),
    batchBytes({ baseOffset: 3, records: [], producerId: 1n, marker: "abort" }),
    batchBytes({ baseOffset: 4, records: [], producerId: 2n, marker: "commit" }),
    batchBytes({ baseOffset: 5, records: records(5), producerId: 1n, ...transactional }),
    batchBytes({ baseOffset: 6, records: [], producerId: 1n, marker: "commit" }),
  ]);
  const reading = await read(bytes, 0, [{ producerId: 1n, firstOffset: 0 }]);
  assert.deepEqual([offsetsOf(reading), reading.nextOffset], [[1, 2, 5], 7]);
});

test("a producer that writes without a transaction is seen while another of its transactions is aborted", async () => {
  const bytes = Buffer.concat([
    batchBytes({ baseOffset: 0, records: records(0), producerId: 1n, isTransactional: true }),
    batchBytes({ baseOffset: 1, records: records(1), producerId: 1n }),
  ]);
  assert.deepEqual(offsetsOf(await read(bytes, 0, [{ producerId: 1n, firstOffset: 0 }])), [1]);
});

test("gives the batches before a damaged one, then fails at its offset", async () => {
  const good = batchBytes({ baseOffset: 0, records: records(0, 1) });
  const bad = batchBytes({ baseOffset: 2, records: records(2), body: Buffer.from([100]) });
  const batches = new RecordBatches({
    bytes: Buffer.concat([good, bad]),
    fetchOffset: 0,
    aborted: [],
    shardId: "orders-0",
  });
  const offsets: number[] = [];
  await assert.rejects(
    batches.next(({ offset }) => offsets.push(offset) > 0, NO_ABORT),
    (error: unknown) =>
      error instanceof KafkaFault && error.reason === "corrupt" && /offset 2 of orders-0/.test(error.message),
  );
  assert.deepEqual([offsets, batches.nextOffset], [[0, 1], 2]);
});

test("a batch that would fill the memory when decompressed is refused", async () => {
  const body = gzipSync(
    Buffer.concat([varint(BATCH_BYTES_MAX), Buffer.alloc(BATCH_BYTES_MAX, "\0\0\0\x01\x01\0")]),
  );
  const bytes = batchBytes({ baseOffset: 0, records: records(0), codec: 1, body });
  await assert.rejects(
    read(bytes),
    (error: unknown) =>
      error instanceof KafkaFault &&
      error.reason === "tooLarge" &&
      /more than 67108864 bytes/.test(error.message),
  );
});

for (const [name, batch, message] of [
  ["a compression that is not known", { codec: 7 }, /compression 7 is not known/],
  ["the message format of very old brokers", { magic: 1 }, /Kafka before 0\.11/],
  ["a length that ends before its records", { body: Buffer.from([100]) }, /cannot be read/],
  ["fewer records than there are bytes", { count: 0 }, /bytes are left/],
  ["more records than offsets", { count: 3 }, /hold 3 records up to its 1th offset/],
  ["a negative number of records", { count: -1 }, /hold -1 records/],
  ["compressed bytes that are none", { codec: 1, body: Buffer.from("not gzip") }, /cannot be read/],
] as const) {
  test(`${name}: a fault, no crash`, async () => {
    await assert.rejects(
      read(batchBytes({ baseOffset: 0, records: records(0), ...batch })),
      (error: unknown) => error instanceof KafkaFault && message.test(error.message),
    );
  });
}

test("whatever bytes a broker sends end in records or in a fault", async () => {
  const bytes = batchBytes({ baseOffset: 0, records: records(0, 1, 2), codec: 1 });
  for (let at = 8; at < bytes.length; at++) {
    for (const value of [0, 0x7f, 0xff]) {
      const damaged = Buffer.from(bytes);
      damaged[at] = value;
      try {
        await read(damaged);
      } catch (error) {
        assert.ok(error instanceof KafkaFault, `byte ${at} = ${value}: ${String(error)}`);
      }
    }
  }
});
