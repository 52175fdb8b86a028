import type { Producer } from "kafkajs";
import { KafkaCluster } from "../../connectors/kafka/cluster.ts";
import { createKafkaSource } from "../../connectors/kafka/source.ts";
import type { StreamSource } from "../../src/ports/stream-source.ts";
import type { SampleRecord, StreamFixture } from "../contract/stream-source-harness.ts";
import type { KafkaServer } from "./kafka.ts";

export interface KafkaTopicFixture extends StreamFixture {
  readonly topic: string;
  readonly producer: Producer;
}

export interface TopicOptions {
  readonly partitions: number;
  /** Topic settings: `cleanup.policy`. */
  readonly config?: Readonly<Record<string, string>>;
}

const TRIES_MAX = 200;
const TRY_MS = 100;
let topics = 0;

/** A topic of its own for one test. */
export async function createKafkaTopic(
  server: KafkaServer,
  { partitions, config = {} }: TopicOptions,
): Promise<KafkaTopicFixture> {
  const topic = `topic-${++topics}`;
  await server.admin.createTopics({
    waitForLeaders: true,
    topics: [
      {
        topic,
        numPartitions: partitions,
        configEntries: Object.entries(config).map(([name, value]) => ({ name, value })),
      },
    ],
  });
  const producer = server.client.producer();
  await producer.connect();
  const sources: StreamSource[] = [];
  const cannot = async () => {
    throw new Error("Kafka does not do this");
  };
  return {
    topic,
    producer,
    async openSource() {
      const source = openPlainSource(server, topic);
      sources.push(source);
      return source;
    },
    async append(shardId, records) {
      const partition = partitionOf(shardId);
      await producer.send({ topic, messages: records.map((record) => toMessage(record, partition)) });
    },
    async appendAt(shardId, record, time) {
      const message = { ...toMessage(record, partitionOf(shardId)), timestamp: String(time) };
      await producer.send({ topic, messages: [message] });
    },
    split: cannot,
    merge: cannot,
    async trimBefore(epochMs) {
      const found = await server.admin.fetchTopicOffsetsByTimestamp(topic, epochMs);
      await server.admin.deleteTopicRecords({ topic, partitions: found });
    },
    async expireIterators() {
      await server.kill(0);
      await server.start(0);
    },
    async remake() {
      await server.admin.deleteTopics({ topics: [topic] });
      await remakeTopic(server, topic, 1);
    },
    async loseEnd(shardId, kept) {
      await server.kill(0);
      await server.cutLog(0, topic, partitionOf(shardId), kept);
      await server.start(0);
      await waitUntilLed(server, topic);
    },
    async appendUnseen(shardId) {
      const transactional = server.client.producer({
        transactionalId: `${topic}-unseen`,
        maxInFlightRequests: 1,
      });
      await transactional.connect();
      const transaction = await transactional.transaction();
      const partition = partitionOf(shardId);
      await transaction.send({ topic, messages: [{ key: "k", value: "given up", partition }] });
      await transaction.abort();
      await transactional.disconnect();
    },
    pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    dataOf: kafkaDataOf,
    async [Symbol.asyncDispose]() {
      await Promise.all(sources.map((source) => source.close()));
      await producer.disconnect();
      await server.admin.deleteTopics({ topics: [topic] });
    },
  };
}

/** Creates a topic whose name may still be that of one that is being deleted. */
export async function remakeTopic(server: KafkaServer, topic: string, numPartitions: number): Promise<void> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    try {
      if (await server.admin.createTopics({ topics: [{ topic, numPartitions }], waitForLeaders: true }))
        return;
    } catch (error) {
      if (tries === TRIES_MAX - 1) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, TRY_MS));
  }
  throw new Error(`${topic} could not be made anew`);
}

/** A broker that has just started leads its partitions some moments later. */
async function waitUntilLed(server: KafkaServer, topic: string): Promise<void> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    if ((await server.admin.fetchTopicOffsets(topic).catch(() => undefined)) !== undefined) return;
    await new Promise((resolve) => setTimeout(resolve, TRY_MS));
  }
  throw new Error(`nobody leads ${topic}`);
}

/** A source of the listener without TLS and users. */
export function openPlainSource(server: KafkaServer, topic: string): StreamSource {
  const bootstrapServers = server.bootstrap();
  const cluster = new KafkaCluster({ bootstrap: bootstrapServers, access: {}, clientId: "millrace-test" });
  return createKafkaSource({ cluster, topic, eventSourceArn: undefined, bootstrapServers });
}

export function partitionOf(shardId: string): number {
  return Number(shardId.slice(shardId.lastIndexOf("-") + 1));
}

export function kafkaDataOf(event: unknown): readonly string[] {
  const { records } = event as {
    readonly records: Readonly<Record<string, readonly { readonly value?: string }[]>>;
  };
  return Object.values(records)
    .flat()
    .map(({ value }) => Buffer.from(value ?? "", "base64").toString());
}

function toMessage({ key, data }: SampleRecord, partition: number) {
  return { key, value: data, partition };
}
