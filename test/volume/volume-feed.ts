import { type ChildProcess, fork, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { openStreamFile } from "../../connectors/local/stream-file.ts";
import { startCannedDynamodb } from "../load/dynamodb-server.ts";
import { startCannedKinesis } from "../load/kinesis-server.ts";
import { startCannedSqs } from "../load/sqs-server.ts";
import { awsEnvironment, useAwsEnvironment } from "../servers/aws-environment.ts";
import { startDynamodbLocal } from "../servers/dynamodb-local.ts";
import { createTable, useEndpoint } from "../servers/dynamodb-stream-fixture.ts";
import { startElasticmq } from "../servers/elasticmq.ts";
import { startKafka } from "../servers/kafka.ts";
import { startKinesalite } from "../servers/kinesalite.ts";
import { KinesisTestStream } from "../servers/kinesis-stream.ts";
import { createPlainQueue } from "../servers/plain-queue.ts";
import type { FeedPlace, VolumeRun } from "./volume-plan.ts";

export interface VolumeFeed {
  readonly place: FeedPlace;
  readonly env: Readonly<Record<string, string>>;
  /** So many bytes may have been fed until now; what feeds without end does not ask. */
  allow(bytes: number): void;
  close(): void | Promise<void>;
}

const ACCOUNT = "123456789012";
const SHARDS = 2;
const WITHOUT_END = 1_000_000_000;
/** A call for ten messages costs the same however large they are. */
const MESSAGE_BYTES = 8_192;
/** Of an SQS that counts what it gave: payloads are larger than what they carry, so this much is enough. */
const FEED_SHARE = 1.2;
const NOWHERE: FeedPlace = { arn: "", topic: "", bootstrap: "", file: "" };

export async function startFeed(
  { source, feed }: VolumeRun,
  folder: string,
  bytes: number,
): Promise<VolumeFeed> {
  if (source === "local-stream" || source === "local-queue") return startLocalFeed(source, folder);
  return feed === "server" ? await startServerFeed(source) : await startCannedFeed(source, bytes);
}

type ServedSource = Exclude<VolumeRun["source"], "local-stream" | "local-queue">;

async function startCannedFeed(source: ServedSource, bytes: number): Promise<VolumeFeed> {
  const allow = () => {};
  switch (source) {
    case "kinesis": {
      const { endpoint, close } = await startCannedKinesis(SHARDS, WITHOUT_END);
      const arn = `arn:aws:kinesis:eu-west-1:${ACCOUNT}:stream/volume`;
      const env = awsEnvironment({ AWS_ENDPOINT_URL_KINESIS: endpoint });
      return { place: { ...NOWHERE, arn }, env, allow, close };
    }
    case "dynamodb-streams": {
      const { endpoint, close } = await startCannedDynamodb(SHARDS, WITHOUT_END);
      const arn = `arn:aws:dynamodb:eu-west-1:${ACCOUNT}:table/volume/stream/2026-01-31T00:00:00.000`;
      const env = awsEnvironment({ AWS_ENDPOINT_URL_DYNAMODB_STREAMS: endpoint });
      return { place: { ...NOWHERE, arn }, env, allow, close };
    }
    case "sqs": {
      const server = await startCannedSqs(0, MESSAGE_BYTES);
      // Ends when the server does: then nobody waits for the rest.
      server.drain("volume", Math.ceil((bytes * FEED_SHARE) / MESSAGE_BYTES)).catch(() => undefined);
      const arn = `arn:aws:sqs:eu-west-1:${ACCOUNT}:volume`;
      const env = awsEnvironment({ AWS_ENDPOINT_URL_SQS: server.endpoint });
      return { place: { ...NOWHERE, arn }, env, allow, close: () => server.close() };
    }
    case "kafka": {
      const script = join(import.meta.dirname, "../unit/connectors/kafka/flood-broker.ts");
      const broker = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "inherit"] });
      const [port] = await once(createInterface({ input: broker.stdout }), "line");
      const place = { ...NOWHERE, topic: "flood", bootstrap: `127.0.0.1:${String(port)}` };
      return { place, env: {}, allow, close: () => ended(broker) };
    }
  }
}

function startLocalFeed(source: "local-stream" | "local-queue", folder: string): VolumeFeed {
  const path = join(folder, "feed.db");
  const file = openStreamFile(path);
  if (source === "local-stream") file.createStream({ name: "volume", shards: SHARDS });
  else file.createQueue({ name: "volume" });
  file.close();
  const resource = source === "local-stream" ? "stream" : "queue";
  const arn = `arn:aws:local:eu-west-1:${ACCOUNT}:${resource}/volume`;
  return fedByProcess(source, { ...NOWHERE, arn, file: path }, {}, () => {});
}

async function startServerFeed(source: ServedSource): Promise<VolumeFeed> {
  switch (source) {
    case "kinesis": {
      const server = await startKinesalite();
      const env = awsEnvironment({ AWS_ENDPOINT_URL_KINESIS: server.endpoint });
      useAwsEnvironment(env);
      const { arn } = await KinesisTestStream.create(server.endpoint, SHARDS);
      return fedByProcess(source, { ...NOWHERE, arn }, env, () => server.close());
    }
    case "dynamodb-streams": {
      const server = await startDynamodbLocal();
      useEndpoint(server.endpoint);
      const { streamArn } = await createTable();
      const env = awsEnvironment({
        AWS_ENDPOINT_URL_DYNAMODB_STREAMS: server.endpoint,
        AWS_ENDPOINT_URL_DYNAMODB: server.endpoint,
      });
      return fedByProcess(source, { ...NOWHERE, arn: streamArn }, env, () => server.close());
    }
    case "sqs": {
      const server = await startElasticmq();
      const env = awsEnvironment({ AWS_ENDPOINT_URL_SQS: server.endpoint });
      useAwsEnvironment(env);
      const { arn } = await createPlainQueue("standard");
      return fedByProcess(source, { ...NOWHERE, arn }, env, () => server.close());
    }
    case "kafka": {
      const server = await startKafka();
      const topic = `volume-${randomUUID()}`;
      await server.admin.createTopics({ topics: [{ topic, numPartitions: SHARDS }] });
      const [bootstrap = ""] = server.bootstrap();
      return fedByProcess(source, { ...NOWHERE, topic, bootstrap }, {}, () => server.close());
    }
  }
}

function fedByProcess(
  source: VolumeRun["source"],
  place: FeedPlace,
  env: Readonly<Record<string, string>>,
  close: () => void | Promise<void>,
): VolumeFeed {
  const script = join(import.meta.dirname, "volume-feeder.ts");
  const feeder = fork(script, [JSON.stringify({ source, place })], { env: { ...process.env, ...env } });
  return {
    place,
    env,
    allow: (bytes) => {
      if (feeder.connected) feeder.send(bytes);
    },
    async close() {
      await ended(feeder);
      await close();
    },
  };
}

export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}
