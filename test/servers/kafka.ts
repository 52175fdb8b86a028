import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Admin, Kafka, logLevel } from "kafkajs";
import { SHORT_LIVED } from "./java-options.ts";
import { type JavaCommand, KafkaBrokers, runJava } from "./kafka-brokers.ts";
import { type KafkaCertificates, makeKafkaCertificates } from "./kafka-certificates.ts";
import { cutSegment } from "./kafka-segment.ts";
import type { KafkaBrokerPorts, KafkaListener } from "./kafka-settings.ts";
import { installFromMaven } from "./maven-install.ts";
import { freePort } from "./server-process.ts";

const VERSION = "4.1.0";
const HEAP_MB = 384;
const LEADER_LOOKS_MAX = 400;
const LEADER_LOOK_MS = 50;

export interface KafkaOptions {
  /** 1 unless given; with 3 one may be lost. */
  readonly brokers?: number;
  /** Also opens the listeners with TLS and users, and authorises by ACLs. */
  readonly secure?: boolean;
  /** More lines of `server.properties`. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly heapMb?: number;
  /** Compiles fully: for benchmarks. */
  readonly isMeasured?: boolean;
}

export interface KafkaServer {
  /** `host:port` of every broker, of the listener without TLS and users unless another is named. */
  bootstrap(listener?: KafkaListener): readonly string[];
  /** Of a secure cluster only. */
  readonly certificates: KafkaCertificates;
  /** A kafkajs client of the listener without TLS and users; it logs nothing. */
  readonly client: Kafka;
  readonly admin: Admin;
  /** The broker that leads a partition, counted from 0. */
  leaderOf(topic: string, partition: number): Promise<number>;
  /** Ends a broker without a warning, as a power cut does. */
  kill(broker: number): Promise<void>;
  /** Ends a broker the way an operator does: it hands its partitions over first. */
  stop(broker: number): Promise<void>;
  /** Starts a broker that was ended, on its old ports and files. */
  start(broker: number): Promise<void>;
  /**
   * Cuts a partition's log, of one segment, behind its first records. For a broker that was killed: it starts with what
   * is left, as after a power cut that came before its files were written.
   */
  cutLog(broker: number, topic: string, partition: number, kept: number): Promise<void>;
  /** The broker stands still, its connections open, until it is resumed. */
  pause(broker: number): void;
  resume(broker: number): void;
  /**
   * Runs one of Kafka's own command line tools: `org.apache.kafka.tools.ProducerPerformance`. Resolves to its output.
   */
  runTool(mainClass: string, words: readonly string[]): Promise<string>;
  /** Ends the brokers and removes their files. Idempotent. */
  close(): Promise<void>;
}

/** Apache Kafka in KRaft mode, fetched from Maven Central, on free loopback ports. */
export async function startKafka(options: KafkaOptions = {}): Promise<KafkaServer> {
  const jars = await installFromMaven({
    name: "Apache Kafka",
    folder: `kafka-${VERSION}`,
    artifacts: [
      `org.apache.kafka:kafka_2.13:${VERSION}`,
      `org.apache.kafka:kafka-tools:${VERSION}`,
      // Without it a broker that cannot start does not say why.
      "org.apache.logging.log4j:log4j-slf4j-impl:2.24.3",
    ],
    alternative: undefined,
  });
  const folder = await mkdtemp(join(tmpdir(), "millrace-kafka-"));
  const java = javaCommand(jars, options);
  try {
    return await startCluster(folder, java, options);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

function javaCommand(jars: string, { heapMb = HEAP_MB, isMeasured = false }: KafkaOptions): JavaCommand {
  const compilers = isMeasured ? ["-XX:+UseSerialGC"] : SHORT_LIVED;
  const machine = [`-Xmx${heapMb}m`, `-Xms${Math.min(heapMb, 128)}m`, ...compilers];
  return (mainClass, words) => [...machine, "-cp", `${jars}/*`, mainClass, ...words];
}

async function startCluster(folder: string, java: JavaCommand, options: KafkaOptions): Promise<KafkaServer> {
  const { brokers: count = 1, secure = false, settings = {} } = options;
  const certificates = secure ? await makeKafkaCertificates(folder) : undefined;
  const nodes: KafkaBrokerPorts[] = [];
  for (let index = 0; index < count; index++) nodes.push(await choosePorts(secure));
  const brokers = new KafkaBrokers({ folder, java, nodes });
  const client = createClient(brokers.bootstrap("PLAINTEXT"));
  const admin = waitingForLeaders(client.admin());
  const close = async () => {
    await admin.disconnect().catch(() => undefined);
    await brokers.close();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await brokers.format({ certificates, settings });
    await Promise.all(nodes.map((_, index) => brokers.start(index)));
    await admin.connect();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    bootstrap: (listener = "PLAINTEXT") => brokers.bootstrap(listener),
    get certificates() {
      if (certificates === undefined) throw new Error("this cluster was not started as a secure one");
      return certificates;
    },
    client,
    admin,
    leaderOf: (topic, partition) => leaderOf(admin, topic, partition),
    kill: (index) => brokers.end(index, "SIGKILL"),
    stop: (index) => brokers.end(index, "SIGTERM"),
    start: (index) => brokers.start(index),
    cutLog: (index, topic, partition, kept) =>
      cutSegment(join(brokers.logFolder(index), `${topic}-${partition}`), kept),
    pause: (index) => brokers.signal(index, "SIGSTOP"),
    resume: (index) => brokers.signal(index, "SIGCONT"),
    runTool: (mainClass, words) => runJava(java(mainClass, words)),
    close,
  };
}

function createClient(brokers: readonly string[]): Kafka {
  return new Kafka({
    clientId: "millrace-test",
    brokers: [...brokers],
    logLevel: logLevel.NOTHING,
    retry: { retries: 20, initialRetryTime: 50, maxRetryTime: 500 },
  });
}

/**
 * Does not ask the broker that stands still where the others are, and gives up on it soon when it is told to go there.
 */
export function createClientWithout(server: KafkaServer, broker: number): Kafka {
  return new Kafka({
    clientId: "millrace-test",
    brokers: server.bootstrap().filter((_, index) => index !== broker),
    logLevel: logLevel.NOTHING,
    connectionTimeout: 3_000,
    requestTimeout: 3_000,
    retry: { retries: 0 },
  });
}

/** kafkajs's own wait for leaders fails when a broker does not know the new topic yet. */
function waitingForLeaders(admin: Admin): Admin {
  return {
    ...admin,
    async createTopics({ waitForLeaders = true, ...options }) {
      const isMade = await admin.createTopics({ ...options, waitForLeaders: false });
      if (!waitForLeaders) return isMade;
      for (const { topic, numPartitions = 1 } of options.topics) {
        const partitions = Array.from({ length: numPartitions < 1 ? 1 : numPartitions }, (_, index) => index);
        for (const partition of partitions) await waitForLeader(admin, topic, partition);
        await waitUntilServed(admin, topic);
      }
      return isMade;
    },
  };
}

async function waitForLeader(admin: Admin, topic: string, partition: number): Promise<void> {
  for (let looks = 0; looks < LEADER_LOOKS_MAX; looks++) {
    const leader = await leaderOf(admin, topic, partition).catch(() => -1);
    if (leader >= 0) return;
    await new Promise((resolve) => setTimeout(resolve, LEADER_LOOK_MS));
  }
  throw new Error(`${topic} got no leader for its partition ${partition}`);
}

/** Metadata name a leader some moments before it takes requests for a new partition. */
async function waitUntilServed(admin: Admin, topic: string): Promise<void> {
  for (let looks = 0; looks < LEADER_LOOKS_MAX; looks++) {
    const offsets = await admin.fetchTopicOffsets(topic).catch(() => undefined);
    if (offsets !== undefined) return;
    await new Promise((resolve) => setTimeout(resolve, LEADER_LOOK_MS));
  }
  throw new Error(`the leaders of ${topic} serve no requests`);
}

async function leaderOf(admin: Admin, topic: string, partition: number): Promise<number> {
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  const found = topics[0]?.partitions.find(({ partitionId }) => partitionId === partition);
  if (found === undefined) throw new Error(`${topic} has no partition ${partition}`);
  return found.leader - 1;
}

async function choosePorts(secure: boolean): Promise<KafkaBrokerPorts> {
  const names: readonly KafkaListener[] = secure ? ["PLAINTEXT", "TLS", "MTLS", "SASL_SSL"] : ["PLAINTEXT"];
  const listeners = new Map<KafkaListener, number>();
  for (const name of names) listeners.set(name, await freePort());
  return { controller: await freePort(), listeners };
}
