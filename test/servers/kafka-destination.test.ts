import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, test } from "node:test";
import { KafkaCluster } from "../../connectors/kafka/cluster.ts";
import {
  createMessageDestination,
  createTopicDestination,
  FAILURE_ID_HEADER,
} from "../../connectors/kafka/destination.ts";
import { failureMessages } from "../../connectors/kafka/failure-messages.ts";
import { createKafkaPartition, createKafkaRecord } from "../../connectors/kafka/record.ts";
import type { FailureRecord } from "../../src/model/failure-record.ts";
import { failureEnvelope } from "../../src/model/failure-record.ts";
import type { Destination } from "../../src/ports/destination.ts";
import {
  type AcceptedDocument,
  type DestinationFixture,
  describeDestinationContract,
  sampleFailure,
} from "../contract/destination.ts";
import { rejectsWith } from "../contract/rejects-with.ts";
import { until } from "../integration/cli/millrace-process.ts";
import { kafkaFailure } from "../unit/connectors/kafka/sample-failure.ts";
import { startKafka } from "./kafka.ts";

const server = await startKafka();
after(() => server.close());
const NO_ABORT = new AbortController().signal;

let topics = 0;

async function createTopic(partitions = 3): Promise<string> {
  const topic = `failed-${++topics}`;
  await server.admin.createTopics({ topics: [{ topic, numPartitions: partitions }], waitForLeaders: true });
  return topic;
}

function openDestination(topic: string, create = createTopicDestination): Destination {
  const cluster = new KafkaCluster({ bootstrap: server.bootstrap(), access: {}, clientId: "millrace-test" });
  return create({ cluster, topic });
}

interface Found {
  readonly partition: number;
  readonly key: string | undefined;
  readonly id: string;
  readonly document: unknown;
}

/** All that the topic holds now, as kafkajs's own consumer reads it. */
async function readAll(topic: string): Promise<readonly Found[]> {
  const offsets = await server.admin.fetchTopicOffsets(topic);
  const total = offsets.reduce((sum, { low, high }) => sum + Number(high) - Number(low), 0);
  const found: Found[] = [];
  if (total === 0) return found;
  const consumer = server.client.consumer({ groupId: `reader-${topic}-${performance.now()}` });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const done = Promise.withResolvers<void>();
  await consumer.run({
    eachMessage: async ({ partition, message }) => {
      const id = String(message.headers?.[FAILURE_ID_HEADER]);
      found.push({
        partition,
        key: message.key?.toString(),
        id,
        document: JSON.parse(String(message.value)),
      });
      if (found.length === total) done.resolve();
    },
  });
  await done.promise;
  await consumer.disconnect();
  return found;
}

function documentsOf(record: FailureRecord): readonly AcceptedDocument[] {
  const messages = failureMessages(failureEnvelope(record)) ?? [];
  return messages.map(({ id, value }) => ({ id, document: JSON.parse(String(value)) }));
}

/** A topic for one test, whose broker is killed to be away. */
async function createFixture(create: typeof createTopicDestination): Promise<DestinationFixture> {
  const topic = await createTopic();
  const opened: Destination[] = [];
  return {
    async open() {
      const destination = openDestination(topic, create);
      opened.push(destination);
      return destination;
    },
    async accepted() {
      return (await readAll(topic)).map(({ id, document }) => ({ id, document }));
    },
    async setAvailable(isAvailable) {
      if (!isAvailable) return await server.kill(0);
      await server.start(0);
      await until(
        () =>
          server.admin.fetchTopicOffsets(topic).then(
            () => true,
            () => false,
          ),
        () => `${topic} is not served again`,
      );
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(opened.map((destination) => destination.close()));
    },
  };
}

describeDestinationContract("a Kafka topic", {
  tellsPlaces: true,
  carriesPayload: true,
  special: { sampleFailure: kafkaFailure, documentsOf, refused: sampleFailure("kinesis") },
  createDestination: () => createFixture(createTopicDestination),
});

describeDestinationContract("a Kafka topic of any cluster", {
  tellsPlaces: true,
  carriesPayload: false,
  createDestination: () => createFixture(createMessageDestination),
});

test("records of one key go to one partition in their order, as Kafka's own producers put them", async () => {
  const topic = await createTopic(8);
  const destination = openDestination(topic);
  const partition = createKafkaPartition("mytopic", 0);
  const records = Array.from({ length: 40 }, (_, offset) => {
    const key = Buffer.from(`key-${offset % 4}`);
    const message = {
      offset,
      key,
      value: null,
      headers: [],
      timestampMs: 0,
      timestampType: "CREATE_TIME" as const,
    };
    return createKafkaRecord(partition, message, 0);
  });
  await destination.deliver(failureEnvelope(kafkaFailure("x", records)), NO_ABORT);
  await destination.close();
  const producer = server.client.producer();
  await producer.connect();
  const placed = new Map<string, number>();
  for (const key of ["key-0", "key-1", "key-2", "key-3"]) {
    const [sent] = await producer.send({ topic, messages: [{ key, value: "{}" }] });
    placed.set(key, sent?.partition ?? -1);
  }
  await producer.disconnect();
  const byKey = Map.groupBy(
    (await readAll(topic)).filter(({ id }) => id !== "undefined"),
    ({ key }) => key,
  );
  assert.equal(byKey.size, 4);
  for (const [key, found] of byKey) {
    assert.deepEqual(new Set(found.map((each) => each.partition)), new Set([placed.get(key ?? "")]));
    const offsets = found.map(({ id }) => Number(id.split("/").at(-1)));
    assert.deepEqual(
      offsets,
      offsets.toSorted((a, b) => a - b),
    );
    assert.equal(offsets.length, 10);
  }
});

test("a record of almost the topic's bound fits, one that cannot is refused for good", async () => {
  const topic = await createTopic(1);
  const destination = openDestination(topic);
  const partition = createKafkaPartition("mytopic", 0);
  const failureOf = (value: Buffer) => {
    const message = {
      offset: 1,
      key: null,
      value,
      headers: [],
      timestampMs: 0,
      timestampType: "CREATE_TIME" as const,
    };
    return failureEnvelope(kafkaFailure("x", [createKafkaRecord(partition, message, 0)]));
  };
  await destination.deliver(failureOf(Buffer.alloc(1_000_000, "text that packs well ")), NO_ABORT);
  const random = randomBytes(2_000_000);
  await rejectsWith("ERR_MILLRACE_DESTINATION_REJECTED", () =>
    destination.deliver(failureOf(random), NO_ABORT),
  );
  await destination.close();
});

test("a topic that does not exist can still be made", async () => {
  const destination = openDestination("not-there-yet");
  await rejectsWith("ERR_MILLRACE_DESTINATION_UNAVAILABLE", () =>
    destination.deliver(failureEnvelope(kafkaFailure("x")), NO_ABORT),
  );
  await server.admin.createTopics({ topics: [{ topic: "not-there-yet" }], waitForLeaders: true });
  await destination.deliver(failureEnvelope(kafkaFailure("x")), NO_ABORT);
  assert.equal((await readAll("not-there-yet")).length, 3);
  await destination.close();
});
