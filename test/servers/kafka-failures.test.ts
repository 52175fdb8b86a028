import { after } from "node:test";
import { KafkaCluster } from "../../connectors/kafka/cluster.ts";
import { createTopicDestination } from "../../connectors/kafka/destination.ts";
import { failureMessages } from "../../connectors/kafka/failure-messages.ts";
import { createTopicFailureReader } from "../../connectors/kafka/failure-reader.ts";
import { failureEnvelope } from "../../src/model/failure-record.ts";
import { describeFailureReaderContract } from "../contract/failure-reader.ts";
import { kafkaFailure } from "../unit/connectors/kafka/sample-failure.ts";
import { recordOf } from "../unit/connectors/kafka/sample-messages.ts";
import { startKafka } from "./kafka.ts";

const server = await startKafka();
after(() => server.close());

let topics = 0;

/** All of one key: they stand in one partition, in their order. */
function sample(id: string, mapping: string, count: number) {
  const records = Array.from({ length: count }, (_, offset) =>
    recordOf({ offset, key: Buffer.from("a"), value: Buffer.from(`${offset}`), timestampMs: 1_000 }),
  );
  return { ...kafkaFailure(id, records), mappingUuid: mapping };
}

describeFailureReaderContract("kafka", {
  isByRecord: true,
  sample,
  documentOf(record) {
    const [first] = failureMessages(failureEnvelope(record)) ?? [];
    const { payload: _, ...document } = JSON.parse(String(first?.value));
    return document;
  },
  async createPlace() {
    const topic = `reread-${++topics}`;
    await server.admin.createTopics({ topics: [{ topic, numPartitions: 3 }], waitForLeaders: true });
    const cluster = () =>
      new KafkaCluster({ bootstrap: server.bootstrap(), access: {}, clientId: "millrace-test" });
    const closing: (() => Promise<void>)[] = [];
    return {
      async openDestination() {
        const destination = createTopicDestination({ cluster: cluster(), topic });
        closing.push(() => destination.close());
        return destination;
      },
      async openReader() {
        const bootstrapServers = server.bootstrap();
        const reader = createTopicFailureReader({ cluster: cluster(), topic, bootstrapServers });
        closing.push(() => reader.close());
        return reader;
      },
      async litter() {
        const producer = server.client.producer();
        await producer.connect();
        await producer.send({ topic, messages: [{ key: "x", value: "no failure" }, { value: null }] });
        await producer.disconnect();
      },
      async [Symbol.asyncDispose]() {
        await Promise.all(closing.map((close) => close()));
      },
    };
  },
});
