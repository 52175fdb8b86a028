import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import type { StreamRecord } from "../../src/model/record.ts";
import type { ShardReader } from "../../src/ports/stream-source.ts";
import { NO_ABORT, OLDEST, readingData, samples } from "../contract/stream-source-harness.ts";
import { createClientWithout, startKafka } from "./kafka.ts";
import { createKafkaTopic, type KafkaTopicFixture } from "./kafka-topic.ts";

const HANG = { timeout: 300_000 };
const READS_MAX = 600;
const server = await startKafka({ brokers: 3 });
after(() => server.close());

describe("brokers that come and go", HANG, () => {
  test("a reader follows its partition to a new leader, without loss or repetition", async () => {
    await using stream = await createKafkaTopic(server, { partitions: 1 });
    const source = await stream.openSource();
    const shardId = `${stream.topic}-0`;
    const reader = await source.openReader(shardId, OLDEST, NO_ABORT);
    await stream.append(shardId, samples(10, "before"));
    const records = [...(await readCount(stream, reader, 10))];
    const leader = await server.leaderOf(stream.topic, 0);
    await server.kill(leader);
    await stream.append(shardId, samples(10, "without"));
    records.push(...(await readCount(stream, reader, 10)));
    await server.start(leader);
    const other = await server.leaderOf(stream.topic, 0);
    await server.stop(other);
    await stream.append(shardId, samples(10, "again"));
    records.push(...(await readCount(stream, reader, 10)));
    await server.start(other);
    const expected = ["before", "without", "again"].flatMap((part) =>
      samples(10, part).map(({ data }) => data),
    );
    assert.deepEqual(readingData(stream, source, records), expected);
  });

  test("a broker that stands still is left when another leads", async () => {
    await using stream = await createKafkaTopic(server, { partitions: 1 });
    const source = await stream.openSource();
    const shardId = `${stream.topic}-0`;
    await stream.append(shardId, samples(5, "before"));
    const reader = await source.openReader(shardId, OLDEST, NO_ABORT);
    const records = [...(await readCount(stream, reader, 5))];
    const leader = await server.leaderOf(stream.topic, 0);
    server.pause(leader);
    try {
      await appendWhenPossible(stream, shardId, leader);
      records.push(...(await readCount(stream, reader, 1)));
    } finally {
      server.resume(leader);
    }
    assert.equal(records.length, 6);
  });
});

/** By producers that begin with another broker: kafkajs would wait for the paused one at every try. */
async function appendWhenPossible(stream: KafkaTopicFixture, shardId: string, paused: number): Promise<void> {
  for (let tries = 0; tries < 40; tries++) {
    const producer = createClientWithout(server, paused).producer();
    try {
      await producer.connect();
      await producer.send({
        topic: stream.topic,
        timeout: 2_000,
        messages: [{ key: "k", value: "while paused", partition: Number(shardId.split("-").at(-1)) }],
      });
      return;
    } catch {
      await stream.pause(500);
    } finally {
      void producer.disconnect();
    }
  }
  assert.fail("no broker took the record");
}

async function readCount(
  stream: KafkaTopicFixture,
  reader: ShardReader,
  count: number,
): Promise<readonly StreamRecord[]> {
  const records: StreamRecord[] = [];
  for (let reads = 0; reads < READS_MAX && records.length < count; reads++) {
    // The engine would also read again after a failure that passes.
    const read = await reader.read(1_000, 1_000_000, NO_ABORT).catch(() => undefined);
    records.push(...(read?.records ?? []));
    await stream.pause(read?.readAgainAfterMs ?? 100);
  }
  return records;
}
