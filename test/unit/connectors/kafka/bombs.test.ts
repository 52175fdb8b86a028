import assert from "node:assert/strict";
import { test } from "node:test";
import { RECOVERY_MS } from "../../../../connectors/kafka/leaders.ts";
import type { FetchAsk } from "../../../../connectors/kafka/node-fetcher.ts";
import { PartitionReader } from "../../../../connectors/kafka/reader.ts";
import { createKafkaPartition } from "../../../../connectors/kafka/record.ts";
import { STEP_BYTES_MAX, STEP_ITEMS_MAX, turn } from "../../../../src/lib/steps.ts";
import { hasErrorCode } from "../../../../src/model/errors.ts";
import type { StreamRecord } from "../../../../src/model/record.ts";
import { NO_ABORT } from "../../../contract/stream-source-harness.ts";
import { batchBytes } from "./batch-bytes.ts";
import { cannedLog } from "./canned-broker.ts";
import { hostileBatches } from "./hostile-batches.ts";

const RECORDS_MAX = 10_000;
const BYTES_MAX = 4 * 1024 * 1024;

interface Outcome {
  readonly delivered: readonly number[];
  readonly damaged: readonly StreamRecord[];
  readonly failures: number;
  readonly stepBytesMax: number;
  readonly stepItemsMax: number;
  readonly readBytesMax: number;
}

/** Reads a log to its end, as the engine does: what fails is tried again. */
async function readAll(batches: readonly Buffer[]): Promise<Outcome> {
  const log = cannedLog(batches);
  const reader = new PartitionReader({
    leaders: {
      ask: async ({ offset, bytesMax }: FetchAsk) => ({
        ...{ partition: 0, errorCode: 0, aborted: [] },
        ...{ highWatermark: log.endOffset, lastStableOffset: log.endOffset },
        records: log.read(offset, bytesMax),
      }),
      oldestOffset: async () => 0,
      latestOffset: async () => 0,
      epochEnd: async () => undefined,
    },
    ...{ log: { topicId: undefined, epochs: [] }, isLost: false, onLost() {}, onFound() {} },
    partition: createKafkaPartition("t", 0),
    ...{ offset: 0, isOldest: true },
    now: () => 0,
    epochMs: () => RECOVERY_MS,
  });
  const delivered: number[] = [];
  const damaged: StreamRecord[] = [];
  let [failures, stepBytesMax, stepItemsMax, readBytesMax, lagMs] = [0, 0, 0, 0, 1];
  const stop = turn.watch((bytes, items) => {
    stepBytesMax = Math.max(stepBytesMax, bytes);
    stepItemsMax = Math.max(stepItemsMax, items);
  });
  while (lagMs > 0) {
    try {
      const read = await reader.read(RECORDS_MAX, BYTES_MAX, NO_ABORT);
      lagMs = read.lagMs ?? 1;
      for (const record of read.records) {
        if (record.damage === undefined) delivered.push(Number(record.position));
        else damaged.push(record);
      }
      readBytesMax = Math.max(
        readBytesMax,
        read.records.reduce((sum, { bytes }) => sum + bytes, 0),
      );
    } catch (error) {
      assert.ok(hasErrorCode(error, "ERR_MILLRACE_SOURCE_UNAVAILABLE"), String(error));
      assert.ok(++failures < 3, String(error));
    }
  }
  await new Promise((resolve) => setImmediate(resolve));
  stop();
  return { delivered, damaged, failures, stepBytesMax, stepItemsMax, readBytesMax };
}

for (const { name, bytes, offsets, ending } of hostileBatches(300_000)) {
  test(`${name}: ${ending === "delivered" ? "all are delivered" : "one element is given up"}, its neighbours are delivered, no step is long`, async () => {
    const behind = 5 + offsets;
    const { delivered, damaged, stepBytesMax, stepItemsMax, readBytesMax } = await readAll([
      batchBytes({ baseOffset: 0, records: [0, 1, 2, 3, 4].map((offset) => ({ offset, value: "before" })) }),
      bytes(5),
      batchBytes({ baseOffset: behind, records: [{ offset: behind, value: "behind" }] }),
    ]);
    assert.deepEqual(delivered.slice(0, 5), [0, 1, 2, 3, 4]);
    assert.equal(delivered.at(-1), behind);
    // Of a batch that is cut in its middle, what stands before is an ending of its own.
    assert.ok(damaged.length <= 2);
    if (ending === "delivered") assert.deepEqual([delivered.length, damaged.length], [6 + offsets, 0]);
    else assert.ok(damaged.length >= 1 && damaged.every(({ damage }) => (damage ?? "").length < 400));
    assert.ok(stepBytesMax > 0 && stepBytesMax <= STEP_BYTES_MAX, `${stepBytesMax} bytes in a step`);
    assert.ok(stepItemsMax <= STEP_ITEMS_MAX, `${stepItemsMax} items in a step`);
    assert.ok(readBytesMax <= BYTES_MAX + 1024 * 1024, `${readBytesMax} bytes of one read`);
  });
}

test("neighbours in the same batch as a record that is too large are delivered", async () => {
  const large = Buffer.alloc(9_000_000);
  const records = [
    { offset: 0, value: "a" },
    { offset: 1, value: large },
    { offset: 2, value: "c" },
  ];
  for (const codec of [0, 1] as const) {
    const { delivered, damaged, failures } = await readAll([batchBytes({ baseOffset: 0, records, codec })]);
    assert.deepEqual([delivered, damaged.map(({ position }) => position), failures], [[0, 2], ["1"], 0]);
    assert.match(
      damaged[0]?.damage ?? "",
      /it has 90000\d\d bytes, and none of more than 8388608 fits an event/,
    );
  }
});

test("headers named __proto__, keys and values of any bytes are delivered as they are", async () => {
  const odd = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  const headers = [
    ["__proto__", "a"],
    ["constructor", null],
    ["", "b"],
    ["__proto__", "c"],
  ] as const;
  const { delivered, damaged } = await readAll([
    batchBytes({
      baseOffset: 0,
      records: [
        { offset: 0, value: odd, headers },
        { offset: 1, value: odd },
      ],
    }),
  ]);
  assert.deepEqual([delivered, damaged], [[0, 1], []]);
});
