import assert from "node:assert/strict";
import { test } from "node:test";
import { createTopicBacklog } from "../../connectors/kafka/backlog.ts";
import { KafkaCluster } from "../../connectors/kafka/cluster.ts";
import { RabbitBacklog } from "../../connectors/rabbitmq/backlog.ts";
import { createSqsBacklog } from "../../connectors/sqs/backlog.ts";
import { parseQueueArn } from "../../connectors/sqs/queue-arn.ts";
import { createSdkApi } from "../../connectors/sqs/sdk-api.ts";
import { NO_ABORT } from "../contract/stream-source-harness.ts";
import { until } from "../integration/cli/millrace-process.ts";
import { useAwsEnvironment } from "./aws-environment.ts";
import { startElasticmq } from "./elasticmq.ts";
import { startKafka } from "./kafka.ts";
import { createPlainQueue } from "./plain-queue.ts";
import { startRabbitmq } from "./rabbitmq.ts";
import { rabbitQueue } from "./rabbitmq-queues.ts";

test("what waits in a topic is what its group has not committed, and a look joins no group", async (t) => {
  const server = await startKafka();
  t.after(() => server.close());
  const topic = "orders";
  await server.admin.createTopics({ topics: [{ topic, numPartitions: 2 }], waitForLeaders: true });
  const cluster = new KafkaCluster({ bootstrap: server.bootstrap(), access: {}, clientId: "test" });
  const backlog = createTopicBacklog({ cluster, topic, groupId: "readers" });
  t.after(() => backlog.close());
  // A broker that has just started has no coordinator of groups yet, and says so.
  const answers = () =>
    backlog.look(NO_ABORT).then(
      () => true,
      () => false,
    );
  await until(answers, () => "the group's coordinator does not answer");
  assert.deepEqual(await backlog.look(NO_ABORT), { elements: 2, parts: 2 }, "nobody has begun with them");
  const commit = (...offsets: readonly number[]) =>
    server.admin.setOffsets({
      groupId: "readers",
      topic,
      partitions: offsets.map((offset, partition) => ({ partition, offset: String(offset) })),
    });
  await commit(0, 0);
  assert.deepEqual(await backlog.look(NO_ABORT), { elements: 0, parts: 0 });
  const producer = server.client.producer();
  await producer.connect();
  t.after(() => producer.disconnect());
  const messages = ["a", "b", "c"].map((value) => ({ value, partition: 1 }));
  await producer.send({ topic, messages });
  assert.deepEqual(await backlog.look(NO_ABORT), { elements: 3, parts: 1 });
  await commit(0, 2);
  assert.deepEqual(await backlog.look(NO_ABORT), { elements: 1, parts: 1 });
  const { groups } = await server.admin.describeGroups(["readers"]);
  assert.deepEqual(groups[0]?.members, []);
});

test("a queue of SQS counts what waits and what is held, and a look receives nothing", async (t) => {
  const server = await startElasticmq();
  t.after(() => server.close());
  useAwsEnvironment({ AWS_ENDPOINT_URL_SQS: server.endpoint });
  await using queue = await createPlainQueue("standard", { VisibilityTimeout: "600" });
  const arn = parseQueueArn(queue.arn);
  const backlog = createSqsBacklog(arn, createSdkApi(arn));
  t.after(() => backlog.close());
  assert.deepEqual(await backlog.look(NO_ABORT), { elements: 0, parts: 0 });
  await queue.send("a", "b", "c");
  assert.deepEqual(await backlog.look(NO_ABORT), { elements: 3, parts: 1 });
  const held = await queue.receive({ messagesMax: 2 });
  assert.equal(held[0]?.Attributes?.["ApproximateReceiveCount"], "1");
  assert.deepEqual(await backlog.look(NO_ABORT), { elements: 3, parts: 1 });
  await queue.remove(...held);
  assert.deepEqual(await backlog.look(NO_ABORT), { elements: 3 - held.length, parts: 1 });
});

test("a queue of RabbitMQ counts what it has sent to nobody, also one that was gone", async (t) => {
  const server = await startRabbitmq();
  t.after(() => server.close());
  const queue = await rabbitQueue(server, "classic");
  await queue.make();
  const backlog = new RabbitBacklog(queue.name, queue.api());
  t.after(() => backlog.close());
  assert.deepEqual(await backlog.look(), { elements: 0, parts: 0 });
  await queue.send(["a", "b"].map((body) => ({ body, headers: {} })));
  assert.deepEqual(await backlog.look(), { elements: 2, parts: 1 });
  await queue.remove();
  await assert.rejects(backlog.look(), { code: "ERR_MILLRACE_SOURCE_NOT_FOUND" });
  await queue.make();
  assert.deepEqual(await backlog.look(), { elements: 0, parts: 0 });
});
