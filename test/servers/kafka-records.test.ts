import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import type { KafkaRecord } from "../../connectors/kafka/record.ts";
import type { StreamRecord } from "../../src/model/record.ts";
import type { ShardReader } from "../../src/ports/stream-source.ts";
import { itemAt, NO_ABORT, OLDEST, readToTip } from "../contract/stream-source-harness.ts";
import { startKafka } from "./kafka.ts";
import { createKafkaTopic, type KafkaTopicFixture } from "./kafka-topic.ts";

const HANG = { timeout: 240_000 };
const PERFORMANCE_TOOL = "org.apache.kafka.tools.ProducerPerformance";
const server = await startKafka();
after(() => server.close());

describe("records of Kafka", HANG, () => {
  for (const codec of ["none", "gzip", "snappy", "lz4", "zstd"]) {
    test(`reads what Java's producer compressed with ${codec}`, async () => {
      await using stream = await createKafkaTopic(server, { partitions: 1 });
      const lines = payloads();
      const file = join(tmpdir(), `millrace-payloads-${process.pid}-${codec}`);
      await writeFile(file, `${lines.join("\n")}\n`);
      await server.runTool(PERFORMANCE_TOOL, [
        ...["--topic", stream.topic, "--num-records", "2000", "--throughput", "-1", "--payload-file", file],
        ...["--producer-props", `bootstrap.servers=${server.bootstrap()[0]}`, `compression.type=${codec}`],
        ...["batch.size=200000", "linger.ms=100"],
      ]);
      const { records } = await readAll(stream);
      assert.equal(records.length, 2_000);
      const known = new Set(lines);
      assert.ok(records.every((record) => known.has(textOf(record))));
      assert.deepEqual(offsetsOf(records), numbers(0, 2_000));
    });
  }

  test("keeps keys, tombstones, empty values, headers and timestamps", async () => {
    await using stream = await createKafkaTopic(server, { partitions: 1 });
    const key = Buffer.from([0, 255, 128]);
    await stream.producer.send({
      topic: stream.topic,
      messages: [
        { key, value: null, timestamp: "1700000000123" },
        { key: null, value: "" },
        { value: "x", headers: { trace: Buffer.from([1, 200]), twice: ["a", "b"] } },
      ],
    });
    const { records } = await readAll(stream);
    const [tombstone, empty, headed] = records;
    assert.deepEqual([tombstone?.keyBytes, tombstone?.value], [key, null]);
    assert.deepEqual([tombstone?.timestampMs, tombstone?.timestampType], [1_700_000_000_123, "CREATE_TIME"]);
    assert.deepEqual([empty?.key, empty?.keyBytes, empty?.value], [undefined, null, Buffer.alloc(0)]);
    assert.equal(headed?.headersJson, '[{"trace":[1,-56]},{"twice":[97]},{"twice":[98]}]');
  });

  test("shows the broker's time where the topic stamps with it", async () => {
    await using stream = await createKafkaTopic(server, {
      partitions: 1,
      config: { "message.timestamp.type": "LogAppendTime" },
    });
    await stream.producer.send({ topic: stream.topic, messages: [{ value: "x", timestamp: "1000" }] });
    const { records } = await readAll(stream);
    assert.equal(records[0]?.timestampType, "LOG_APPEND_TIME");
    assert.ok((itemAt(records, 0).arrivalMs ?? 0) > 1_700_000_000_000);
  });

  test("leaves out what aborted transactions wrote, and their markers, and reaches the tip behind them", async () => {
    await using stream = await createKafkaTopic(server, { partitions: 1 });
    await transact(stream, ["kept-0", "kept-1"], "commit");
    await transact(stream, ["gone-0", "gone-1"], "abort");
    await transact(stream, ["kept-2"], "commit");
    await transact(stream, ["gone-2"], "abort");
    const { records, reader } = await readAll(stream);
    assert.deepEqual(records.map(textOf), ["kept-0", "kept-1", "kept-2"]);
    const tip = await reader.read(10, 1_000_000, NO_ABORT);
    assert.deepEqual([tip.lagMs, tip.offsetLag], [0, 0]);
  });

  test("sees nothing of an open transaction until it is committed", async () => {
    await using stream = await createKafkaTopic(server, { partitions: 1 });
    await transact(stream, ["before"], "commit");
    const producer = server.client.producer({
      transactionalId: `open-${stream.topic}`,
      maxInFlightRequests: 1,
      idempotent: true,
    });
    await producer.connect();
    const transaction = await producer.transaction();
    await transaction.send({ topic: stream.topic, messages: [{ value: "inside" }] });
    const { records, reader } = await readAll(stream);
    assert.deepEqual(records.map(textOf), ["before"]);
    const source = await stream.openSource();
    const latest = await source.captureLatest(`${stream.topic}-0`, NO_ABORT);
    await transaction.commit();
    await producer.disconnect();
    // The broker answers a commit before its marker is in the partition: until then the tip is where it was.
    let later = await readToTip(stream, reader);
    for (let looks = 0; looks < 60 && later.records.length === 0; looks++)
      later = await readToTip(stream, reader);
    assert.deepEqual(later.records.map(textOf), ["inside"]);
    // What was written before LATEST was captured, but committed behind it, has come later.
    const fromLatest = await readToTip(
      stream,
      await source.openReader(`${stream.topic}-0`, latest, NO_ABORT),
    );
    assert.deepEqual(fromLatest.records.map(textOf), ["inside"]);
  });

  test("reads over the gaps of a compacted topic", async () => {
    await using stream = await createKafkaTopic(server, {
      partitions: 1,
      config: { "cleanup.policy": "compact", "segment.ms": "100", "min.cleanable.dirty.ratio": "0.01" },
    });
    for (let round = 0; round < 5; round++) {
      const messages = numbers(0, 10).map((key) => ({ key: `key-${key}`, value: `${round}-${key}` }));
      await stream.producer.send({ topic: stream.topic, messages });
      await stream.pause(150);
    }
    // Compaction leaves the segment that is written to: another record closes the one before.
    await stream.producer.send({ topic: stream.topic, messages: [{ key: "last", value: "last" }] });
    let records = (await readAll(stream)).records;
    for (let looks = 0; looks < 120 && records.length > 20; looks++) {
      await stream.pause(500);
      records = (await readAll(stream)).records;
    }
    assert.ok(records.length <= 20, "the broker has compacted the topic");
    const offsets = offsetsOf(records);
    assert.deepEqual(
      offsets,
      [...offsets].sort((a, b) => a - b),
    );
    assert.deepEqual(records.slice(-11).map(textOf), [...numbers(0, 10).map((key) => `4-${key}`), "last"]);
    const middle = itemAt(records, 3);
    const reader = await (await stream.openSource()).openReader(
      `${stream.topic}-0`,
      { kind: "after", position: middle.position },
      NO_ABORT,
    );
    const rest = await readToTip(stream, reader);
    assert.deepEqual(offsetsOf(rest.records), offsets.slice(4));
    assert.equal(rest.trimmed, false);
  });

  test("lists the partitions that a topic has grown by, and reads them", async () => {
    await using stream = await createKafkaTopic(server, { partitions: 1 });
    const source = await stream.openSource();
    assert.equal((await source.listShards(NO_ABORT)).length, 1);
    await server.admin.createPartitions({ topicPartitions: [{ topic: stream.topic, count: 3 }] });
    let shards = await source.listShards(NO_ABORT);
    for (let looks = 0; looks < 100 && shards.length < 3; looks++) {
      await stream.pause(50);
      shards = await source.listShards(NO_ABORT);
    }
    const ids = shards.map(({ shardId }) => shardId);
    assert.deepEqual(
      ids,
      [0, 1, 2].map((partition) => `${stream.topic}-${partition}`),
    );
    await stream.append(itemAt(ids, 2), [{ key: "k", data: "new" }]);
    const reading = await readToTip(stream, await source.openReader(itemAt(ids, 2), OLDEST, NO_ABORT));
    assert.deepEqual(reading.records.map(textOf), ["new"]);
  });

  test("a topic that was made anew under its name is read from its oldest record, and says so", async () => {
    await using stream = await createKafkaTopic(server, { partitions: 1 });
    await stream.append(
      `${stream.topic}-0`,
      numbers(0, 5).map((index) => ({ key: "k", data: `old-${index}` })),
    );
    const { reader } = await readAll(stream);
    await server.admin.deleteTopics({ topics: [stream.topic] });
    await createAgain(stream);
    await stream.append(`${stream.topic}-0`, [{ key: "k", data: "new" }]);
    const records: StreamRecord[] = [];
    const said: string[] = [];
    for (let reads = 0; reads < 200 && records.length === 0; reads++) {
      const read = await reader.read(10, 1_000_000, NO_ABORT).catch(() => undefined);
      records.push(...(read?.records ?? []));
      if (read?.anew !== undefined) said.push(read.anew.because);
      assert.notEqual(read?.trimmed, true);
      await stream.pause(50);
    }
    assert.deepEqual([records.map(textOf), said], [["new"], ["remade"]]);
  });

  test("an idle partition does not hold up the reading of a busy one", async () => {
    await using stream = await createKafkaTopic(server, { partitions: 2 });
    const source = await stream.openSource();
    const idle = await source.openReader(`${stream.topic}-0`, OLDEST, NO_ABORT);
    const busy = await source.openReader(`${stream.topic}-1`, OLDEST, NO_ABORT);
    await readToTip(stream, idle);
    const stop = new AbortController();
    const order: string[] = [];
    const waiting = (async () => {
      await idle.read(10, 1_000_000, NO_ABORT);
      order.push("idle");
    })();
    for (let round = 0; round < 5; round++) {
      await stream.append(`${stream.topic}-1`, [{ key: "k", data: `${round}` }]);
      let read = await busy.read(10, 1_000_000, stop.signal);
      while (read.records.length === 0) read = await busy.read(10, 1_000_000, stop.signal);
      order.push(textOf(itemAt(read.records, 0)));
    }
    await waiting;
    assert.deepEqual(
      order.filter((entry) => entry !== "idle"),
      ["0", "1", "2", "3", "4"],
    );
  });
});

async function readAll(
  stream: KafkaTopicFixture,
): Promise<{ records: readonly KafkaRecord[]; reader: ShardReader }> {
  const source = await stream.openSource();
  const reader = await source.openReader(`${stream.topic}-0`, OLDEST, NO_ABORT);
  const { records } = await readToTip(stream, reader);
  return { records: records as readonly KafkaRecord[], reader };
}

async function transact(
  stream: KafkaTopicFixture,
  values: readonly string[],
  end: "commit" | "abort",
): Promise<void> {
  const producer = server.client.producer({
    transactionalId: `transaction-${stream.topic}`,
    maxInFlightRequests: 1,
    idempotent: true,
  });
  await producer.connect();
  const transaction = await producer.transaction();
  for (const value of values) await transaction.send({ topic: stream.topic, messages: [{ value }] });
  await transaction[end]();
  await producer.disconnect();
}

async function createAgain(stream: KafkaTopicFixture): Promise<void> {
  const topics = [{ topic: stream.topic, numPartitions: 1 }];
  for (let tries = 0; tries < 50; tries++) {
    const isMade = await server.admin.createTopics({ topics, waitForLeaders: true }).catch(() => false);
    if (isMade) return;
    await stream.pause(100);
  }
  assert.fail(`${stream.topic} could not be made again`);
}

/** Repetitive and random lines, short and long: each codec takes its ways with copies, literals and overlaps. */
function payloads(): readonly string[] {
  const random = Array.from({ length: 20 }, (_, index) =>
    Array.from({ length: index * 50 + 1 }, () => Math.random().toString(36).slice(2, 4)).join(""),
  );
  return ["a".repeat(5_000), "ab".repeat(3_000), '{"x":1}', ...random, `${"long ".repeat(20_000)}end`];
}

function textOf(record: StreamRecord): string {
  return (record as KafkaRecord).value?.toString() ?? "";
}

function offsetsOf(records: readonly StreamRecord[]): readonly number[] {
  return records.map(({ position }) => Number(position));
}

function numbers(from: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => from + index);
}
