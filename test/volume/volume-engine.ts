/**
 * A process of its own, started with --expose-gc: the engine with its real telemetry on one source, whose function counts what
 * it gets. Every so many bytes the function holds all calls, so that what is read ahead stands full and the same each time;
 * what the process holds then, after forced collections, is sent to the parent.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { dynamodbStreamsConnector } from "../../connectors/dynamodb-streams/connector.ts";
import { KafkaCluster } from "../../connectors/kafka/cluster.ts";
import { createKafkaSource } from "../../connectors/kafka/source.ts";
import { kinesisConnector } from "../../connectors/kinesis/connector.ts";
import { localConnector, localQueueConnector } from "../../connectors/local/connector.ts";
import { sqsConnector } from "../../connectors/sqs/connector.ts";
import { DEFAULT_SETTINGS } from "../../src/engine/settings.ts";
import { createHttpFunction } from "../../src/functions/http.ts";
import { createModuleFunction } from "../../src/functions/module.ts";
import type { QueueMapping } from "../../src/model/mapping.ts";
import type { FunctionTarget } from "../../src/ports/function-target.ts";
import { createMemoryStore } from "../../src/stores/memory.ts";
import { openSqliteStore } from "../../src/stores/sqlite.ts";
import { createQuietEngine } from "../fixtures/quiet-engine.ts";
import { PLAIN } from "../load/engine-run.ts";
import type { VolumeSample, VolumeWork } from "./volume-plan.ts";

const work: VolumeWork = JSON.parse(process.argv[2] ?? "");
/** Small, so that what is read ahead is a small and steady part of what is held. */
const SETTINGS = { ...DEFAULT_SETTINGS, mappingBudgetBytes: 4_000_000, readBytes: 1_000_000 };
const ACCOUNT = "123456789012";
const SETTLING_MS = 400;

let delivered = 0;
let open = Promise.resolve();
let onStep = () => {};
let stepAt = work.stepBytes;

const inner = openTarget();
const target: FunctionTarget = {
  async invoke(payload, context, signal) {
    await open;
    const outcome = await inner.invoke(payload, context, signal);
    if (outcome.kind !== "succeeded") throw new Error(`the function's outcome is ${outcome.kind}`);
    delivered += payload.length;
    if (delivered >= stepAt) onStep();
    return outcome;
  },
  close: () => inner.close(),
};

function openTarget(): FunctionTarget {
  if (work.functionUrl !== undefined) return createHttpFunction({ url: work.functionUrl });
  if (work.fn === "module") {
    const path = join(import.meta.dirname, "volume-handler.ts");
    return createModuleFunction({ functionName: "volume", path, concurrency: 2 });
  }
  const payload = new Uint8Array();
  return { invoke: async () => ({ kind: "succeeded", payload }), close: async () => {} };
}

const store =
  work.store === "memory" ? createMemoryStore() : await openSqliteStore(join(work.folder, "progress.db"));
const engine = createQuietEngine({ store, settings: SETTINGS });
const fn = { name: "volume", target, timeoutMs: 60_000, concurrency: 100 };

function startStream(source: Awaited<ReturnType<typeof kinesisConnector.openStream>>, arn?: string): void {
  const mapping = { ...PLAIN, eventSourceArn: arn };
  engine.start({ kind: "stream", mapping, source, fn, destination: undefined });
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

async function start(): Promise<void> {
  switch (work.source) {
    case "kinesis": {
      const eventSourceArn = `arn:aws:kinesis:eu-west-1:${ACCOUNT}:stream/volume`;
      return startStream(await kinesisConnector.openStream({ ...PLAIN, eventSourceArn }, {}), eventSourceArn);
    }
    case "dynamodb-streams": {
      const eventSourceArn = `arn:aws:dynamodb:eu-west-1:${ACCOUNT}:table/volume/stream/2026-01-31T00:00:00.000`;
      const source = await dynamodbStreamsConnector.openStream({ ...PLAIN, eventSourceArn }, {});
      return startStream(source, eventSourceArn);
    }
    case "local-stream": {
      const eventSourceArn = `arn:aws:local:eu-west-1:${ACCOUNT}:stream/volume`;
      const endpoints = { LOCAL_FILE: [work.place] };
      return startStream(
        await localConnector.openStream({ ...PLAIN, eventSourceArn }, endpoints),
        eventSourceArn,
      );
    }
    case "kafka": {
      const cluster = new KafkaCluster({ bootstrap: [work.place], access: {}, clientId: "volume" });
      const bootstrapServers = [work.place];
      return startStream(
        createKafkaSource({ cluster, topic: "flood", eventSourceArn: undefined, bootstrapServers }),
      );
    }
    case "sqs": {
      const mapping = queueMapping(`arn:aws:sqs:eu-west-1:${ACCOUNT}:volume`);
      engine.start({ kind: "queue", mapping, source: await sqsConnector.openQueue(mapping, {}), fn });
      return;
    }
    case "local-queue": {
      const mapping = queueMapping(`arn:aws:local:eu-west-1:${ACCOUNT}:queue/volume`);
      const source = await localQueueConnector.openQueue(mapping, { LOCAL_FILE: [work.place] });
      engine.start({ kind: "queue", mapping, source, fn });
      return;
    }
  }
}

async function sample(): Promise<VolumeSample> {
  // What is under way ends, what is read ahead fills up.
  await sleep(SETTLING_MS);
  for (let round = 0; round < 3; round++) {
    globalThis.gc?.();
    await sleep(20);
  }
  const { heapUsed: heap, external, arrayBuffers } = process.memoryUsage();
  const descriptors = readdirSync("/proc/self/fd").length;
  const timers = process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
  return { delivered, heap, external, arrayBuffers, descriptors, timers };
}

await start();
while (delivered < work.totalBytes) {
  await new Promise<void>((resolve) => {
    onStep = resolve;
    if (delivered >= stepAt) resolve();
  });
  let goOn = () => {};
  open = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  process.send?.(await sample());
  stepAt += work.stepBytes;
  goOn();
}
process.exit(0);
