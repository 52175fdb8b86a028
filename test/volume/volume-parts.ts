import { join } from "node:path";
import { dynamodbStreamsConnector } from "../../connectors/dynamodb-streams/connector.ts";
import { KafkaCluster } from "../../connectors/kafka/cluster.ts";
import { createKafkaSource } from "../../connectors/kafka/source.ts";
import { kinesisConnector } from "../../connectors/kinesis/connector.ts";
import { localConnector, localQueueConnector } from "../../connectors/local/connector.ts";
import { sqsConnector } from "../../connectors/sqs/connector.ts";
import { createHttpFunction } from "../../src/functions/http.ts";
import { createLambdaFunction } from "../../src/functions/lambda.ts";
import { createModuleFunction } from "../../src/functions/module.ts";
import { hasErrorCode } from "../../src/model/errors.ts";
import type { QueueMapping, StreamMapping } from "../../src/model/mapping.ts";
import type { FunctionTarget } from "../../src/ports/function-target.ts";
import type { ProgressStore } from "../../src/ports/progress-store.ts";
import type { QueueSource } from "../../src/ports/queue-source.ts";
import type { StreamSource } from "../../src/ports/stream-source.ts";
import { openDynamodbStore } from "../../src/stores/dynamodb.ts";
import { createMemoryStore } from "../../src/stores/memory.ts";
import { openPostgresStore } from "../../src/stores/postgres.ts";
import { openSqliteStore } from "../../src/stores/sqlite.ts";
import { PLAIN } from "../load/engine-run.ts";
import type { VolumeWork } from "./volume-plan.ts";

export type VolumeSubject =
  | { readonly kind: "stream"; readonly mapping: StreamMapping; readonly source: StreamSource }
  | { readonly kind: "queue"; readonly mapping: QueueMapping; readonly source: QueueSource };

export async function openSubject({ source, place }: VolumeWork): Promise<VolumeSubject> {
  const stream = { ...PLAIN, eventSourceArn: place.arn };
  const queue = queueMapping(place.arn);
  const endpoints = { LOCAL_FILE: [place.file] };
  switch (source) {
    case "kinesis":
      return { kind: "stream", mapping: stream, source: await kinesisConnector.openStream(stream, {}) };
    case "dynamodb-streams":
      return {
        kind: "stream",
        mapping: stream,
        source: await dynamodbStreamsConnector.openStream(stream, {}),
      };
    case "local-stream":
      return {
        kind: "stream",
        mapping: stream,
        source: await localConnector.openStream(stream, { endpoints }),
      };
    case "kafka": {
      const bootstrapServers = [place.bootstrap];
      const cluster = new KafkaCluster({ bootstrap: bootstrapServers, access: {}, clientId: "volume" });
      const topic = createKafkaSource({
        cluster,
        topic: place.topic,
        eventSourceArn: undefined,
        bootstrapServers,
      });
      return { kind: "stream", mapping: { ...PLAIN, eventSourceArn: undefined }, source: topic };
    }
    case "sqs":
      return { kind: "queue", mapping: queue, source: await sqsConnector.openQueue(queue, {}) };
    case "local-queue":
      return {
        kind: "queue",
        mapping: queue,
        source: await localQueueConnector.openQueue(queue, { endpoints }),
      };
  }
}

function queueMapping(eventSourceArn: string): QueueMapping {
  const { uuid, name, functionName, functionArn } = PLAIN;
  return {
    ...{ uuid, name, functionName, functionArn, eventSourceArn },
    enabled: true,
    batchSize: 10,
    batchingWindowMs: 0,
    reportBatchItemFailures: false,
    filterPatterns: [],
    // As many connections at the end as soon after the start: a queue's mapping scales up over minutes.
    concurrencyMax: 10,
    provisionedPollers: undefined,
    strictAwsFifo: false,
  };
}

export function openTarget({ fn, functionUrl = "" }: VolumeWork): FunctionTarget {
  switch (fn) {
    case "http":
      return createHttpFunction({ url: functionUrl });
    case "lambda":
      return createLambdaFunction({
        functionName: "volume",
        region: "eu-west-1",
        endpoint: functionUrl,
        connections: 100,
      });
    case "module": {
      const path = join(import.meta.dirname, "volume-handler.ts");
      return createModuleFunction({ functionName: "volume", path, concurrency: 2 });
    }
  }
}

export async function openStore({ store, folder, storeUrl = "" }: VolumeWork): Promise<ProgressStore> {
  switch (store) {
    case "memory":
      return createMemoryStore();
    case "sqlite":
      return await openSqliteStore(join(folder, "progress.db"));
    case "postgres":
      return await openPostgresStore(storeUrl);
    case "dynamodb":
      return await openedInTime(() => openDynamodbStore("volume"));
  }
}

const OPENS_MAX = 10;

/** The first call to a server that has just started may take longer than any later one. */
async function openedInTime(open: () => Promise<ProgressStore>): Promise<ProgressStore> {
  for (let opens = 1; ; opens++) {
    try {
      return await open();
    } catch (error) {
      if (opens === OPENS_MAX || !hasErrorCode(error, "ERR_MILLRACE_STORE_UNAVAILABLE")) throw error;
    }
  }
}
