import { randomUUID } from "node:crypto";
import { mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KafkaCluster } from "../../connectors/kafka/cluster.ts";
import { createKafkaSource } from "../../connectors/kafka/source.ts";
import { openKinesisSource } from "../../connectors/kinesis/connector.ts";
import { localQueueConnector } from "../../connectors/local/connector.ts";
import { openLocalSource } from "../../connectors/local/source.ts";
import { parseStreamArn } from "../../connectors/local/stream-arn.ts";
import { openStreamFile } from "../../connectors/local/stream-file.ts";
import { sqsConnector } from "../../connectors/sqs/connector.ts";
import { StoreProxy } from "../chaos/store-proxy.ts";
import { PLAIN_QUEUE_MAPPING } from "../fixtures/queue-mapping.ts";
import { useAwsEnvironment } from "./aws-environment.ts";
import { startDynamodbLocal } from "./dynamodb-local.ts";
import { createTable, openStream, useEndpoint } from "./dynamodb-stream-fixture.ts";
import { startElasticmq } from "./elasticmq.ts";
import { startKafka } from "./kafka.ts";
import { startKinesalite } from "./kinesalite.ts";
import { KinesisTestStream } from "./kinesis-stream.ts";
import type { AwaySource } from "./outage-plan.ts";
import { createPlainQueue } from "./plain-queue.ts";
import { shared } from "./shared-server.ts";
import { type AwaySourceContent, describeSourceOutages } from "./source-outages.ts";

const SHARDS = 4;
/** Longer than the function may take, and short beside the ten seconds in which all is to work again. */
const VISIBILITY_SECONDS = 5;

function describeSource(name: AwaySource, createContent: () => Promise<AwaySourceContent>): void {
  describeSourceOutages(name, { createContent });
}

interface KinesisEvent {
  readonly Records: readonly { readonly kinesis: { readonly data: string } }[];
}
const kinesisTexts = (event: unknown) =>
  (event as KinesisEvent).Records.map(({ kinesis }) => Buffer.from(kinesis.data, "base64").toString());
const sqsTexts = (event: unknown) =>
  (event as { readonly Records: readonly { readonly body: string }[] }).Records.map(({ body }) => body);

/** The engines' way to a server: while it is away their connections stay and nothing comes, or are reset. */
async function throughProxy(endpoint: string) {
  const proxy = await StoreProxy.start(Number(new URL(endpoint).port));
  return {
    endpoint: `http://127.0.0.1:${proxy.port}`,
    takesWhileAway: true,
    begin: async () => proxy.hang(),
    reset: async () => proxy.reset(),
    end: async () => proxy.goOn(),
    close: () => proxy.close(),
  };
}

const kinesalite = shared(startKinesalite);
describeSource("a Kinesis that does not answer", async () => {
  const { endpoint } = await kinesalite();
  useAwsEnvironment({ AWS_ENDPOINT_URL_KINESIS: endpoint });
  const stream = await KinesisTestStream.create(endpoint, SHARDS);
  const proxy = await throughProxy(endpoint);
  return {
    ...proxy,
    ...{ eventSourceArn: stream.arn, shards: SHARDS, textsOf: kinesisTexts },
    async open() {
      useAwsEnvironment({ AWS_ENDPOINT_URL_KINESIS: proxy.endpoint });
      return { kind: "stream", source: await openKinesisSource(stream.arn) };
    },
    append: (texts) => stream.put(texts.map((data) => ({ key: data, data }))),
    async [Symbol.asyncDispose]() {
      proxy.close();
      stream.close();
    },
  };
});

const dynamodb = shared(startDynamodbLocal);
describeSource("a DynamoDB stream that does not answer", async () => {
  const { endpoint } = await dynamodb();
  useEndpoint(endpoint);
  const table = await createTable();
  const proxy = await throughProxy(endpoint);
  return {
    ...proxy,
    // DynamoDB Local's streams have one open shard.
    ...{ eventSourceArn: table.streamArn, shards: 1 },
    async open() {
      useEndpoint(proxy.endpoint);
      return { kind: "stream", source: await openStream(table.streamArn) };
    },
    append: (texts) => table.append(texts.map((data) => ({ key: data, data }))),
    textsOf: (event) =>
      (
        event as { readonly Records: readonly { readonly dynamodb: { NewImage: { data: { S: string } } } }[] }
      ).Records.map((record) => record.dynamodb.NewImage.data.S),
    async [Symbol.asyncDispose]() {
      proxy.close();
      await table.drop();
    },
  };
});

const elasticmq = shared(startElasticmq);
/** A poll that hangs looks like that of an empty queue for twenty seconds: so connections are reset here. */
describeSource("an SQS that cannot be reached", async () => {
  const { endpoint } = await elasticmq();
  useAwsEnvironment({ AWS_ENDPOINT_URL_SQS: endpoint });
  const queue = await createPlainQueue("standard", { VisibilityTimeout: String(VISIBILITY_SECONDS) });
  const proxy = await throughProxy(endpoint);
  return {
    ...proxy,
    ...{ eventSourceArn: queue.arn, shards: 0, textsOf: sqsTexts, begin: proxy.reset },
    async open() {
      useAwsEnvironment({ AWS_ENDPOINT_URL_SQS: proxy.endpoint });
      const mapping = { ...PLAIN_QUEUE_MAPPING, eventSourceArn: queue.arn };
      return { kind: "queue", source: await sqsConnector.openQueue(mapping, {}) };
    },
    append: (texts) => queue.send(...texts),
    depth: () => queue.depth(),
    async [Symbol.asyncDispose]() {
      proxy.close();
      await queue[Symbol.asyncDispose]();
    },
  };
});

const kafka = shared(startKafka);
describeSource("a Kafka that stands still", async () => {
  const server = await kafka();
  const topic = `t-${randomUUID()}`;
  await server.admin.createTopics({ topics: [{ topic, numPartitions: SHARDS }] });
  const producer = server.client.producer();
  await producer.connect();
  const bootstrapServers = [...server.bootstrap()];
  return {
    ...{ eventSourceArn: undefined, shards: SHARDS, takesWhileAway: false },
    async open() {
      const cluster = new KafkaCluster({ bootstrap: bootstrapServers, access: {}, clientId: "test" });
      const source = createKafkaSource({ cluster, topic, eventSourceArn: undefined, bootstrapServers });
      return { kind: "stream", source };
    },
    async append(texts) {
      await producer.send({ topic, messages: texts.map((value) => ({ key: value, value })) });
    },
    textsOf: (event) => {
      const { records } = event as {
        readonly records: Readonly<Record<string, readonly { readonly value: string }[]>>;
      };
      return Object.values(records)
        .flat()
        .map(({ value }) => Buffer.from(value, "base64").toString());
    },
    begin: async () => server.pause(0),
    end: async () => server.resume(0),
    async [Symbol.asyncDispose]() {
      await producer.disconnect();
    },
  };
});

/** A local file that is not at its path for a while, with what belongs to it. */
function movableFile() {
  const folder = mkdtempSync(join(tmpdir(), "millrace-"));
  const path = join(folder, "orders.db");
  const file = openStreamFile(path);
  const move = (from: string, to: string) => {
    for (const end of ["", "-wal", "-shm"]) renameSync(`${from}${end}`, `${to}${end}`);
  };
  return {
    path,
    file,
    takesWhileAway: false,
    begin: async () => move(path, `${path}.away`),
    end: async () => move(`${path}.away`, path),
    close: () => {
      file.close();
      rmSync(folder, { recursive: true });
    },
  };
}

describeSource("a local stream's file that is not there", async () => {
  const moved = movableFile();
  const stream = moved.file.createStream({ name: "orders", shards: SHARDS });
  const arn = parseStreamArn("arn:aws:local:eu-west-1:123456789012:stream/orders");
  return {
    ...moved,
    ...{ eventSourceArn: arn.arn, shards: SHARDS, textsOf: kinesisTexts },
    open: async () => ({ kind: "stream", source: openLocalSource(moved.path, arn) }),
    async append(texts) {
      stream.append(texts.map((data) => ({ partitionKey: data, data })));
    },
    async [Symbol.asyncDispose]() {
      moved.close();
    },
  };
});

describeSource("a local queue's file that is not there", async () => {
  const moved = movableFile();
  const queue = moved.file.createQueue({ name: "orders", visibilityMs: VISIBILITY_SECONDS * 1_000 });
  const eventSourceArn = "arn:aws:local:eu-west-1:123456789012:queue/orders";
  return {
    ...moved,
    ...{ eventSourceArn, shards: 0, textsOf: sqsTexts },
    async open() {
      const mapping = { ...PLAIN_QUEUE_MAPPING, eventSourceArn };
      return {
        kind: "queue",
        source: await localQueueConnector.openQueue(mapping, { endpoints: { LOCAL_FILE: [moved.path] } }),
      };
    },
    async append(texts) {
      queue.send(texts.map((body) => ({ body })));
    },
    async depth() {
      const { visible, held, delayed } = queue.depth();
      return visible + held + delayed;
    },
    async [Symbol.asyncDispose]() {
      moved.close();
    },
  };
});
