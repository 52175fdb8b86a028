import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Admin, Kafka, logLevel } from "kafkajs";
import { type KafkaCertificates, makeKafkaCertificates } from "./kafka-certificates.ts";
import {
  brokerProperties,
  KAFKA_USERS,
  type KafkaBrokerPorts,
  type KafkaListener,
} from "./kafka-settings.ts";
import { installFromMaven } from "./maven-install.ts";
import { freePort, type ServerProcess, startServerProcess } from "./server-process.ts";

const VERSION = "4.1.0";
const HEAP_MB = 384;

export interface KafkaOptions {
  /** 1 unless given; with 3 one may be lost. */
  readonly brokers?: number;
  /** Also opens the listeners with TLS and users, and authorises by ACLs. */
  readonly secure?: boolean;
  /** More lines of `server.properties`. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly heapMb?: number;
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
  /** The broker stands still, its connections open, until it is resumed. */
  pause(broker: number): void;
  resume(broker: number): void;
  /** Runs one of Kafka's own command line tools: `org.apache.kafka.tools.ProducerPerformance`. Resolves to its output. */
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
  const java = javaCommand(jars, options.heapMb ?? HEAP_MB);
  try {
    return await startCluster(folder, java, options);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

type JavaCommand = (mainClass: string, words: readonly string[]) => readonly string[];

function javaCommand(jars: string, heapMb: number): JavaCommand {
  const machine = [`-Xmx${heapMb}m`, `-Xms${Math.min(heapMb, 128)}m`, "-XX:+UseSerialGC"];
  return (mainClass, words) => [...machine, "-cp", `${jars}/*`, mainClass, ...words];
}

async function startCluster(folder: string, java: JavaCommand, options: KafkaOptions): Promise<KafkaServer> {
  const { brokers = 1, secure = false, settings = {} } = options;
  const certificates = secure ? await makeKafkaCertificates(folder) : undefined;
  const nodes: KafkaBrokerPorts[] = [];
  for (let index = 0; index < brokers; index++) nodes.push(await choosePorts(secure));
  const clusterId = randomBytes(16).toString("base64url");
  const files = nodes.map((_, index) => join(folder, `broker-${index}.properties`));
  const users = secure ? KAFKA_USERS.flatMap(scramWords) : [];
  await Promise.all(
    files.map(async (file, index) => {
      const logFolder = join(folder, `log-${index}`);
      await writeFile(file, brokerProperties(index, nodes, logFolder, certificates, settings));
      const words = ["format", `--cluster-id=${clusterId}`, "--config", file, ...users];
      await runJava(java("kafka.tools.StorageTool", words));
    }),
  );
  const bootstrap = (listener: KafkaListener = "PLAINTEXT") =>
    nodes.map(({ listeners }) => `127.0.0.1:${portOf(listeners, listener)}`);
  const client = new Kafka({
    clientId: "millrace-test",
    brokers: [...bootstrap()],
    logLevel: logLevel.NOTHING,
    retry: { retries: 20, initialRetryTime: 50, maxRetryTime: 500 },
  });
  const running = new Map<number, ServerProcess>();
  const start = async (index: number) => {
    const { listeners } = itemAt(nodes, index);
    const endpoint = `127.0.0.1:${portOf(listeners, "PLAINTEXT")}`;
    const server = await startServerProcess({
      name: `Kafka broker ${index}`,
      program: "java",
      args: java("kafka.Kafka", [itemAt(files, index)]),
      endpoint,
      isReady: () => servesRequests(endpoint, index + 1),
    });
    running.set(index, server);
  };
  const runningAt = (index: number) => {
    const server = running.get(index);
    if (server === undefined) throw new Error(`broker ${index} does not run`);
    return server;
  };
  const admin = client.admin();
  const close = async () => {
    await admin.disconnect().catch(() => undefined);
    await Promise.all([...running.values()].map((server) => server.close()));
    running.clear();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await Promise.all(nodes.map((_, index) => start(index)));
    await admin.connect();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    bootstrap,
    get certificates() {
      if (certificates === undefined) throw new Error("this cluster was not started as a secure one");
      return certificates;
    },
    client,
    admin,
    async leaderOf(topic, partition) {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      const found = topics[0]?.partitions.find(({ partitionId }) => partitionId === partition);
      if (found === undefined) throw new Error(`${topic} has no partition ${partition}`);
      return found.leader - 1;
    },
    async kill(index) {
      await runningAt(index).close();
      running.delete(index);
    },
    async stop(index) {
      await runningAt(index).end("SIGTERM");
      running.delete(index);
    },
    start,
    pause: (index) => runningAt(index).signal("SIGSTOP"),
    resume: (index) => runningAt(index).signal("SIGCONT"),
    runTool: (mainClass, words) => runJava(java(mainClass, words)),
    close,
  };
}

async function choosePorts(secure: boolean): Promise<KafkaBrokerPorts> {
  const names: readonly KafkaListener[] = secure ? ["PLAINTEXT", "TLS", "MTLS", "SASL_SSL"] : ["PLAINTEXT"];
  const listeners = new Map<KafkaListener, number>();
  for (const name of names) listeners.set(name, await freePort());
  return { controller: await freePort(), listeners };
}

function portOf(listeners: ReadonlyMap<KafkaListener, number>, listener: KafkaListener): number {
  const port = listeners.get(listener);
  if (port === undefined)
    throw new Error(`the cluster has no listener ${listener}: start it with { secure: true }`);
  return port;
}

function scramWords({ username, password }: { readonly username: string; readonly password: string }) {
  return ["256", "512"].flatMap((bits) => [
    "--add-scram",
    `SCRAM-SHA-${bits}=[name=${username},password=${password}]`,
  ]);
}

/** A broker takes connections long before it serves; ready is one that the cluster's own metadata names. */
async function servesRequests(endpoint: string, nodeId: number): Promise<boolean> {
  const probe = new Kafka({
    brokers: [endpoint],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 1_000,
    requestTimeout: 2_000,
    retry: { retries: 0 },
  }).admin();
  try {
    await probe.connect();
    const { brokers } = await probe.describeCluster();
    return brokers.some((broker) => broker.nodeId === nodeId);
  } finally {
    await probe.disconnect();
  }
}

const execute = promisify(execFile);

async function runJava(words: readonly string[]): Promise<string> {
  const { stdout } = await execute("java", words, { maxBuffer: 16 * 1024 * 1024 });
  return stdout;
}

function itemAt<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new Error(`nothing at ${index}`);
  return item;
}
