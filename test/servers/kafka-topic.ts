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
    pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    dataOf: kafkaDataOf,
    async [Symbol.asyncDispose]() {
      await Promise.all(sources.map((source) => source.close()));
      await producer.disconnect();
      await server.admin.deleteTopics({ topics: [topic] });
    },
  };
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
