import { createKafkaSource } from "../../connectors/kafka/source.ts";
import type { StreamSource } from "../../src/ports/stream-source.ts";
import { ScriptedKafka } from "./scripted-kafka.ts";
import type { StreamFixture, StreamHarness } from "./stream-source-harness.ts";

const TOPIC = "orders";
const BOOTSTRAP = ["scripted:9092"];

/** A topic of a broker in memory, whose answers are those of Kafka 3.1 and newer, or of one before 2.8. */
export function scriptedKafkaHarness(hasTopicIds: boolean): StreamHarness {
  return {
    can: {
      ...{ startAtTimestamp: true, split: false, merge: false, trim: true, expireIterators: false },
      ...{ noWindows: true, holdsFetched: true, unseen: true, loseEnd: true, foreignTimes: true },
      ...(hasTopicIds ? { remake: true } : {}),
    },
    createStream: async (shards) => createFixture(new ScriptedKafka({ hasTopicIds }), shards),
    openMissingStream: async () => open(new ScriptedKafka({ hasTopicIds })),
  };
}

function open(kafka: ScriptedKafka): StreamSource {
  const cluster = kafka.cluster();
  return createKafkaSource({ cluster, topic: TOPIC, eventSourceArn: undefined, bootstrapServers: BOOTSTRAP });
}

function createFixture(kafka: ScriptedKafka, shards: number): StreamFixture {
  kafka.create(TOPIC, shards);
  const sources: StreamSource[] = [];
  const logOf = (shardId: string) => kafka.log(TOPIC, Number(shardId.slice(TOPIC.length + 1)));
  const cannot = async () => {
    throw new Error("Kafka does not do this");
  };
  const change = async (work: () => void) => {
    work();
    kafka.wake();
  };
  return {
    async openSource() {
      const source = open(kafka);
      sources.push(source);
      return source;
    },
    append: (shardId, records) => change(() => logOf(shardId).append(records)),
    appendAt: (shardId, record, time) => change(() => logOf(shardId).appendAt(record, time)),
    split: cannot,
    merge: cannot,
    async trimBefore(epochMs) {
      for (let shard = 0; shard < shards; shard++) kafka.log(TOPIC, shard).trimBefore(epochMs);
    },
    expireIterators: cannot,
    pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    async remake() {
      kafka.delete(TOPIC);
      kafka.create(TOPIC, 1);
    },
    loseEnd: (shardId, kept) => change(() => logOf(shardId).elect(logOf(shardId).offsetBehind(kept))),
    appendUnseen: (shardId) => change(() => logOf(shardId).appendAborted()),
    dataOf(event) {
      const { records } = event as {
        readonly records: Readonly<Record<string, readonly { readonly value?: string }[]>>;
      };
      return Object.values(records)
        .flat()
        .map(({ value }) => Buffer.from(value ?? "", "base64").toString());
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(sources.map((source) => source.close()));
    },
  };
}
