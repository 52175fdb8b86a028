import { z } from "zod";
import {
  BATCH_SIZE_MAX,
  BATCHING_WINDOW_SECONDS_MAX,
  DESTINATION_CHARS_MAX,
  FILTER_PATTERN_CHARS_MAX,
  FILTERS_MAX,
  PARALLELIZATION_FACTOR_MAX,
  RECORD_AGE_SECONDS_MAX,
  RETRY_ATTEMPTS_MAX,
  TUMBLING_WINDOW_SECONDS_MAX,
} from "../model/limits.ts";
import { provisionedPollerConfig, scalingConfig } from "./queue-schema.ts";
import {
  kafkaEventSourceConfig,
  selfManagedEventSource,
  sourceAccessConfigurations,
  topics,
} from "./topic-schema.ts";

/**
 * The shape of manifests. Fields of `spec` are the lower-camel form of AWS's parameters (streams §1.3); the published
 * JSON Schema and the settings reference are made from this file. Rules between fields are in `mapping-checks.ts` and
 * its neighbours.
 */

export const API_VERSION = "millrace.dev/v1";

/** Lambda's own default: a function that needs longer says so. */
export const TIMEOUT_SECONDS_DEFAULT = 3;
/** Functions that run elsewhere have it: Lambda's default concurrency of an account, which its functions share. */
export const REMOTE_CONCURRENCY_DEFAULT = 1000;
/** Each concurrent invocation of a module has a worker thread of its own. */
export const MODULE_CONCURRENCY_DEFAULT = 10;

/** The year 2255: more is a time in milliseconds. */
const EPOCH_SECONDS_MAX = 9_000_000_000;

const labels = (description: string) => z.record(z.string(), z.string()).optional().describe(description);

const metadata = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,62}[A-Za-z0-9])?$/)
      .describe(
        "Name of the resource, unique among its kind: 1 to 64 letters, digits, - and _, with a letter or digit at both ends. A mapping's name is the `mapping` label of its metrics.",
      ),
    labels: labels("Labels for people and other tools; millrace does not read them."),
    annotations: labels("Notes for people and other tools; millrace does not read them."),
  })
  .describe("Identity of the resource.");

const httpTarget = z
  .strictObject({
    url: z
      .string()
      .describe(
        "http or https URL that gets each event as a POST request, for example http://127.0.0.1:9000/.",
      ),
  })
  .describe("A function behind an HTTP endpoint.");

const moduleTarget = z
  .strictObject({
    path: z
      .string()
      .min(1)
      .describe(
        "JavaScript or TypeScript module that exports a Lambda handler; relative to the folder of this file.",
      ),
    export: z.string().min(1).default("handler").describe("Name of the exported handler."),
    environment: z
      .record(z.string(), z.string())
      .optional()
      .describe("Environment variables that the function sees, besides Lambda's own and what it inherits."),
    inheritEnvironment: z
      .array(z.string().regex(/^(?!MILLRACE_)[A-Za-z_][A-Za-z0-9_]{0,254}$/))
      .max(100)
      .default([])
      .describe(
        "Names of variables of millrace's own environment that the function sees too. Without it: PATH, LANG, TZ, the region, proxies and NODE_EXTRA_CA_CERTS.",
      ),
    credentials: z
      .string()
      .regex(/^(?:inherit|none|env:[A-Za-z_][A-Za-z0-9_]{0,127})$/)
      .default("none")
      .describe(
        "AWS credentials of the function. none; inherit: millrace's own AWS_ variables and home folder; env:PREFIX: variables such as PREFIXAWS_ACCESS_KEY_ID of millrace's environment.",
      ),
    memoryMb: z
      .int()
      .min(128)
      .max(10_240)
      .default(512)
      .describe(
        "Memory of each worker thread's JavaScript heap, in MB. An invocation that goes far beyond it is stopped and fails.",
      ),
  })
  .describe("A function that runs inside millrace, in worker threads.");

const lambdaTarget = z
  .strictObject({
    functionName: z
      .string()
      .min(1)
      .max(256)
      .describe(
        "Name or ARN of the function, with a version or alias behind a colon if wanted. An ARN's region is called.",
      ),
    region: z
      .string()
      .regex(/^[a-z0-9-]{1,64}$/)
      .optional()
      .describe("Region of the function. Default: the ARN's, then the AWS SDK's own rules, as AWS_REGION."),
    endpoint: z
      .string()
      .optional()
      .describe(
        "http or https URL of a service with Lambda's Invoke API, such as the Runtime Interface Emulator. Default: AWS, or AWS_ENDPOINT_URL_LAMBDA.",
      ),
  })
  .describe("A function of AWS Lambda. Credentials come by the AWS SDK's own rules.");

const targets = {
  http: httpTarget.optional(),
  module: moduleTarget.optional(),
  lambda: lambdaTarget.optional(),
};

const versions = z
  .record(
    z.string().regex(/^[1-9][0-9]{0,9}$/),
    z
      .strictObject(targets)
      .describe("What to invoke as this version. Exactly one of http, lambda and module."),
  )
  .optional()
  .describe(
    "Published versions by number, for mappings of NAME:NUMBER and for aliases. The function's own target is $LATEST.",
  );

const versionNumber = z.union([z.int().min(1).max(9_999_999_999), z.string().min(1)]);

const aliases = z
  .record(
    z.string().regex(/^(?![0-9]+$)[A-Za-z0-9_-]{1,128}$/),
    z
      .strictObject({
        version: versionNumber.describe("Version that the alias stands for: a number, or $LATEST."),
        weights: z
          .record(z.string(), z.number().min(0).max(1))
          .optional()
          .describe(
            "Shares of batches that go to other versions, for example { 3: 0.05 }; together at most 1. All attempts of a batch go to one version.",
          ),
      })
      .describe("An alias, for mappings of NAME:ALIAS."),
  )
  .optional()
  .describe("Names of versions.");

const functionSpec = z
  .strictObject({
    ...targets,
    versions,
    aliases,
    timeoutSeconds: z
      .int()
      .min(1)
      .max(900)
      .default(TIMEOUT_SECONDS_DEFAULT)
      .describe("How long one invocation may take, in seconds. Beyond it the invocation fails."),
    reservedConcurrency: z
      .int()
      .min(1)
      .max(10_000)
      .optional()
      .describe(
        `Invocations that run at once, over all callers of the function in all processes of a store; more wait their turn, each mapping for its even share. Absent: each process has its own bound, ${REMOTE_CONCURRENCY_DEFAULT} for http and lambda, ${MODULE_CONCURRENCY_DEFAULT} for module.`,
      ),
    adaptiveConcurrency: z
      .boolean()
      .default(false)
      .describe(
        "True: fewer invocations at once, down to one, while the function refuses them (429, unavailable) or takes twice as long as usual, and more again step by step, up to reservedConcurrency.",
      ),
  })
  .describe("What to invoke, and its bounds. Exactly one of http, lambda and module.");

const filterCriteria = z
  .strictObject({
    filters: z
      .array(
        z.strictObject({
          pattern: z
            .string()
            .max(FILTER_PATTERN_CHARS_MAX)
            .describe("An EventBridge pattern as a JSON text."),
        }),
      )
      .max(FILTERS_MAX)
      .optional()
      .describe("A record passes when one of the patterns matches. None: all records pass."),
  })
  .describe("Which records reach the function. The others are settled without an invocation.");

const destinationConfig = z
  .strictObject({
    onFailure: z
      .strictObject({
        destination: z
          .string()
          .max(DESTINATION_CHARS_MAX)
          .optional()
          .describe(
            "ARN of a standard SQS queue or SNS topic, which get AWS's failure record, or of an S3 bucket, which gets it with its event. Of Kafka mappings also kafka://TOPIC of the same cluster, which gets a message for each record. file:PATH appends the record with its event as a line of JSON; relative to the folder of this file. Empty or left out: records that are given up are dropped and counted.",
          ),
      })
      .optional()
      .describe("For records that are given up by age or attempts."),
  })
  .describe(
    "Streams and Kafka only. Where records go that are given up. A queue has its own redrive policy.",
  );

const mappingSpec = z
  .strictObject({
    functionName: z
      .string()
      .min(1)
      .max(256)
      .describe(
        "Function to invoke: the name of a Function manifest, with a qualifier behind a colon if wanted, or its ARN.",
      ),
    eventSourceArn: z
      .string()
      .max(10_000)
      .optional()
      .describe(
        "ARN of the stream, queue or MSK cluster, for example arn:aws:local:eu-west-1:000000000000:stream/orders or arn:aws:sqs:eu-west-1:123456789012:orders. A mapping has it, or selfManagedEventSource.",
      ),
    selfManagedEventSource: selfManagedEventSource.optional(),
    topics: topics.optional(),
    sourceAccessConfigurations: sourceAccessConfigurations.optional(),
    amazonManagedKafkaEventSourceConfig: kafkaEventSourceConfig("an MSK cluster").optional(),
    selfManagedKafkaEventSourceConfig: kafkaEventSourceConfig("a self-managed cluster").optional(),
    enabled: z.boolean().default(true).describe("False: nothing is polled. The checkpoint is kept."),
    startingPosition: z
      .enum(["LATEST", "AT_TIMESTAMP", "TRIM_HORIZON"])
      .optional()
      .describe(
        "Streams, where it is required, and Kafka, where the oldest record is the default. Where a mapping that has no checkpoint yet begins: the oldest record (TRIM_HORIZON), what comes from now on (LATEST), or startingPositionTimestamp (AT_TIMESTAMP).",
      ),
    startingPositionTimestamp: z
      .union([z.number().min(0).max(EPOCH_SECONDS_MAX), z.iso.datetime({ offset: true })])
      .optional()
      .describe(
        "With AT_TIMESTAMP: where to begin, as an ISO 8601 time such as 2026-01-31T00:00:00Z or in seconds since 1970. Not in the future.",
      ),
    batchSize: z
      .int()
      .min(1)
      .max(BATCH_SIZE_MAX)
      .optional()
      .describe(
        "Most records of one invocation. Default 100, and 10 for queues; a FIFO queue, or a queue without a batching window, has at most 10.",
      ),
    maximumBatchingWindowInSeconds: z
      .int()
      .min(0)
      .max(BATCHING_WINDOW_SECONDS_MAX)
      .optional()
      .describe(
        "How long to gather records for a batch, in seconds. 0: invoke as soon as there is a record. Default 0, and half a second for Kafka. FIFO queues have none.",
      ),
    parallelizationFactor: z
      .int()
      .min(1)
      .max(PARALLELIZATION_FACTOR_MAX)
      .default(1)
      .describe(
        "Streams and Kafka only. Batches of one shard that run at once. Records of one key stay in order.",
      ),
    maximumRetryAttempts: z
      .int()
      .min(-1)
      .max(RETRY_ATTEMPTS_MAX)
      .default(-1)
      .describe(
        "Streams and Kafka only. Retries of a failed batch before it is given up. -1: until its records expire; 10 for Kafka with a failure destination.",
      ),
    maximumRecordAgeInSeconds: z
      .int()
      .min(-1)
      .max(RECORD_AGE_SECONDS_MAX)
      .default(-1)
      .describe(
        "Streams and Kafka only. Age at which a record is given up, in seconds: 60 to 604800, or -1 for as long as the source keeps it.",
      ),
    bisectBatchOnFunctionError: z
      .boolean()
      .default(false)
      .describe(
        "Streams and Kafka only. Split a failed batch in two and try the halves, down to the record that fails.",
      ),
    functionResponseTypes: z
      .array(z.enum(["ReportBatchItemFailures"]))
      .max(1)
      .default([])
      .describe("With ReportBatchItemFailures the function's answer names the records that failed."),
    tumblingWindowInSeconds: z
      .int()
      .min(0)
      .max(TUMBLING_WINDOW_SECONDS_MAX)
      .default(0)
      .describe(
        "Kinesis, DynamoDB and local streams only. Length of the windows over which the function carries state, in seconds. 0: none.",
      ),
    filterCriteria: filterCriteria.optional(),
    destinationConfig: destinationConfig.optional(),
    scalingConfig: scalingConfig.optional(),
    provisionedPollerConfig: provisionedPollerConfig.optional(),
    strictAwsFifo: z
      .boolean()
      .default(true)
      .describe(
        "FIFO queues with ReportBatchItemFailures. True: what the function does not list is deleted, as on AWS. False: a listed message also holds back the later ones of its group; each time costs them a receive, and behind a message that always fails they reach the dead-letter queue though they succeed.",
      ),
    endpoints: z
      .record(z.string(), z.array(z.string().min(1)).min(1).max(100))
      .optional()
      .describe(
        "Where to find a source that its ARN alone does not find, by names that the source defines, such as LOCAL_FILE or, of an MSK cluster, KAFKA_BOOTSTRAP_SERVERS. Paths (names in _FILE) are relative to the folder of this file.",
      ),
    uuid: z
      .uuid()
      .optional()
      .describe(
        "Identity under which leases and checkpoints are kept. Derived from the name when left out, so a mapping that is renamed starts anew unless its uuid is given.",
      ),
    tags: z.record(z.string(), z.string()).optional().describe("Tags of the mapping."),
  })
  .describe("AWS's parameters of an event source mapping, in lower camel case, with AWS's defaults.");

const resource = <Kind extends string, Spec extends z.ZodType>(kind: Kind, spec: Spec, description: string) =>
  z
    .strictObject({
      apiVersion: z.literal(API_VERSION).describe("Version of the manifest's form."),
      kind: z.literal(kind).describe("What the document describes."),
      metadata,
      spec,
    })
    .describe(description);

export const functionSchema = resource("Function", functionSpec, "A function that mappings name.");
export const mappingSchema = resource(
  "EventSourceMapping",
  mappingSpec,
  "Reads a stream, a queue or a Kafka topic and invokes a function with its records.",
);

export const manifestSchema = z.discriminatedUnion("kind", [functionSchema, mappingSchema]);

export type FunctionManifest = z.output<typeof functionSchema>;
export type MappingManifest = z.output<typeof mappingSchema>;

export const RESOURCE_SCHEMAS = { Function: functionSchema, EventSourceMapping: mappingSchema } as const;
export type ResourceKind = keyof typeof RESOURCE_SCHEMAS;
