/**
 * A real Kafka broker: what the engine keeps of the speed of a bare kafkajs loop that encodes the same events and calls
 * the same function, and what lanes are worth on a partition. Run alone with `node test/load/kafka.bench.ts`. Needs
 * Java and Maven.
 */
import { randomUUID } from "node:crypto";
import type { KafkaMessage as KafkajsMessage } from "kafkajs";
import { createKafkaEvents } from "../../connectors/kafka/event.ts";
import {
  createKafkaPartition,
  createKafkaRecord,
  type KafkaPartition,
  type KafkaRecord,
} from "../../connectors/kafka/record.ts";
import type { FunctionTarget } from "../../src/ports/function-target.ts";
import { type KafkaServer, startKafka } from "../servers/kafka.ts";
import { benchMapping, canStartKafka, fillTopic, runKafkaEngine } from "./kafka-topic.ts";
import { LatencyWheel, seededLatencies } from "./latency-wheel.ts";
import { type Measurement, median, printWhenRunAlone } from "./measurement.ts";

export const name = "Kafka on a real broker";

const PARTITIONS = 12;
const RECORDS_PER_PARTITION = 20_000;
const RECORDS = PARTITIONS * RECORDS_PER_PARTITION;
const BATCH_SIZE = 100;
const PAIRS = 7;
const LANE_RECORDS = 10_000;
const EMPTY = new Uint8Array(0);

export async function run(): Promise<readonly Measurement[]> {
  if (!canStartKafka()) {
    return [{ metric: "not run, since Java or Maven is missing", value: 0, unit: "brokers" }];
  }
  const server = await startKafka({ heapMb: 768, isMeasured: true });
  try {
    return [...(await compareWithBareLoop(server)), ...(await compareLanes(server))];
  } finally {
    await server.close();
  }
}

// Speed against kafkajs alone.

interface Cost {
  readonly ms: number;
  readonly cpuMs: number;
}

async function compareWithBareLoop(server: KafkaServer): Promise<readonly Measurement[]> {
  const topic = "throughput";
  await fillTopic(server, topic, PARTITIONS, RECORDS_PER_PARTITION);
  const bare: Cost[] = [];
  const whole: Cost[] = [];
  for (let pair = 0; pair <= PAIRS; pair++) {
    const costs = [await runBare(server, topic), await runWhole(server, topic)] as const;
    // The first pair warms compilers and the broker's page cache up.
    if (pair === 0) continue;
    bare.push(costs[0]);
    whole.push(costs[1]);
  }
  const ratio = (of: (cost: Cost) => number) =>
    median(whole.map((cost, pair) => of(bare[pair] ?? cost) / of(cost)));
  const speed = ratio(({ ms }) => ms);
  const cpuSpeed = ratio(({ cpuMs }) => cpuMs);
  const label = `${PARTITIONS} partitions, batches of ${BATCH_SIZE} × 1 KB`;
  const perSecond = (costs: readonly Cost[]) => RECORDS / (median(costs.map(({ ms }) => ms)) / 1_000);
  const perCpuSecond = (costs: readonly Cost[]) =>
    RECORDS / (median(costs.map(({ cpuMs }) => cpuMs)) / 1_000);
  return [
    { metric: `bare kafkajs eachBatch, ${label}`, value: perSecond(bare), unit: "records/s" },
    { metric: `whole engine, ${label}`, value: perSecond(whole), unit: "records/s" },
    { metric: `bare kafkajs eachBatch, ${label}`, value: perCpuSecond(bare), unit: "records/CPU s" },
    { metric: `whole engine, ${label}`, value: perCpuSecond(whole), unit: "records/CPU s" },
    {
      metric: "whole engine against the bare loop, records per second",
      value: speed,
      unit: "×",
      goal: "≥ 0.85",
      holds: speed >= 0.85,
    },
    {
      metric: "whole engine against the bare loop, records per CPU second",
      value: cpuSpeed,
      unit: "×",
      goal: "≥ 0.85",
      holds: cpuSpeed >= 0.85,
    },
  ];
}

/**
 * From the first event to the last, so that joining a group costs neither side anything. `sawEvent` is told how many
 * records came.
 */
class Stopwatch {
  readonly done: Promise<void>;
  readonly #resolve: () => void;
  #left = RECORDS;
  #startedMs = 0;
  #startedCpu = process.cpuUsage();
  cost: Cost = { ms: 0, cpuMs: 0 };

  constructor() {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.done = promise;
    this.#resolve = resolve;
  }

  sawEvent(records: number): void {
    if (this.#left === RECORDS) {
      this.#startedMs = performance.now();
      this.#startedCpu = process.cpuUsage();
    }
    this.#left -= records;
    if (this.#left > 0) return;
    const { user, system } = process.cpuUsage(this.#startedCpu);
    this.cost = { ms: performance.now() - this.#startedMs, cpuMs: (user + system) / 1_000 };
    this.#resolve();
  }
}

/** The function of both sides: counts the records of an event, and returns. */
function instantFunction(watch: Stopwatch): FunctionTarget {
  return {
    invoke: async (payload) => {
      watch.sawEvent(recordsIn(payload));
      return { kind: "succeeded", payload: EMPTY };
    },
    close: async () => {},
  };
}

/** A batch holds what follows one another in a partition. */
function recordsIn(payload: Uint8Array): number {
  const event = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  return offsetAt(event, event.lastIndexOf(OFFSET)) - offsetAt(event, event.indexOf(OFFSET)) + 1;
}

const OFFSET = Buffer.from('"offset":');

function offsetAt(event: Buffer, at: number): number {
  return Number.parseInt(event.toString("latin1", at + OFFSET.length, at + OFFSET.length + 10), 10);
}

async function runWhole(server: KafkaServer, topic: string): Promise<Cost> {
  const watch = new Stopwatch();
  await runKafkaEngine(
    benchMapping(server, topic, { batchSize: BATCH_SIZE }),
    instantFunction(watch),
    watch.done,
  );
  return watch.cost;
}

async function runBare(server: KafkaServer, topic: string): Promise<Cost> {
  const watch = new Stopwatch();
  const target = instantFunction(watch);
  const events = createKafkaEvents({ eventSourceArn: undefined, bootstrapServers: server.bootstrap() });
  const times = { deadlineMs: Date.now() + 3_600_000, timeoutMs: 3_600_000 };
  const context = { requestId: "bare", functionName: "bare", functionArn: "bare", ...times };
  const signal = new AbortController().signal;
  const consumer = server.client.consumer({ groupId: `bare-${randomUUID()}` });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    partitionsConsumedConcurrently: PARTITIONS,
    eachBatch: async ({ batch, resolveOffset, heartbeat }) => {
      const partition = createKafkaPartition(topic, batch.partition);
      for (let from = 0; from < batch.messages.length; from += BATCH_SIZE) {
        const messages = batch.messages.slice(from, from + BATCH_SIZE);
        const records = messages.map((message) => toRecord(partition, message));
        await target.invoke(events.encode(records, undefined), context, signal);
        resolveOffset(messages.at(-1)?.offset ?? "");
      }
      await heartbeat();
    },
  });
  await watch.done;
  await consumer.disconnect();
  return watch.cost;
}

function toRecord(partition: KafkaPartition, message: KafkajsMessage): KafkaRecord {
  const { key, value, offset, timestamp } = message;
  const timestampMs = Number(timestamp);
  return createKafkaRecord(
    partition,
    { offset: Number(offset), key, value, headers: [], timestampMs, timestampType: "CREATE_TIME" },
    timestampMs,
  );
}

// Lanes.

async function compareLanes(server: KafkaServer): Promise<readonly Measurement[]> {
  const topic = "lanes";
  await fillTopic(server, topic, 1, LANE_RECORDS);
  const fast = [await timeLanes(server, topic, 10)];
  const single = await timeLanes(server, topic, 1);
  for (let run = 0; run < 2; run++) fast.push(await timeLanes(server, topic, 10));
  const ratio = single / median(fast);
  return [
    {
      metric: `${LANE_RECORDS} keys on one partition, 0 to 5 ms each: speed of factor 10 against factor 1`,
      value: ratio,
      unit: "×",
      goal: "≥ 9",
      holds: ratio >= 9,
    },
  ];
}

async function timeLanes(server: KafkaServer, topic: string, parallelizationFactor: number): Promise<number> {
  const wheel = new LatencyWheel(seededLatencies());
  const { promise: done, resolve } = Promise.withResolvers<void>();
  let calls = 0;
  let startedMs = 0;
  let endedMs = 0;
  const target: FunctionTarget = {
    invoke: async () => {
      if (calls++ === 0) startedMs = performance.now();
      await wheel.sleep();
      endedMs = performance.now();
      if (--left === 0) resolve();
      return { kind: "succeeded", payload: EMPTY };
    },
    close: async () => {},
  };
  let left = LANE_RECORDS;
  const settings = { batchSize: 1, batchingWindowMs: 0, parallelizationFactor };
  await runKafkaEngine(benchMapping(server, topic, settings), target, done);
  return endedMs - startedMs;
}

await printWhenRunAlone(import.meta.url, run);
