/**
 * A process that works off a queue of the canned SQS, either with the engine or with `sqs-consumer`, and tells what CPU
 * time it uses. Run by `startSqsWorker` as `node sqs-worker.ts WORK`, WORK as JSON.
 */
import { type ChildProcess, fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { type Message, SQSClient } from "@aws-sdk/client-sqs";
import { Consumer } from "sqs-consumer";
import { Pool } from "undici";
import { sqsConnector } from "../../connectors/sqs/connector.ts";
import { createHttpFunction } from "../../src/functions/http.ts";
import type { QueueMapping } from "../../src/model/mapping.ts";
import { createQuietEngine } from "../fixtures/quiet-engine.ts";
import { AWS_TEST_REGION, awsEnvironment } from "../servers/aws-environment.ts";
import { ACCOUNT, type CannedSqs } from "./sqs-server.ts";

export type SqsWork = EngineWork | ConsumerWork;

export interface EngineWork {
  readonly kind: "engine";
  readonly batchSize: number;
  readonly batchingWindowMs: number;
}

export interface ConsumerWork {
  readonly kind: "sqs-consumer";
  readonly consumers: number;
  /** Whether its client checks the MD5 sums of bodies, as by default. */
  readonly md5: boolean;
}

export interface SqsWorker {
  /** Lets it work off so many messages. */
  drain(messages: number): Promise<Drain>;
  close(): Promise<void>;
}

export interface Drain {
  /** CPU time of the process for each message, microseconds. */
  readonly cpuMicros: number;
  /** For orientation only. */
  readonly messagesPerSecond: number;
}

interface Place {
  readonly queue: string;
  readonly functionUrl: string;
}

let workers = 0;

export async function startSqsWorker(server: CannedSqs, work: SqsWork): Promise<SqsWorker> {
  const queue = `bench-${++workers}`;
  const place: Place = { queue, functionUrl: server.functionUrl(queue) };
  const child = fork(fileURLToPath(import.meta.url), [JSON.stringify({ ...work, ...place })], {
    env: { ...process.env, ...awsEnvironment({ AWS_ENDPOINT_URL_SQS: server.endpoint }) },
  });
  await cpuMicros(child);
  return {
    async drain(messages) {
      const before = await cpuMicros(child);
      const startedMs = performance.now();
      await server.drain(queue, messages);
      const seconds = (performance.now() - startedMs) / 1000;
      const used = (await cpuMicros(child)) - before;
      return { cpuMicros: used / messages, messagesPerSecond: messages / seconds };
    },
    close: () =>
      new Promise((resolve) => {
        child.once("exit", () => resolve());
        child.disconnect();
      }),
  };
}

function cpuMicros(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    const onExit = () => reject(new Error("a worker of the benchmark ended too early"));
    child.once("exit", onExit);
    child.once("message", (micros) => {
      child.off("exit", onExit);
      resolve(Number(micros));
    });
    child.send("cpu");
  });
}

async function runWorker(work: SqsWork & Place): Promise<void> {
  if (work.kind === "engine") await runEngine(work);
  else runConsumers(work);
  process.on("message", () => {
    const { user, system } = process.cpuUsage();
    process.send?.(user + system);
  });
  process.on("disconnect", () => process.exit(0));
}

/** The whole engine with its real telemetry, default settings, the SQS connector and an HTTP function. */
async function runEngine({
  batchSize,
  batchingWindowMs,
  queue,
  functionUrl,
}: EngineWork & Place): Promise<void> {
  const mapping: QueueMapping = {
    uuid: randomUUID(),
    name: "bench",
    functionName: "bench",
    functionArn: `arn:aws:lambda:${AWS_TEST_REGION}:${ACCOUNT}:function:bench`,
    eventSourceArn: `arn:aws:sqs:${AWS_TEST_REGION}:${ACCOUNT}:${queue}`,
    enabled: true,
    batchSize,
    batchingWindowMs,
    reportBatchItemFailures: true,
    filterPatterns: [],
    concurrencyMax: undefined,
    provisionedPollers: undefined,
    strictAwsFifo: false,
  };
  const engine = createQuietEngine();
  const target = createHttpFunction({ url: functionUrl });
  engine.start({
    kind: "queue",
    mapping,
    source: await sqsConnector.openQueue(mapping, {}),
    fn: { name: "bench", target, timeoutMs: 30_000, concurrency: 1_000 },
  });
}

/**
 * Consumers that share one client, which is better than one for each, and hand over Lambda's event in batches of ten.
 */
function runConsumers({ consumers, md5, queue, functionUrl }: ConsumerWork & Place): void {
  const arn = `arn:aws:sqs:${AWS_TEST_REGION}:${ACCOUNT}:${queue}`;
  const { origin, pathname } = new URL(functionUrl);
  const pool = new Pool(origin, { connections: consumers });
  const sqs = new SQSClient({
    region: AWS_TEST_REGION,
    useQueueUrlAsEndpoint: false,
    ...(md5 ? {} : { md5: false as const }),
  });
  const handleMessageBatch = async (messages: Message[]): Promise<Message[]> => {
    const { body } = await pool.request({
      method: "POST",
      path: pathname,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(eventOf(messages, arn)),
    });
    const { batchItemFailures } = (await body.json()) as {
      readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
    };
    if (batchItemFailures.length === 0) return messages;
    const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    return messages.filter(({ MessageId = "" }) => !failed.has(MessageId));
  };
  for (let index = 0; index < consumers; index++) {
    const consumer = Consumer.create({
      queueUrl: `https://sqs.${AWS_TEST_REGION}.amazonaws.com/${ACCOUNT}/${queue}`,
      batchSize: 10,
      attributeNames: ["All"],
      messageAttributeNames: ["All"],
      handleMessageBatch,
      sqs,
    });
    consumer.on("error", (error) => {
      throw error;
    });
    consumer.start();
  }
}

function eventOf(messages: readonly Message[], arn: string): object {
  return {
    Records: messages.map((message) => ({
      messageId: message.MessageId,
      receiptHandle: message.ReceiptHandle,
      body: message.Body,
      attributes: message.Attributes,
      messageAttributes: {},
      md5OfBody: message.MD5OfBody,
      eventSource: "aws:sqs",
      eventSourceARN: arn,
      awsRegion: AWS_TEST_REGION,
    })),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await runWorker(JSON.parse(process.argv[2] ?? ""));
