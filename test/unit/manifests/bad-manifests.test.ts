import assert from "node:assert/strict";
import { test } from "node:test";
import {
  FUNCTION,
  problemsOf,
  QUEUE_ARN,
  SOURCE_ARN,
  withMapping,
  withQueueMapping,
} from "./manifest-samples.ts";

const M = "EventSourceMapping orders-stream, spec";
const DESTINATION = `${M}.destinationConfig.onFailure.destination`;
const Q = "EventSourceMapping orders-queue, spec";
const unsupported = (name: string) => `Unsupported ${name} parameter for given event source mapping type.`;
const AWS = "1 validation error detected: Value";

function withFailureDestination(text: string): string {
  return withMapping(`  destinationConfig: { onFailure: { destination: "${text}" } }`);
}

/** What a person wrote, and what they read: each row one slip. */
const SLIPS: readonly (readonly [name: string, text: string, ...problems: string[]])[] = [
  [
    "malformed YAML",
    `${FUNCTION}---\na: [1, 2\n`,
    "m.yaml:7:1: The YAML cannot be read: Flow sequence in block collection must be sufficiently indented and end with a ]. Correct the syntax at this place.",
  ],
  [
    "a field twice",
    withMapping("  batchSize: 1\n  batchSize: 2"),
    "m.yaml:14:3: The YAML cannot be read: Map keys must be unique. Keep one of the two.",
  ],
  [
    "a zero byte, and a variable's name with =, where a function's process would be given them",
    `apiVersion: millrace.dev/v1
kind: Function
metadata: { name: orders }
spec:
  runtime: provided.al2023
  code: "a\\0b"
  environment: { A: "a\\0b", "B=C": d }
`,
    "m.yaml:6:9: Function orders, spec.code: This text has a zero byte, which no process can be given. Leave it out.",
    "m.yaml:7:21: Function orders, spec.environment.A: This text has a zero byte, which no process can be given. Leave it out.",
    "m.yaml:7:29: Function orders, spec.environment.B=C: This is no name of a variable. Give a name without = and zero bytes.",
  ],
  [
    "a tag",
    withMapping("  batchSize: !!js/function 1"),
    "m.yaml:13:14: The YAML cannot be read: Unresolved tag: tag:yaml.org,2002:js/function. Remove the tag: only plain values are read.",
  ],
  [
    "an unknown kind",
    "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n",
    'm.yaml:2:7: kind: There is no kind "Kustomization" here. Each document has apiVersion: millrace.dev/v1, kind: Function, EventSourceMapping, Route, Schedule or Rule, metadata and spec.',
  ],
  [
    "another version",
    FUNCTION.replace("millrace.dev/v1", "millrace.dev/v2"),
    "m.yaml:1:13: Function orders, apiVersion: The value 'millrace.dev/v2' is not known here. Give millrace.dev/v1. Version of the manifest's form.",
  ],
  [
    "a document that is a list",
    "- 1\n",
    "m.yaml:1:1: The document is not a map of fields. Each document has apiVersion: millrace.dev/v1, kind: Function, EventSourceMapping, Route, Schedule or Rule, metadata and spec.",
  ],
  [
    "an unknown field that is near a known one",
    withMapping("  batchsize: 5"),
    `m.yaml:13:3: ${M}.batchsize: There is no field "batchsize". Did you mean batchSize?`,
  ],
  [
    "an unknown field that is near nothing",
    FUNCTION.replace("{ name: orders }", "{ name: orders, colour: red }"),
    'm.yaml:3:27: Function orders, metadata.colour: There is no field "colour". Fields here are: name, labels, annotations.',
  ],
  [
    "a parameter of AWS for other sources",
    withMapping("  scalingConfig: { maximumConcurrency: 5 }"),
    `m.yaml:13:3: ${M}.scalingConfig: Unsupported ScalingConfig parameter for given event source mapping type. Remove the field: it is for queues.`,
  ],
  [
    "a batch size of 0",
    withMapping("  batchSize: 0"),
    `m.yaml:13:14: ${M}.batchSize: ${AWS} '0' at 'batchSize' failed to satisfy constraint: Member must have value greater than or equal to 1. Give a whole number from 1 to 10000. Most records of one invocation. Default 100, and 10 for queues; a FIFO queue, or a queue without a batching window, has at most 10.`,
  ],
  [
    "a batch size of 10,001",
    withMapping("  batchSize: 10001"),
    `m.yaml:13:14: ${M}.batchSize: ${AWS} '10001' at 'batchSize' failed to satisfy constraint: Member must have value less than or equal to 10000. Give a whole number from 1 to 10000. Most records of one invocation. Default 100, and 10 for queues; a FIFO queue, or a queue without a batching window, has at most 10.`,
  ],
  [
    "a number as a text",
    withMapping('  parallelizationFactor: "5"'),
    `m.yaml:13:26: ${M}.parallelizationFactor: The value is a text. Give a whole number from 1 to 10. Streams only. Batches of one shard that run at once. Records of one key stay in order.`,
  ],
  [
    "a field without a value",
    withMapping("  maximumRetryAttempts:"),
    `m.yaml:13:24: ${M}.maximumRetryAttempts: The field has no value. Give a whole number from -1 to 10000. Streams only. Retries of a failed batch before it is given up. -1: until its records expire. Kafka: 10 with a failure destination, unless it is given.`,
  ],
  [
    "no starting position",
    withMapping().replace("  startingPosition: TRIM_HORIZON\n", ""),
    `m.yaml:10:3: ${M}.startingPosition: ${AWS} null at 'startingPosition' failed to satisfy constraint: Member must not be null. Give one of TRIM_HORIZON, LATEST, AT_TIMESTAMP.`,
  ],
  [
    "an unknown starting position",
    withMapping("", "invalid"),
    `m.yaml:12:21: ${M}.startingPosition: ${AWS} 'invalid' at 'startingPosition' failed to satisfy constraint: Member must satisfy enum value set: [LATEST, AT_TIMESTAMP, TRIM_HORIZON]. Give one of LATEST, AT_TIMESTAMP, TRIM_HORIZON. Streams only, and required there unless the source has a default. Where a mapping that has no checkpoint yet begins: the oldest record (TRIM_HORIZON), what comes from now on (LATEST), or startingPositionTimestamp (AT_TIMESTAMP). Kafka: the oldest record is the default.`,
  ],
  [
    "an unknown response type",
    withMapping("  functionResponseTypes: [Bad]"),
    `m.yaml:13:27: ${M}.functionResponseTypes[0]: ${AWS} '[Bad]' at 'functionResponseTypes' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [ReportBatchItemFailures], Member must not be null]. Give ReportBatchItemFailures.`,
  ],
  [
    "a record age under a minute",
    withMapping("  maximumRecordAgeInSeconds: 59"),
    `m.yaml:13:30: ${M}.maximumRecordAgeInSeconds: MaximumRecordAgeInSeconds must be either -1 (forever) or between 60 and 604800 (inclusive). Give -1, or at least 60.`,
  ],
  [
    "a tumbling window with lanes",
    withMapping("  tumblingWindowInSeconds: 60\n  parallelizationFactor: 2"),
    `m.yaml:14:26: ${M}.parallelizationFactor: Parallelization factor must be equal to 1 when tumbling window period is configured. Remove parallelizationFactor or tumblingWindowInSeconds.`,
  ],
  [
    "a tumbling window with filters",
    withMapping(
      '  tumblingWindowInSeconds: 60\n  filterCriteria: { filters: [{ pattern: \'{"data":{"a":[1]}}\' }] }',
    ),
    `m.yaml:14:3: ${M}.filterCriteria: Filter criteria cannot be used when tumbling window period is configured. Remove filterCriteria or tumblingWindowInSeconds.`,
  ],
  [
    "a timestamp with TRIM_HORIZON",
    withMapping("  startingPositionTimestamp: 1700000000"),
    `m.yaml:13:3: ${M}.startingPositionTimestamp: Timestamp only valid with StartingPosition AT_TIMESTAMP. Remove the field, or set startingPosition: AT_TIMESTAMP.`,
  ],
  [
    "AT_TIMESTAMP without a timestamp",
    withMapping("", "AT_TIMESTAMP"),
    `m.yaml:12:21: ${M}.startingPosition: StartingPosition AT_TIMESTAMP needs a startingPositionTimestamp, which is missing. Give startingPositionTimestamp.`,
  ],
  [
    "a timestamp in the future",
    withMapping("  startingPositionTimestamp: 2026-02-01T00:00:00Z", "AT_TIMESTAMP"),
    `m.yaml:13:30: ${M}.startingPositionTimestamp: The timestamp is in the future. Give a time in the past.`,
  ],
  [
    "a success destination",
    withMapping("  destinationConfig: { onSuccess: { destination: x } }"),
    `m.yaml:13:24: ${M}.destinationConfig.onSuccess: OnSuccess configuration is not supported for event source mappings. Remove the field; onFailure is supported.`,
  ],
  [
    "a destination that this version does not have",
    withFailureDestination("ftp://orders"),
    `m.yaml:13:50: ${DESTINATION}: There is no failure destination of this kind. Give file:PATH, kafka://TOPIC, arn:aws:sqs:REGION:ACCOUNT:QUEUE, arn:aws:sns:REGION:ACCOUNT:TOPIC or arn:aws:s3:::BUCKET.`,
  ],
  [
    "a FIFO queue as destination",
    withFailureDestination("arn:aws:sqs:eu-west-1:123456789012:failed.fifo"),
    `m.yaml:13:50: ${DESTINATION}: A failure destination cannot be an SQS queue of the FIFO type. Name a standard one: without .fifo, arn:aws:sqs:REGION:ACCOUNT:QUEUE, arn:aws:sns:REGION:ACCOUNT:TOPIC or arn:aws:s3:::BUCKET.`,
  ],
  [
    "a FIFO topic as destination",
    withFailureDestination("arn:aws:sns:eu-west-1:123456789012:failed.fifo"),
    `m.yaml:13:50: ${DESTINATION}: A failure destination cannot be an SNS topic of the FIFO type. Name a standard one: without .fifo, arn:aws:sqs:REGION:ACCOUNT:QUEUE, arn:aws:sns:REGION:ACCOUNT:TOPIC or arn:aws:s3:::BUCKET.`,
  ],
  [
    "the ARN of a queue without its account",
    withFailureDestination("arn:aws:sqs:eu-west-1::failed"),
    `m.yaml:13:50: ${DESTINATION}: The text is not the ARN of a failure destination. Give arn:aws:sqs:REGION:ACCOUNT:QUEUE.`,
  ],
  [
    "the ARN of a topic's subscription",
    withFailureDestination("arn:aws:sns:eu-west-1:123456789012:failed:11111111-2222-4333-8444-555555555555"),
    `m.yaml:13:50: ${DESTINATION}: The text is not the ARN of a failure destination. Give arn:aws:sns:REGION:ACCOUNT:TOPIC.`,
  ],
  [
    "a folder of a bucket",
    withFailureDestination("arn:aws:s3:::failed/orders"),
    `m.yaml:13:50: ${DESTINATION}: The text is not the ARN of a failure destination. Give arn:aws:s3:::BUCKET.`,
  ],
  [
    "a bucket's name that would leave the path of a request",
    withFailureDestination("arn:aws:s3:::failed..orders"),
    `m.yaml:13:50: ${DESTINATION}: The text is not the ARN of a failure destination. Give arn:aws:s3:::BUCKET.`,
  ],
  [
    "a destination of more than 350 characters",
    withFailureDestination(`file:${"x".repeat(346)}`),
    `m.yaml:13:50: ${DESTINATION}: ${AWS} 'file:${"x".repeat(75)}…' at 'destinationConfig.onFailure.destination' failed to satisfy constraint: Member must have length less than or equal to 350. Give a text of at most 350 characters. ARN of a standard SQS queue or SNS topic, which get AWS's failure record, or of an S3 bucket, which gets it with its event. file:PATH appends the record with its event as a line of JSON; relative to the folder of this file. Empty or left out: records that are given up are dropped and counted.`,
  ],
  [
    "a filter pattern that is not JSON",
    withMapping("  filterCriteria: { filters: [{ pattern: '{\"data\":{\"a\":[1]}}' }, { pattern: 'a' }] }"),
    `m.yaml:13:77: ${M}.filterCriteria.filters[1].pattern: Invalid filter pattern definition. Filter pattern is not valid: Pattern is not valid JSON (Unexpected token 'a', "a" is not valid JSON). Correct the pattern; \`millrace test-pattern\` tries one against an event.`,
  ],
  [
    "a filter pattern with a rule that does not exist",
    withMapping(`  filterCriteria: { filters: [{ pattern: '{"data":{"a":[{"sounds-like":"b"}]}}' }] }`),
    `m.yaml:13:42: ${M}.filterCriteria.filters[0].pattern: Invalid filter pattern definition. Filter pattern is not valid at data.a: Unrecognized match type sounds-like. Correct the pattern; \`millrace test-pattern\` tries one against an event.`,
  ],
  [
    "a filter pattern on the data of a stream as a whole",
    withMapping(`  filterCriteria: { filters: [{ pattern: '{"data":["x"]}' }] }`),
    `m.yaml:13:42: ${M}.filterCriteria.filters[0].pattern: Invalid filter pattern definition. Filter pattern is not valid at data: "data" must be an object; a pattern for plain-string data is not possible for this source. Correct the pattern; \`millrace test-pattern\` tries one against an event.`,
  ],
  [
    "a source without a connector",
    withMapping().replace(":local:", ":kinesis:"),
    `m.yaml:11:19: ${M}.eventSourceArn: Unrecognized event source. This version has no connector for the service kinesis. Sources here are: arn:aws:kafka:REGION:ACCOUNT:cluster/…, selfManagedEventSource: { endpoints: { KAFKA_BOOTSTRAP_SERVERS: [ … ] } }, arn:aws:local:REGION:ACCOUNT:…, arn:aws:sqs:REGION:ACCOUNT:….`,
  ],
  [
    "an endpoint that the source does not have, and none that it needs",
    withMapping().replace("LOCAL_FILE", "LOCAL_FIL"),
    `m.yaml:14:3: ${M}.endpoints: The source local needs the endpoint LOCAL_FILE, which is missing. Give endpoints: { LOCAL_FILE: [ … ] }.`,
    `m.yaml:14:16: ${M}.endpoints.LOCAL_FIL: The source local has no endpoint "LOCAL_FIL". Did you mean LOCAL_FILE?`,
  ],
  [
    "a function that is not there",
    withMapping().replace("functionName: orders", "functionName: order"),
    `m.yaml:10:17: ${M}.functionName: Function does not exist. Did you mean orders? Add a manifest of kind Function with metadata.name order.`,
  ],
  [
    "a function without a target",
    FUNCTION.replace(/spec: .*/, "spec: {}"),
    "m.yaml:4:1: Function orders, spec: The function has no target. Give exactly one of http: { url }, lambda: { functionName }, module: { path } and code: FOLDER with its runtime.",
  ],
  [
    "a function with two targets, one of them missing",
    FUNCTION.replace(/spec: .*/, "spec: { http: { url: 'http://h/' }, module: { path: /no/such.mjs } }"),
    "m.yaml:4:1: Function orders, spec: The function has more than one target. Give exactly one of http: { url }, lambda: { functionName }, module: { path } and code: FOLDER with its runtime.",
    "m.yaml:4:53: Function orders, spec.module.path: There is no file /no/such.mjs. Give the path of the module's file, relative to the folder of this manifest.",
  ],
  [
    "a URL with a password",
    FUNCTION.replace("http://", "http://me:secret@"),
    "m.yaml:4:22: Function orders, spec.http.url: The URL holds a user name or password, which would show up in logs. Remove them.",
  ],
  [
    "a Lambda function that is no name, at an endpoint that is no URL",
    FUNCTION.replace(/spec: .*/, "spec: { lambda: { functionName: 'or ders', endpoint: here } }"),
    "m.yaml:4:33: Function orders, spec.lambda.functionName: The text is not the name or ARN of a Lambda function. Give name, name:qualifier, or arn:aws:lambda:REGION:ACCOUNT:function:name with an optional qualifier.",
    "m.yaml:4:54: Function orders, spec.lambda.endpoint: The text is not a URL. Give an http or https URL, for example http://127.0.0.1:8080.",
  ],
  [
    "an alias of a version that is not there, with weights of more than 1",
    FUNCTION.replace(
      /spec: .*/,
      "spec: { http: { url: 'http://h/' }, versions: { 2: {} }, aliases: { live: { version: 3, weights: { 2: 0.9, 4: 0.2 } } } }",
    ),
    "m.yaml:4:49: Function orders, spec.versions.2: The version has no target. Give exactly one of http: { url }, lambda: { functionName }, module: { path } and code: FOLDER with its runtime.",
    "m.yaml:4:86: Function orders, spec.aliases.live.version: The function has no version 3. Give one of $LATEST, 2, or add it to versions.",
    "m.yaml:4:98: Function orders, spec.aliases.live.weights: The weights add up to more than 1. Lower them.",
    "m.yaml:4:108: Function orders, spec.aliases.live.weights.4: The function has no version 4. Give one of $LATEST, 2, or add it to versions.",
  ],
  [
    "a mapping of an alias that its function does not have",
    withMapping()
      .replace(/spec: .*/, "spec: { http: { url: 'http://h/' }, aliases: { live: { version: $LATEST } } }")
      .replace("functionName: orders", "functionName: orders:canary"),
    `m.yaml:10:17: ${M}.functionName: Function does not exist: orders has no version or alias canary. Give one of $LATEST, live behind the colon.`,
  ],
  [
    "a name with a space",
    FUNCTION.replace("name: orders", 'name: "or ders"'),
    "m.yaml:3:19: Function or ders, metadata.name: The text 'or ders' does not have the form of this field. Give a text. Name of the resource, unique among its kind: 1 to 64 letters, digits, - and _, with a letter or digit at both ends. A mapping's name is the `mapping` label of its metrics.",
  ],
  [
    "two functions of one name",
    `${FUNCTION}---\n${FUNCTION}`,
    "m.yaml:8:19: Function orders, metadata.name: There is another Function of this name at m.yaml:3. Rename or remove one of them.",
  ],
  [
    "a source and function twice",
    `${withMapping("  uuid: 11111111-2222-4333-8444-555555555555")}---\n${withMapping()
      .slice(FUNCTION.length + 4)
      .replace("orders-stream", "again")}`,
    `m.yaml:21:19: EventSourceMapping again, spec.eventSourceArn: The event source arn (" ${SOURCE_ARN} ") and function (" orders ") provided mapping already exists. Please update or delete the existing mapping with UUID 11111111-2222-4333-8444-555555555555. Remove one of the two mappings.`,
  ],
  [
    "an enrichment that there is not, with a template of what there is not",
    withMapping(
      "  enrichment: oders\n  enrichmentParameters: { inputTemplate: '{ <$.a>: 1 }' }\n  targetParameters:\n    inputTemplate: hello <aws.pipes.name>",
    ),
    `m.yaml:13:15: ${M}.enrichment: Function does not exist. Did you mean orders? Add a manifest of kind Function with metadata.name oders.`,
    `m.yaml:14:42: ${M}.enrichmentParameters.inputTemplate: The template is no JSON where its placeholders hold values. Begin a text without a brace, bracket or quotation mark, or correct the JSON.`,
    `m.yaml:16:20: ${M}.targetParameters.inputTemplate: The template names <aws.pipes.name>, which there is not. Give one of <aws.pipes.pipe-arn>, <aws.pipes.pipe-name>, <aws.pipes.source-arn>, <aws.pipes.enrichment-arn>, <aws.pipes.target-arn>, <aws.pipes.event.ingestion-time>, <aws.pipes.event>, <aws.pipes.event.json>.`,
  ],
  [
    "parameters of an enrichment that there is not, and templates beside windows",
    withMapping(
      "  tumblingWindowInSeconds: 10\n  enrichmentParameters: { inputTemplate: a }\n  targetParameters: { inputTemplate: b }",
    ),
    `m.yaml:14:3: ${M}.enrichmentParameters: Enrichment and templates cannot be used when tumbling window period is configured. Remove the field or tumblingWindowInSeconds.`,
    `m.yaml:14:3: ${M}.enrichmentParameters: There is no enrichment that these parameters are for. Give enrichment: FUNCTION, or name the template under targetParameters.`,
  ],
  [
    "settings of a queue on a stream",
    withMapping("  provisionedPollerConfig: { minimumPollers: 2 }\n  strictAwsFifo: true"),
    `m.yaml:13:3: ${M}.provisionedPollerConfig: Unsupported ProvisionedPollerConfig parameter for given event source mapping type. Remove the field: it is for queues.`,
    `m.yaml:14:3: ${M}.strictAwsFifo: Unsupported StrictAwsFifo parameter for given event source mapping type. Remove the field: it is for queues.`,
  ],
  [
    "fair lanes of a stream",
    withMapping("  tenant: { by: /data/tenant }"),
    `m.yaml:13:3: ${M}.tenant: Unsupported Tenant parameter for given event source mapping type. Remove the field: it is for queues.`,
  ],
  [
    "fair lanes of a FIFO queue",
    withQueueMapping("  tenant: { by: messageGroupId }", `${QUEUE_ARN}.fifo`),
    `m.yaml:12:3: ${Q}.tenant: Fair lanes are for queues without order, and this queue is of the FIFO type. Remove the field: groups of a FIFO queue do not wait for each other.`,
  ],
  [
    "fair lanes by what is no pointer, and a weight of nothing",
    withQueueMapping("  tenant: { by: body.tenant, weights: { gold: 0 } }"),
    `m.yaml:12:17: ${Q}.tenant.by: The text 'body.tenant' does not have the form of this field. Give a text of at most 256 characters. Whose a message is: messageGroupId, or a JSON pointer into what filter patterns see of it, such as /body/tenantId. Messages without it share one place.`,
    `m.yaml:12:47: ${Q}.tenant.weights.gold: ${AWS} '0' at 'tenant.weights.gold' failed to satisfy constraint: Member must have value greater than or equal to 1. Give a whole number from 1 to 100.`,
  ],
  [
    "settings of a stream on a queue",
    withQueueMapping("  startingPosition: LATEST\n  maximumRetryAttempts: 2\n  destinationConfig: {}"),
    `m.yaml:12:3: ${Q}.startingPosition: ${unsupported("StartingPosition")} Remove the field: it is for streams.`,
    `m.yaml:13:3: ${Q}.maximumRetryAttempts: ${unsupported("MaximumRetryAttempts")} Remove the field: it is for streams.`,
    `m.yaml:14:3: ${Q}.destinationConfig: ${unsupported("DestinationConfig")} Remove the field: the queue's own redrive policy says where messages go that fail too often.`,
  ],
  [
    "a large batch of a queue without a window",
    withQueueMapping("  batchSize: 11"),
    `m.yaml:12:14: ${Q}.batchSize: Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10. Give maximumBatchingWindowInSeconds, or a batchSize of at most 10.`,
  ],
  [
    "a large batch and a window of a FIFO queue",
    withQueueMapping("  batchSize: 11\n  maximumBatchingWindowInSeconds: 1", `${QUEUE_ARN}.fifo`),
    `m.yaml:12:14: ${Q}.batchSize: ${AWS} '11' at 'batchSize' failed to satisfy constraint: Member must have value less than or equal to 10. Give at most 10: the queue is of the FIFO type.`,
    `m.yaml:13:3: ${Q}.maximumBatchingWindowInSeconds: ${unsupported("MaximumBatchingWindowInSeconds")} Remove the field: the queue is of the FIFO type.`,
  ],
  [
    "a concurrency of 1",
    withQueueMapping("  scalingConfig: { maximumConcurrency: 1 }"),
    `m.yaml:12:40: ${Q}.scalingConfig.maximumConcurrency: ${AWS} '1' at 'scalingConfig.maximumConcurrency' failed to satisfy constraint: Member must have value greater than or equal to 2. Give a whole number from 2 to 1000. Most batches of the queue that run at once. Left out: AWS's 1250.`,
  ],
  [
    "more pollers at least than at most, beside a concurrency",
    withQueueMapping(
      "  scalingConfig: { maximumConcurrency: 5 }\n  provisionedPollerConfig: { minimumPollers: 5, maximumPollers: 4 }",
    ),
    `m.yaml:13:3: ${Q}.provisionedPollerConfig: ScalingConfig cannot be used together with ProvisionedPollerConfig. Remove one of the two.`,
    `m.yaml:13:3: ${Q}.provisionedPollerConfig: There cannot be at least 5 and at most 4 pollers. Give a maximumPollers that is not below minimumPollers.`,
  ],
  [
    "a filter pattern of a queue that is a text",
    withQueueMapping(`  filterCriteria: { filters: [{ pattern: '{"body":"x"}' }] }`),
    `m.yaml:12:42: ${Q}.filterCriteria.filters[0].pattern: Invalid filter pattern definition. Filter pattern is not valid at body: "body" must be an object or an array. Correct the pattern; \`millrace test-pattern\` tries one against an event.`,
  ],
  [
    "a queue and function twice",
    `${withQueueMapping("  uuid: 11111111-2222-4333-8444-555555555555")}---\n${withQueueMapping()
      .slice(FUNCTION.length + 4)
      .replace("orders-queue", "again")}`,
    `m.yaml:19:19: EventSourceMapping again, spec.eventSourceArn: An event source mapping with SQS arn (" ${QUEUE_ARN} ") and function (" orders ") already exists. Please update or delete the existing mapping with UUID 11111111-2222-4333-8444-555555555555. Remove one of the two mappings.`,
  ],
  [
    "prototype keys",
    withMapping("  __proto__: { enabled: false }\n  constructor: 1"),
    "m.yaml:13:3: The name __proto__ cannot be used. Remove it.",
  ],
  [
    "keys of Object.prototype",
    withMapping("  constructor: 1\n  endpoints: { toString: [x] }").replace(
      / {2}endpoints: \{ LOCAL.*\n/,
      "",
    ),
    `m.yaml:13:3: ${M}.constructor: There is no field "constructor". Fields here are: functionName, eventSourceArn, selfManagedEventSource, topics, sourceAccessConfigurations, amazonManagedKafkaEventSourceConfig, selfManagedKafkaEventSourceConfig, enabled, startingPosition, startingPositionTimestamp, batchSize, maximumBatchingWindowInSeconds, parallelizationFactor, maximumRetryAttempts, maximumRecordAgeInSeconds, bisectBatchOnFunctionError, functionResponseTypes, tumblingWindowInSeconds, filterCriteria, enrichment, enrichmentParameters, targetParameters, destinationConfig, scalingConfig, provisionedPollerConfig, tenant, strictAwsFifo, endpoints, uuid, tags.`,
    `m.yaml:14:3: ${M}.endpoints: The source local needs the endpoint LOCAL_FILE, which is missing. Give endpoints: { LOCAL_FILE: [ … ] }.`,
    `m.yaml:14:16: ${M}.endpoints.toString: The source local has no endpoint "toString". Remove it.`,
  ],
  [
    "an empty file",
    "# nothing\n",
    "m.yaml: There is no resource in the manifests. Add a Function and an EventSourceMapping.",
  ],
];

for (const [name, text, ...problems] of SLIPS) {
  test(`says of ${name} where it is, what it is and what to do`, (t) => {
    assert.deepEqual(problemsOf(t, text), problems);
  });
}
