import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { Producer } from "kafkajs";
import { decodeCommitMetadata } from "../../../connectors/kafka/commit-metadata.ts";
import { MillraceProcess, until } from "../../integration/cli/millrace-process.ts";
import type { KafkaServer } from "../kafka.ts";
import type { KafkaWitness } from "./kafka-witness.ts";

/** A topic, a mapping over it, and the processes that run it: what the tests of several processes share. */
export class KafkaRun {
  readonly kafka: KafkaServer;
  readonly topic: string;
  readonly groupId: string;
  readonly #t: TestContext;
  readonly #folder: string;
  readonly #manifest: string;
  readonly #ordinals = new Map<number, number>();

  constructor(t: TestContext, kafka: KafkaServer, topic: string, functionUrl: string, spec: string) {
    this.#t = t;
    this.kafka = kafka;
    this.topic = topic;
    this.groupId = `millrace-${topic}`;
    this.#folder = mkdtempSync(join(tmpdir(), "millrace-kafka-run-"));
    t.after(() => rmSync(this.#folder, { recursive: true }));
    this.#manifest = join(this.#folder, "run.yaml");
    const servers = kafka.bootstrap().map((server) => JSON.stringify(server));
    writeFileSync(
      this.#manifest,
      `apiVersion: millrace.dev/v1
kind: Function
metadata: { name: witness }
spec: { http: { url: "${functionUrl}" }, timeoutSeconds: 60 }
---
apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: ${topic} }
spec:
  functionName: witness
  selfManagedEventSource: { endpoints: { KAFKA_BOOTSTRAP_SERVERS: [${servers.join(", ")}] } }
  topics: [${topic}]
  sourceAccessConfigurations: []
  selfManagedKafkaEventSourceConfig: { consumerGroupId: ${this.groupId} }
  startingPosition: TRIM_HORIZON
${spec}`,
    );
  }

  start(): KafkaProcess {
    const args = ["run", "-f", this.#manifest, "--api", "127.0.0.1:0", "--store", "memory:"];
    return new KafkaProcess(new MillraceProcess(this.#t, args, this.#folder));
  }

  /** Appends records of `bytes` bytes, in order for each key; keys by their numbers. */
  async produce(keys: readonly number[], bytes = 1024): Promise<void> {
    const producer = await this.#connectProducer();
    const filler = "x".repeat(bytes);
    for (let from = 0; from < keys.length; from += PRODUCE_RECORDS) {
      const messages = keys.slice(from, from + PRODUCE_RECORDS).map((key) => {
        const ordinal = this.#ordinals.get(key) ?? 0;
        this.#ordinals.set(key, ordinal + 1);
        const head = `${ordinal}/`;
        return { key: `key-${key}`, value: head + filler.slice(head.length) };
      });
      await producer.send({ topic: this.topic, messages });
    }
    await producer.disconnect();
  }

  /**
   * Its first request is for the controller, which may be lost: the client then gives up, whatever its settings of
   * retries.
   */
  async #connectProducer(): Promise<Producer> {
    for (let attempt = 1; ; attempt++) {
      // Idempotent: a request that is tried again must not write its records twice.
      const producer = this.kafka.client.producer({ idempotent: true, maxInFlightRequests: 1 });
      try {
        await producer.connect();
        return producer;
      } catch (error) {
        await producer.disconnect().catch(() => undefined);
        if (attempt === CONNECTS_MAX) throw error;
        await new Promise((resolve) => setTimeout(resolve, CONNECT_PAUSE_MS));
      }
    }
  }

  producedOf(key: number): number {
    return this.#ordinals.get(key) ?? 0;
  }

  /** How many records that succeeded no commit calls settled, in these partitions: these may come again. */
  async uncommitted(witness: KafkaWitness, partitions: readonly number[]): Promise<number> {
    const [found] = await this.kafka.admin.fetchOffsets({ groupId: this.groupId, topics: [this.topic] });
    let open = 0;
    for (const { partition, offset, metadata } of found?.partitions ?? []) {
      if (!partitions.includes(partition)) continue;
      const committed = Number(offset);
      const { settledRanges = [] } = decodeCommitMetadata(committed, metadata) ?? {};
      const ahead = new Set<number>();
      for (const { from, to } of settledRanges)
        for (let at = Number(from); at <= Number(to); at++) ahead.add(at);
      for (const succeeded of witness.offsetsOf(partition)) {
        if (succeeded >= committed && !ahead.has(succeeded)) open++;
      }
    }
    return open;
  }
}

const PRODUCE_RECORDS = 1_000;
const CONNECTS_MAX = 60;
const CONNECT_PAUSE_MS = 500;

interface StatusAnswer {
  readonly mappings: readonly {
    readonly state: string;
    readonly lastProcessingResult: string;
    readonly caughtUp: boolean;
    readonly shards: readonly {
      readonly shardId: string;
      readonly inFlight: number;
      readonly offsetLag?: number;
    }[];
  }[];
}

/** One `millrace run`. */
export class KafkaProcess {
  readonly millrace: MillraceProcess;

  constructor(millrace: MillraceProcess) {
    this.millrace = millrace;
  }

  async status() {
    const answer = await fetch(`${await this.millrace.apiUrl()}/millrace/v1/status`);
    const status = (await answer.json()) as StatusAnswer;
    return status.mappings[0];
  }

  async metrics(): Promise<string> {
    return await (await fetch(`${await this.millrace.apiUrl()}/metrics`)).text();
  }

  /** That this process reads now. */
  async partitions(): Promise<number[]> {
    const shards = (await this.status())?.shards ?? [];
    return shards
      .map(({ shardId }) => Number(shardId.slice(shardId.lastIndexOf("-") + 1)))
      .sort((a, b) => a - b);
  }

  async stop(): Promise<{ status: number | null; signal: NodeJS.Signals | null }> {
    this.millrace.kill("SIGTERM");
    return await this.millrace.ended;
  }
}

/** Waits until the processes together read all partitions, each as many as is its share. */
export async function spread(processes: readonly KafkaProcess[], partitions: number): Promise<void> {
  let shares: readonly (readonly number[])[] = [];
  await until(
    async () => {
      shares = await Promise.all(processes.map((each) => each.partitions()));
      const loads = shares.map((share) => share.length);
      const isEven = Math.max(...loads) - Math.min(...loads) <= 1;
      return isEven && new Set(shares.flat()).size === partitions && shares.flat().length === partitions;
    },
    () =>
      `the partitions are spread as ${JSON.stringify(shares)}: ${processes[0]?.millrace.stderr.slice(-2_000)}`,
    90_000,
  );
}
