import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { kafkaParameters } from "../../../connectors/kafka/parameters.ts";
import { topicKind } from "../../../connectors/kafka/topic-kind.ts";
import { QUEUE_TEXTS } from "../../../src/aws/queue-texts.ts";
import {
  formatProblems,
  type LoadedManifests,
  loadManifests,
} from "../../../src/manifests/load-manifests.ts";
import type { MappingContext } from "../../../src/manifests/mapping-checks.ts";
import { KINESIS_PIPE_RECORDS } from "../../../src/model/kinesis-event-records.ts";
import type { QueueConnector, StreamConnector } from "../../../src/ports/connector.ts";

export const FUNCTION = `apiVersion: millrace.dev/v1
kind: Function
metadata: { name: orders }
spec: { http: { url: "http://127.0.0.1:9000/" } }
`;

export const SOURCE_ARN = "arn:aws:local:eu-west-1:123456789012:stream/orders";

/** A valid mapping; `lines` are added to its spec, from line 13 of the file on. */
export function withMapping(lines = "", position = "TRIM_HORIZON"): string {
  return `${FUNCTION}---
apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: orders-stream }
spec:
  functionName: orders
  eventSourceArn: ${SOURCE_ARN}
  startingPosition: ${position}
${lines}
  endpoints: { LOCAL_FILE: [orders.db] }
`;
}

export const LOCAL: StreamConnector = {
  kind: "local",
  offers: "stream",
  sources: [{ kind: "arn", service: "local", resourcePrefix: "" }],
  filterDataKey: "data",
  startingPositions: ["TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"],
  endpointNames: ["LOCAL_FILE"],
  parameters: { title: "local streams", fields: {} },
  pipeRecords: KINESIS_PIPE_RECORDS,
  openStream: () => Promise.reject(new Error("not opened in this test")),
};

export const QUEUE_ARN = "arn:aws:sqs:eu-west-1:123456789012:orders";

/** A valid mapping of a queue; `lines` are added to its spec, from line 12 of the file on. */
export function withQueueMapping(lines = "", arn = QUEUE_ARN): string {
  return `${FUNCTION}---
apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: orders-queue }
spec:
  functionName: orders
  eventSourceArn: ${arn}
${lines}
`;
}

export const SQS: QueueConnector = {
  kind: "sqs",
  offers: "queue",
  sources: [{ kind: "arn", service: "sqs", resourcePrefix: "" }],
  filterDataKey: "body",
  isFifoQueue: (eventSourceArn) => eventSourceArn.endsWith(".fifo"),
  endpointNames: [],
  parameters: { title: "SQS", fields: {}, texts: QUEUE_TEXTS },
  openQueue: () => Promise.reject(new Error("not opened in this test")),
};

/** A valid mapping of a self-managed cluster's topic; `lines` are added to its spec, from line 17 of the file on. */
export function withTopicMapping(lines = "", access = "  sourceAccessConfigurations: []"): string {
  return `${FUNCTION}---
apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: orders-topic }
spec:
  functionName: orders
  selfManagedEventSource:
    endpoints:
      KAFKA_BOOTSTRAP_SERVERS: [kafka-1:9092, kafka-2:9092]
  topics: [orders]
  startingPosition: TRIM_HORIZON
${access}
${lines}
`;
}

export const CLUSTER_ARN =
  "arn:aws:kafka:sa-east-1:123456789012:cluster/orders/751d2973-a626-431c-9d4e-d7975eb44dd7-2";

/** The same of an MSK cluster; `lines` from line 15 on. */
export function withMskMapping(lines = "", endpoints = "[b-1.orders:9096]"): string {
  return `${FUNCTION}---
apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: orders-topic }
spec:
  functionName: orders
  eventSourceArn: ${CLUSTER_ARN}
  endpoints: { KAFKA_BOOTSTRAP_SERVERS: ${endpoints} }
  topics: [orders]
  startingPosition: LATEST
${lines}
`;
}

export const KAFKA: StreamConnector = {
  kind: "kafka",
  offers: "stream",
  sources: [
    { kind: "arn", service: "kafka", resourcePrefix: "cluster/" },
    { kind: "selfManaged", endpointName: "KAFKA_BOOTSTRAP_SERVERS" },
  ],
  filterDataKey: "value",
  startingPositions: ["TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"],
  endpointNames: ["KAFKA_BOOTSTRAP_SERVERS"],
  parameters: kafkaParameters,
  openStream: () => Promise.reject(new Error("not opened in this test")),
  openDestination: () => Promise.reject(new Error("not opened in this test")),
  eventDestination: topicKind,
};

export const CONTEXT: MappingContext = {
  connectors: [KAFKA, LOCAL, SQS],
  nowMs: Date.UTC(2026, 0, 31),
  place: { region: "eu-west-1", account: "123456789012" },
};

/** A folder with these files, gone after the test. */
export function folderWith(t: TestContext, files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = mkdtempSync(join(tmpdir(), "millrace-manifests-"));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

export function loadText(t: TestContext, text: string): { loaded: LoadedManifests; folder: string } {
  const folder = folderWith(t, { "m.yaml": text });
  return { loaded: loadManifests([join(folder, "m.yaml")], CONTEXT), folder };
}

/** What a person reads, one problem a line, without the folder. */
export function problemsOf(t: TestContext, text: string): string[] {
  const { loaded, folder } = loadText(t, text);
  if (loaded.kind === "valid") return [];
  return formatProblems(loaded.problems).replaceAll(`${folder}/`, "").split("\n");
}
