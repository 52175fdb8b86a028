import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { Kafka, logLevel } from "kafkajs";
import type { KafkaCertificates } from "./kafka-certificates.ts";
import {
  brokerProperties,
  KAFKA_USERS,
  type KafkaBrokerPorts,
  type KafkaListener,
} from "./kafka-settings.ts";
import { type ServerProcess, startServerProcess } from "./server-process.ts";

export interface KafkaBrokersOptions {
  readonly folder: string;
  readonly java: JavaCommand;
  readonly nodes: readonly KafkaBrokerPorts[];
}

export interface KafkaFormat {
  readonly certificates: KafkaCertificates | undefined;
  /** More lines of `server.properties`. */
  readonly settings: Readonly<Record<string, string>>;
}

/** The words behind `java` that run a class of Kafka's jars. */
export type JavaCommand = (mainClass: string, words: readonly string[]) => readonly string[];

/** The broker processes of one cluster, counted from 0. */
export class KafkaBrokers {
  readonly #options: KafkaBrokersOptions;
  readonly #running = new Map<number, ServerProcess>();

  constructor(options: KafkaBrokersOptions) {
    this.#options = options;
  }

  bootstrap(listener: KafkaListener): readonly string[] {
    return this.#options.nodes.map((_, index) => this.#endpoint(index, listener));
  }

  /** Once, before the first start. */
  async format({ certificates, settings }: KafkaFormat): Promise<void> {
    const { java, nodes } = this.#options;
    const clusterId = randomBytes(16).toString("base64url");
    const users = certificates === undefined ? [] : KAFKA_USERS.flatMap(scramWords);
    await Promise.all(
      nodes.map(async (_, index) => {
        const file = this.#propertiesFile(index);
        await writeFile(file, brokerProperties(index, nodes, this.logFolder(index), certificates, settings));
        const words = ["format", `--cluster-id=${clusterId}`, "--config", file, ...users];
        await runJava(java("kafka.tools.StorageTool", words));
      }),
    );
  }

  async start(index: number): Promise<void> {
    const endpoint = this.#endpoint(index, "PLAINTEXT");
    const server = await startServerProcess({
      name: `Kafka broker ${index}`,
      program: "java",
      args: this.#options.java("kafka.Kafka", [this.#propertiesFile(index)]),
      endpoint,
      isReady: () => servesRequests(endpoint, index + 1),
    });
    this.#running.set(index, server);
  }

  async end(index: number, signal: NodeJS.Signals): Promise<void> {
    await this.#processOf(index).end(signal);
    this.#running.delete(index);
  }

  signal(index: number, signal: NodeJS.Signals): void {
    this.#processOf(index).signal(signal);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#running.values()].map((server) => server.close()));
    this.#running.clear();
  }

  #processOf(index: number): ServerProcess {
    const server = this.#running.get(index);
    if (server === undefined) throw new Error(`broker ${index} does not run`);
    return server;
  }

  logFolder(index: number): string {
    return join(this.#options.folder, `log-${index}`);
  }

  #propertiesFile(index: number): string {
    return join(this.#options.folder, `broker-${index}.properties`);
  }

  #endpoint(index: number, listener: KafkaListener): string {
    const port = this.#options.nodes[index]?.listeners.get(listener);
    if (port === undefined) {
      throw new Error(`broker ${index} has no listener ${listener}: start the cluster with { secure: true }`);
    }
    return `127.0.0.1:${port}`;
  }
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

/** Resolves to what it printed. */
export async function runJava(words: readonly string[]): Promise<string> {
  const { stdout } = await execute("java", words, { maxBuffer: 16 * 1024 * 1024 });
  return stdout;
}
