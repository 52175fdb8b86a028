import { execFileSync } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { openTopic } from "../../connectors/kafka/connector.ts";
import type { TopicPlace } from "../../connectors/kafka/settings.ts";
import type { StreamMapping } from "../../src/model/mapping.ts";
import type { FunctionTarget } from "../../src/ports/function-target.ts";
import { createQuietEngine } from "../fixtures/quiet-engine.ts";
import type { KafkaServer } from "../servers/kafka.ts";

const SEND_RECORDS = 1_000;

/** Brokers run on Java and come by Maven; a machine that has neither has the other benchmarks. */
export function canStartKafka(): boolean {
  try {
    for (const program of ["java", "mvn"]) execFileSync(program, ["-version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** A topic with records of 1 KB, of which every partition holds as many as any other. Each has a key of its own. */
export async function fillTopic(
  server: KafkaServer,
  topic: string,
  partitions: number,
  recordsPerPartition: number,
): Promise<void> {
  await server.admin.createTopics({ topics: [{ topic, numPartitions: partitions }], waitForLeaders: true });
  const producer = server.client.producer();
  await producer.connect();
  const value = randomBytes(1024);
  for (let sent = 0; sent < recordsPerPartition; sent += SEND_RECORDS) {
    const count = Math.min(SEND_RECORDS, recordsPerPartition - sent);
    const messages = Array.from({ length: count * partitions }, (_, index) => ({
      key: `key-${sent * partitions + index}`,
      value,
      partition: index % partitions,
    }));
    await producer.send({ topic, messages, acks: 1 });
  }
  await producer.disconnect();
}

type BenchMapping = StreamMapping & TopicPlace;

export function benchMapping(
  server: KafkaServer,
  topic: string,
  settings: Partial<BenchMapping> = {},
): BenchMapping {
  return {
    uuid: randomUUID(),
    name: "bench",
    functionName: "bench",
    functionArn: "arn:aws:lambda:eu-west-1:123456789012:function:bench",
    eventSourceArn: undefined,
    enabled: true,
    startingPosition: { kind: "TRIM_HORIZON" },
    batchSize: 100,
    batchingWindowMs: 500,
    parallelizationFactor: 1,
    retryAttemptsMax: undefined,
    recordAgeMsMax: undefined,
    bisectBatchOnFunctionError: false,
    reportBatchItemFailures: false,
    tumblingWindowMs: 0,
    filterPatterns: [],
    onFailureDestination: undefined,
    topic,
    bootstrapServers: server.bootstrap(),
    consumerGroupId: `engine-${randomUUID()}`,
    access: [],
    ...settings,
  };
}

/** Runs the whole engine over the topic, in a group of its own, until `done` resolves. */
export async function runKafkaEngine(
  mapping: BenchMapping,
  target: FunctionTarget,
  done: Promise<void>,
): Promise<void> {
  const source = await openTopic(mapping);
  const engine = createQuietEngine();
  const fn = { name: "bench", target, timeoutMs: 30_000, concurrency: 1_000 };
  engine.start({ kind: "stream", mapping, source, fn, destination: undefined });
  await done;
  await engine.stop(5_000);
  await source.close();
}
