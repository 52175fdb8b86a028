import { HOSTILE_ANSWERS } from "./bomb-functions.ts";
import { type BombBroker, CALM } from "./bomb-sources.ts";

/** Where what is given up goes, beside the manifest. */
export const GIVEN_UP_FILE = "given-up.jsonl";
export const STREAM_FILE = "streams.db";
const SECONDS_MAX = 15;

export interface ManifestPlaces {
  readonly functionUrl: string;
  readonly broker: BombBroker;
  readonly consumerArn: string;
}

export const FRAME_MAPPINGS = ["frame-at-login", "frame-behind-login"] as const;

export function bombManifest({ functionUrl, broker, consumerArn }: ManifestPlaces): string {
  const hostile = HOSTILE_ANSWERS.map((_, index) => `hostile-${index}`);
  const names = ["bombs", "fan-out", CALM, ...FRAME_MAPPINGS, ...hostile];
  return [
    ...names.map(
      (name) => `kind: Function
metadata: { name: ${name} }
spec: { http: { url: "${functionUrl}/${name}" }, timeoutSeconds: ${SECONDS_MAX} }
`,
    ),
    topicMapping("bombs", broker.port),
    ...FRAME_MAPPINGS.map((name, index) => topicMapping(name, broker.framePorts[index] ?? 0)),
    mapping("fan-out", `eventSourceArn: ${consumerArn}`, "batchSize: 10000"),
    mapping(CALM, localStream(CALM), "batchSize: 10"),
    ...hostile.map((name) =>
      mapping(name, localStream(name), "batchSize: 1\n  functionResponseTypes: [ReportBatchItemFailures]"),
    ),
  ]
    .map((document) => `apiVersion: millrace.dev/v1\n${document}`)
    .join("---\n");
}

function topicMapping(name: string, port: number): string {
  return mapping(
    name,
    `selfManagedEventSource: { endpoints: { KAFKA_BOOTSTRAP_SERVERS: ["127.0.0.1:${port}"] } }
  topics: [bombs]
  sourceAccessConfigurations: []`,
    "batchSize: 10000",
  );
}

function localStream(name: string): string {
  return `eventSourceArn: arn:aws:local:eu-west-1:000000000000:stream/${name}
  endpoints: { LOCAL_FILE: [${STREAM_FILE}] }`;
}

function mapping(name: string, source: string, more: string): string {
  return `kind: EventSourceMapping
metadata: { name: ${name} }
spec:
  functionName: ${name}
  ${source}
  startingPosition: TRIM_HORIZON
  maximumRetryAttempts: 1
  destinationConfig: { onFailure: { destination: "file:${GIVEN_UP_FILE}" } }
  ${more}
`;
}
