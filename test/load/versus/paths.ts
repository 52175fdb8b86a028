import { randomBytes } from "node:crypto";
import { startKafka } from "../../servers/kafka.ts";
import { canStartKafka } from "../kafka-topic.ts";
import { ACCOUNT, startCannedSqs } from "../sqs-server.ts";
import { PAGE_RECORDS, startFeedServer } from "./feed-server.ts";
import type { SideWork } from "./side.ts";

/** A way of records to a function, with the server that feeds it. */
export interface Path {
  readonly name: string;
  /** Records of a round. */
  readonly records: number;
  open(): Promise<OpenPath>;
}

export interface OpenPath {
  /** What the process `side` is to do. */
  prepare(side: string): Promise<SideWork>;
  /** Puts in what belongs to a round; resolves when the function has seen all that was ever put in. */
  feed(side: string): Promise<void>;
  close(): Promise<void>;
}

const SHARDS = 8;
const PARTITIONS = 12;
/** More cost the producer, which shares the machine, half a minute a round where others are at work. */
const PER_PARTITION = 2_000;
const SEND_RECORDS = 1_000;

/** Those that the project promises to keep as fast as they are. */
export function paths(): readonly Path[] {
  return [
    kinesis("dispatch", 1, ["batchSize: 1", "parallelizationFactor: 8"]),
    kinesis("kinesis", 5, ["batchSize: 100", "maximumBatchingWindowInSeconds: 1"]),
    sqs("sqs", ["batchSize: 10"]),
    sqs("queue", ["batchSize: 100", "maximumBatchingWindowInSeconds: 1"]),
    ...(canStartKafka() ? [kafka()] : []),
  ];
}

function kinesis(name: string, pages: number, settings: readonly string[]): Path {
  return {
    name,
    records: SHARDS * pages * PAGE_RECORDS,
    async open() {
      const server = await startFeedServer(SHARDS);
      const totals = new Totals();
      return {
        prepare: async (side) => ({
          functionUrl: server.functionUrl(side),
          mapping: [
            `eventSourceArn: arn:aws:kinesis:eu-west-1:${ACCOUNT}:stream/${side}`,
            "startingPosition: TRIM_HORIZON",
            ...settings,
          ],
          awsEndpoints: { AWS_ENDPOINT_URL_KINESIS: server.endpoint },
        }),
        async feed(side) {
          await server.addPages(side, pages);
          await server.seen(side, totals.add(side, SHARDS * pages * PAGE_RECORDS));
        },
        close: () => server.close(),
      };
    },
  };
}

function sqs(name: string, settings: readonly string[]): Path {
  const records = 10_000;
  return {
    name,
    records,
    async open() {
      const server = await startCannedSqs();
      return {
        prepare: async (side) => ({
          functionUrl: server.functionUrl(side),
          mapping: [
            `eventSourceArn: arn:aws:sqs:eu-west-1:${ACCOUNT}:${side}`,
            "functionResponseTypes: [ReportBatchItemFailures]",
            ...settings,
          ],
          awsEndpoints: { AWS_ENDPOINT_URL_SQS: server.endpoint },
        }),
        feed: (side) => server.drain(side, records),
        close: () => server.close(),
      };
    },
  };
}

function kafka(): Path {
  return {
    name: "kafka",
    records: PARTITIONS * PER_PARTITION,
    async open() {
      const [broker, server] = await Promise.all([
        startKafka({ heapMb: 768, isMeasured: true }),
        startFeedServer(1),
      ]);
      const producer = broker.client.producer();
      await producer.connect();
      const value = randomBytes(1_024);
      const totals = new Totals();
      return {
        async prepare(side) {
          const topics = [{ topic: side, numPartitions: PARTITIONS }];
          await broker.admin.createTopics({ topics, waitForLeaders: true });
          const servers = broker.bootstrap().map((at) => JSON.stringify(at));
          return {
            functionUrl: server.functionUrl(side),
            mapping: [
              `selfManagedEventSource: { endpoints: { KAFKA_BOOTSTRAP_SERVERS: [${servers.join(", ")}] } }`,
              `topics: [${side}]`,
              "sourceAccessConfigurations: []",
              "startingPosition: TRIM_HORIZON",
              "batchSize: 100",
            ],
            awsEndpoints: {},
          };
        },
        async feed(side) {
          for (let sent = 0; sent < PER_PARTITION; sent += SEND_RECORDS) {
            const messages = Array.from({ length: SEND_RECORDS * PARTITIONS }, (_, index) => ({
              key: `key-${sent * PARTITIONS + index}`,
              value,
              partition: index % PARTITIONS,
            }));
            await producer.send({ topic: side, messages, acks: 1 });
          }
          await server.seen(side, totals.add(side, PARTITIONS * PER_PARTITION));
        },
        async close() {
          await producer.disconnect();
          await Promise.all([broker.close(), server.close()]);
        },
      };
    },
  };
}

/** What was put in for each side so far. */
class Totals {
  readonly #of = new Map<string, number>();

  add(side: string, records: number): number {
    const total = (this.#of.get(side) ?? 0) + records;
    this.#of.set(side, total);
    return total;
  }
}
