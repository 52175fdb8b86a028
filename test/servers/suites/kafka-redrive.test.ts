import { test } from "node:test";
import { dataOf, FailingWorld } from "../../integration/failures/failing-world.ts";
import {
  FAILURES,
  KEYS,
  KILLED,
  listedFailures,
  proveKilledRedrive,
  SHARDS,
} from "../../integration/failures/killed-redrive.ts";
import { startKafka } from "../kafka.ts";

test(
  `${FAILURES} failures of ${KEYS} keys come back from a topic in order, none twice, over ten kills`,
  KILLED,
  async (t) => {
    const kafka = await startKafka();
    t.after(() => kafka.close());
    const topics = ["orders", "orders-failed"].map((topic) => ({ topic, numPartitions: SHARDS }));
    await kafka.admin.createTopics({ topics, waitForLeaders: true });
    const producer = kafka.client.producer();
    await producer.connect();
    const messages = dataOf(FAILURES, KEYS).map(({ key, data }) => ({ key, value: data }));
    await producer.send({ topic: "orders", messages });
    await producer.disconnect();
    const servers = kafka.bootstrap().map((server) => JSON.stringify(server));
    const world = await FailingWorld.of(
      t,
      "orders-topic",
      `  selfManagedEventSource: { endpoints: { KAFKA_BOOTSTRAP_SERVERS: [${servers.join(", ")}] } }
  topics: [orders]
  sourceAccessConfigurations: []
  selfManagedKafkaEventSourceConfig: { consumerGroupId: orders }
  startingPosition: TRIM_HORIZON
  batchSize: 1
  maximumBatchingWindowInSeconds: 0
  parallelizationFactor: 10
  maximumRetryAttempts: 0
  destinationConfig: { onFailure: { destination: "kafka://orders-failed" } }
`,
    );
    await proveKilledRedrive(t, world, listedFailures(world, "orders-topic"));
  },
);
