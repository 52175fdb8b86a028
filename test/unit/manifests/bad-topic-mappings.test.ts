import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CLUSTER_ARN,
  FUNCTION,
  problemsOf,
  withMapping,
  withMskMapping,
  withTopicMapping,
} from "./manifest-samples.ts";

const T = "EventSourceMapping orders-topic, spec";
const AWS = "1 validation error detected: Value";
const unsupported = (name: string) => `Unsupported ${name} parameter for given event source mapping type.`;
const SECRET_REMEDY =
  "Write the secret, as the JSON that AWS's secret would hold, into a file or an environment variable, and give file:PATH or env:NAME, or give the secret's ARN.";

const EVENT_PLACES =
  "Give kafka://HOST:PORT/TOPIC, or arn:aws:lambda:REGION:ACCOUNT:function:NAME, arn:aws:events:REGION:ACCOUNT:event-bus/NAME or an http or https URL.";

function withAccess(...entries: string[]): string {
  return withTopicMapping("", `  sourceAccessConfigurations: [${entries.join(", ")}]`);
}

/** What a person wrote, and what they read: each row one slip. */
const SLIPS: readonly (readonly [name: string, text: string, ...problems: string[]])[] = [
  [
    "no source",
    withMapping().replace(/ {2}eventSourceArn: .*\n/, ""),
    "m.yaml:9:1: EventSourceMapping orders-stream, spec: Unrecognized event source. Give eventSourceArn. Sources here are: arn:aws:kafka:REGION:ACCOUNT:cluster/…, selfManagedEventSource: { endpoints: { KAFKA_BOOTSTRAP_SERVERS: [ … ] } }, arn:aws:local:REGION:ACCOUNT:…, arn:aws:sqs:REGION:ACCOUNT:….",
  ],
  [
    "an ARN beside the endpoints of a self-managed cluster",
    withTopicMapping("  eventSourceArn: x"),
    `m.yaml:11:3: ${T}.selfManagedEventSource: A mapping has an eventSourceArn or a selfManagedEventSource, not both. Remove one of the two; the servers of a cluster with an ARN stand in endpoints: { KAFKA_BOOTSTRAP_SERVERS: [ … ] }.`,
    `m.yaml:17:19: ${T}.eventSourceArn: Unrecognized event source. The text is not an ARN. Sources here are: arn:aws:kafka:REGION:ACCOUNT:cluster/…, selfManagedEventSource: { endpoints: { KAFKA_BOOTSTRAP_SERVERS: [ … ] } }, arn:aws:local:REGION:ACCOUNT:…, arn:aws:sqs:REGION:ACCOUNT:….`,
  ],
  [
    "endpoints of a kind that nobody reads",
    withTopicMapping().replace("KAFKA_BOOTSTRAP_SERVERS", "KAFKA_SERVERS"),
    `m.yaml:11:3: ${T}.selfManagedEventSource: Unrecognized event source. This version has no connector for endpoints of the kind "KAFKA_SERVERS". Sources here are: arn:aws:kafka:REGION:ACCOUNT:cluster/…, selfManagedEventSource: { endpoints: { KAFKA_BOOTSTRAP_SERVERS: [ … ] } }, arn:aws:local:REGION:ACCOUNT:…, arn:aws:sqs:REGION:ACCOUNT:….`,
  ],
  [
    "a self-managed cluster without sourceAccessConfigurations",
    withTopicMapping("", ""),
    `m.yaml:9:1: ${T}: Required 'sourceAccessConfigurations' parameter is missing. Give how to log in, or an empty list for a cluster without TLS and login.`,
  ],
  [
    "no topic",
    withTopicMapping().replace("  topics: [orders]\n", ""),
    `m.yaml:9:1: ${T}: The mapping names no topic. Give topics: [ TOPIC ].`,
  ],
  [
    "two topics",
    withTopicMapping().replace("[orders]", "[orders, returns]"),
    `m.yaml:14:11: ${T}.topics: ${AWS} '[orders, returns]' at 'topics' failed to satisfy constraint: Member must have length less than or equal to 1. Give a list of at most 1 entry. Kafka only, and required there. The topic to read, exactly one.`,
  ],
  [
    "a topic with a slash",
    withTopicMapping().replace("[orders]", "[a/b]"),
    `m.yaml:14:12: ${T}.topics[0]: The text is not the name of a topic. Give letters, digits, dots, - and _, without a dot in front.`,
  ],
  [
    "a broker with a scheme and a login",
    withTopicMapping().replace("kafka-1:9092", "'kafka://me:secret@kafka-1:9092'"),
    `m.yaml:13:33: ${T}.selfManagedEventSource.endpoints.KAFKA_BOOTSTRAP_SERVERS[0]: The text is not the address of a broker. Give HOST:PORT, for example broker-1.example.com:9094, without a scheme or a login.`,
  ],
  [
    "a broker without a port, of an MSK cluster",
    withMskMapping("", "[b-1.orders]"),
    `m.yaml:12:42: ${T}.endpoints.KAFKA_BOOTSTRAP_SERVERS[0]: The text is not the address of a broker. Give HOST:PORT, for example broker-1.example.com:9094, without a scheme or a login.`,
  ],
  [
    "an MSK cluster without its servers",
    withMskMapping().replace(/ {2}endpoints: .*\n/, ""),
    `m.yaml:9:1: ${T}: The source kafka needs the endpoint KAFKA_BOOTSTRAP_SERVERS, which is missing. Give endpoints: { KAFKA_BOOTSTRAP_SERVERS: [ … ] }.`,
  ],
  [
    "a time to begin at without the position that it is for",
    withTopicMapping("  startingPositionTimestamp: 1").replace("  startingPosition: TRIM_HORIZON\n", ""),
    `m.yaml:16:3: ${T}.startingPositionTimestamp: Timestamp only valid with StartingPosition AT_TIMESTAMP. Remove the field, or set startingPosition: AT_TIMESTAMP.`,
  ],
  [
    "an address of IPv6 without brackets",
    withTopicMapping().replace("kafka-1:9092", "'::1:9092'"),
    `m.yaml:13:33: ${T}.selfManagedEventSource.endpoints.KAFKA_BOOTSTRAP_SERVERS[0]: The text is not the address of a broker. Give HOST:PORT, for example broker-1.example.com:9094, without a scheme or a login.`,
  ],
  [
    "brackets around what is no address of IPv6",
    withTopicMapping().replace("kafka-1:9092", "'[1:2]:9092'"),
    `m.yaml:13:33: ${T}.selfManagedEventSource.endpoints.KAFKA_BOOTSTRAP_SERVERS[0]: The text is not the address of a broker. Give HOST:PORT, for example broker-1.example.com:9094, without a scheme or a login.`,
  ],
  [
    "settings of other sources",
    withTopicMapping(
      "  tumblingWindowInSeconds: 60\n  scalingConfig: { maximumConcurrency: 5 }\n  strictAwsFifo: true\n  endpoints: { A: [b] }",
    ),
    `m.yaml:17:3: ${T}.tumblingWindowInSeconds: ${unsupported("TumblingWindowInSeconds")} Remove the field: Kafka mappings have none.`,
    `m.yaml:18:3: ${T}.scalingConfig: ${unsupported("ScalingConfig")} Remove the field: Kafka mappings have none.`,
    `m.yaml:19:3: ${T}.strictAwsFifo: ${unsupported("StrictAwsFifo")} Remove the field: Kafka mappings have none.`,
    `m.yaml:20:3: ${T}.endpoints: A self-managed source has its endpoints in selfManagedEventSource. Remove the field.`,
    `m.yaml:20:16: ${T}.endpoints.A: The source kafka has no endpoint "A". Remove it.`,
  ],
  [
    "settings of Kafka on another source",
    withMapping("  topics: [orders]\n  selfManagedKafkaEventSourceConfig: { consumerGroupId: a }"),
    `m.yaml:13:3: EventSourceMapping orders-stream, spec.topics: ${unsupported("Topics")} Remove the field: it is for Kafka topics.`,
    `m.yaml:14:3: EventSourceMapping orders-stream, spec.selfManagedKafkaEventSourceConfig: ${unsupported("SelfManagedKafkaEventSourceConfig")} Remove the field: it is for Kafka topics.`,
  ],
  [
    "the config of the other kind of cluster, and a group that is none",
    withTopicMapping(
      "  amazonManagedKafkaEventSourceConfig: { consumerGroupId: a }\n  selfManagedKafkaEventSourceConfig: { consumerGroupId: 'a?' }",
    ),
    `m.yaml:17:3: ${T}.amazonManagedKafkaEventSourceConfig: ${unsupported("AmazonManagedKafkaEventSourceConfig")} Use selfManagedKafkaEventSourceConfig.`,
    `m.yaml:18:57: ${T}.selfManagedKafkaEventSourceConfig.consumerGroupId: The text is not the name of a consumer group. Give letters, digits, spaces and - / * : _ + = . @.`,
  ],
  [
    "an ARN that is no secret's",
    withAccess("{ type: BASIC_AUTH, uri: 'arn:aws:ssm:eu-west-1:123456789012:parameter/kafka' }"),
    `m.yaml:16:57: ${T}.sourceAccessConfigurations[0].uri: The text does not say where the secret stands. ${SECRET_REMEDY}`,
  ],
  [
    "a secret itself in place of where it stands, without repeating it",
    withAccess('{ type: BASIC_AUTH, uri: "hunter2" }'),
    `m.yaml:16:57: ${T}.sourceAccessConfigurations[0].uri: The text does not say where the secret stands. ${SECRET_REMEDY}`,
  ],
  [
    "a long secret itself, without repeating it",
    withAccess(`{ type: BASIC_AUTH, uri: ${"s".repeat(300)} }`),
    `m.yaml:16:57: ${T}.sourceAccessConfigurations[0].uri: The text has more than 200 characters. ${SECRET_REMEDY}`,
  ],
  [
    "two ways to log in",
    withAccess("{ type: BASIC_AUTH, uri: 'env:A' }", "{ type: SASL_SCRAM_512_AUTH, uri: 'env:B' }"),
    `m.yaml:16:76: ${T}.sourceAccessConfigurations[1].type: There is BASIC_AUTH already. Give one way to log in, and one certificate authority.`,
  ],
  [
    "SASL/PLAIN on MSK",
    withMskMapping("  sourceAccessConfigurations: [{ type: BASIC_AUTH, uri: 'env:A' }]"),
    `m.yaml:15:40: ${T}.sourceAccessConfigurations[0].type: Amazon MSK has no BASIC_AUTH. Give SASL_SCRAM_512_AUTH or CLIENT_CERTIFICATE_TLS_AUTH, or none of them and the servers of IAM, on port 9098.`,
  ],
  [
    "IAM as an entry on MSK, where its servers say it",
    withMskMapping("  sourceAccessConfigurations: [{ type: IAM_AUTH }]"),
    `m.yaml:15:40: ${T}.sourceAccessConfigurations[0].type: Amazon MSK has no IAM_AUTH. Give SASL_SCRAM_512_AUTH or CLIENT_CERTIFICATE_TLS_AUTH, or none of them and the servers of IAM, on port 9098.`,
  ],
  [
    "a login without its secret",
    withAccess("{ type: OAUTHBEARER_AUTH }"),
    `m.yaml:16:32: ${T}.sourceAccessConfigurations[0]: OAUTHBEARER_AUTH has no uri. Give uri: where the secret stands, or the value itself where the type has one.`,
  ],
  [
    "a secret for IAM, which has none",
    withAccess("{ type: IAM_AUTH, uri: 'env:A' }"),
    `m.yaml:16:50: ${T}.sourceAccessConfigurations[0].uri: IAM_AUTH has no uri: the AWS credentials of this process log in. Remove the uri.`,
  ],
  [
    "a scope without a login that has one",
    withAccess("{ type: OAUTHBEARER_SCOPE, uri: 'read' }", "{ type: BASIC_AUTH, uri: 'env:B' }"),
    `m.yaml:16:40: ${T}.sourceAccessConfigurations[0].type: OAUTHBEARER_SCOPE needs OAUTHBEARER_AUTH, which is missing. Give OAUTHBEARER_AUTH, or remove it.`,
  ],
  [
    "a scope that would be a second member of the login",
    withAccess('{ type: OAUTHBEARER_SCOPE, uri: "a\\x01b" }', "{ type: OAUTHBEARER_AUTH, uri: 'env:B' }"),
    `m.yaml:16:64: ${T}.sourceAccessConfigurations[0].uri: OAUTHBEARER_SCOPE is the value itself, of 1 to 200 printable characters. Give the value, not where a secret stands.`,
  ],
  [
    "a web identity token for nobody",
    withAccess("{ type: IAM_OAUTHBEARER_AUTH }"),
    `m.yaml:16:40: ${T}.sourceAccessConfigurations[0].type: IAM_OAUTHBEARER_AUTH needs OAUTHBEARER_AUDIENCE, which is missing. Give OAUTHBEARER_AUDIENCE with the audience that the brokers expect.`,
  ],
  [
    "a kind of access that Kafka has not",
    withAccess("{ type: VIRTUAL_HOST, uri: 'env:A' }"),
    `m.yaml:16:40: ${T}.sourceAccessConfigurations[0].type: A Kafka topic has no VIRTUAL_HOST. Give one of BASIC_AUTH, SASL_SCRAM_256_AUTH, SASL_SCRAM_512_AUTH, CLIENT_CERTIFICATE_TLS_AUTH, SERVER_ROOT_CA_CERTIFICATE, OAUTHBEARER_AUTH, OAUTHBEARER_SCOPE, OAUTHBEARER_AUDIENCE, OAUTHBEARER_LOGICAL_CLUSTER, OAUTHBEARER_IDENTITY_POOL, IAM_AUTH, IAM_OAUTHBEARER_AUTH.`,
  ],
  [
    "a schema registry with a login in its URL",
    withTopicMapping(
      `  selfManagedKafkaEventSourceConfig: { schemaRegistryConfig: { schemaRegistryURI: "https://me:${"s3cret"}@r/", eventRecordFormat: JSON, schemaValidationConfigs: [{ attribute: KEY }] } }`,
    ),
    `m.yaml:17:83: ${T}.selfManagedKafkaEventSourceConfig.schemaRegistryConfig.schemaRegistryURI: The text is neither the URL of a schema registry nor the ARN of one of AWS Glue. Give https://HOST, without a login in it, or arn:aws:glue:REGION:ACCOUNT:registry/NAME; http:// is for this machine only.`,
  ],
  [
    "a registry of AWS Glue with a login of its own, and nothing to read by it",
    withTopicMapping(
      "  selfManagedKafkaEventSourceConfig: { schemaRegistryConfig: { schemaRegistryURI: 'arn:aws:glue:eu-west-1:123456789012:registry/r', eventRecordFormat: JSON, schemaValidationConfigs: [{ attribute: KEY }], accessConfigs: [{ type: BASIC_AUTH, uri: 'env:A' }] } }",
    ),
    `m.yaml:17:205: ${T}.selfManagedKafkaEventSourceConfig.schemaRegistryConfig.accessConfigs: A registry of AWS Glue is opened by the AWS credentials of this process. Remove accessConfigs.`,
  ],
  [
    "a schema registry that is not said to be for anything",
    withTopicMapping(
      "  selfManagedKafkaEventSourceConfig: { schemaRegistryConfig: { schemaRegistryURI: 'https://r', eventRecordFormat: JSON } }",
    ),
    `m.yaml:17:40: ${T}.selfManagedKafkaEventSourceConfig.schemaRegistryConfig: A schema registry needs schemaValidationConfigs, which is missing. Give schemaValidationConfigs.`,
  ],
  [
    "more pollers than there may be, and fewer at most than at least",
    withTopicMapping("  provisionedPollerConfig: { minimumPollers: 5, maximumPollers: 4 }"),
    `m.yaml:17:3: ${T}.provisionedPollerConfig: There cannot be at least 5 and at most 4 pollers. Give a maximumPollers that is not below minimumPollers.`,
  ],
  [
    "2,001 pollers",
    withTopicMapping("  provisionedPollerConfig: { maximumPollers: 2001 }"),
    `m.yaml:17:46: ${T}.provisionedPollerConfig.maximumPollers: ${AWS} '2001' at 'provisionedPollerConfig.maximumPollers' failed to satisfy constraint: Member must have value less than or equal to 2000. Give at most 2000: the source is a Kafka topic.`,
  ],
  [
    "failures to the topic that is read",
    withTopicMapping("  destinationConfig: { onFailure: { destination: 'kafka://orders' } }"),
    `m.yaml:17:50: ${T}.destinationConfig.onFailure.destination: The failure destination is the topic that the mapping reads. Name another topic of the cluster.`,
  ],
  [
    "failures to a topic that has no name",
    withTopicMapping("  destinationConfig: { onFailure: { destination: 'kafka://a/b' } }"),
    `m.yaml:17:50: ${T}.destinationConfig.onFailure.destination: The text names no topic. Give kafka://TOPIC.`,
  ],
  [
    "failures of another source to a topic",
    withMapping("  destinationConfig: { onFailure: { destination: 'kafka://failed' } }"),
    "m.yaml:13:50: EventSourceMapping orders-stream, spec.destinationConfig.onFailure.destination: A kafka:// destination is a topic of the cluster that a mapping reads, and this one reads none. Give file:PATH or an ARN.",
  ],
  [
    "a function that may take longer than Kafka's functions may",
    withTopicMapping().replace('9000/" } }', '9000/" }, timeoutSeconds: 841 }'),
    `m.yaml:10:17: ${T}.functionName: The function may take 841 seconds; a function that Kafka invokes may take 840. Give the function at m.yaml:3 a timeoutSeconds of at most 840.`,
  ],
  [
    "a topic and function twice, with one server in common",
    `${withTopicMapping("  uuid: 11111111-2222-4333-8444-555555555555")}---\n${withTopicMapping()
      .slice(FUNCTION.length + 4)
      .replace("orders-topic", "again")
      .replace("kafka-1:9092, ", "")}`,
    `m.yaml:27:11: EventSourceMapping again, spec.topics: An event source mapping with event source ("kafka-2:9092"), function ("arn:aws:lambda:eu-west-1:123456789012:function:orders"), topics ("orders") already exists. Please update or delete the existing mapping with UUID 11111111-2222-4333-8444-555555555555. Remove one of the two mappings.`,
  ],
  [
    "two mappings of one consumer group",
    `${withTopicMapping("  selfManagedKafkaEventSourceConfig: { consumerGroupId: one }")}---\n${withTopicMapping(
      "  selfManagedKafkaEventSourceConfig: { consumerGroupId: one }",
    )
      .slice(FUNCTION.length + 4)
      .replace("orders-topic", "again")
      .replace("[orders]", "[returns]")}`,
    `m.yaml:30:57: EventSourceMapping again, spec.selfManagedKafkaEventSourceConfig.consumerGroupId: The mapping at m.yaml:8 has the same consumer group. Give each mapping a consumerGroupId of its own, or leave the field out.`,
  ],
  [
    "ends of asynchronous events told to a topic without a cluster, and a login that is a secret itself",
    FUNCTION.replace(
      "spec: {",
      `spec: {
  deadLetterConfig: { targetArn: "kafka://lost" },
  eventInvokeConfig: { destinationConfig: { onFailure: { destination: "kafka://b:9092/lost?BASIC_AUTH=hunter2" } } },`,
    ),
    `m.yaml:5:34: Function orders, spec.deadLetterConfig.targetArn: The text names no brokers or no topic. ${EVENT_PLACES}`,
    `m.yaml:6:71: Function orders, spec.eventInvokeConfig.destinationConfig.onFailure.destination: The text does not say where the secret stands. ${EVENT_PLACES}`,
  ],
  [
    "an ARN of the service that names no cluster",
    withMskMapping().replace(CLUSTER_ARN, "arn:aws:kafka:sa-east-1:123456789012:topic/orders"),
    `m.yaml:11:19: ${T}.eventSourceArn: Unrecognized event source. This version has no connector for this resource of the service kafka. Sources here are: arn:aws:kafka:REGION:ACCOUNT:cluster/…, selfManagedEventSource: { endpoints: { KAFKA_BOOTSTRAP_SERVERS: [ … ] } }, arn:aws:local:REGION:ACCOUNT:…, arn:aws:sqs:REGION:ACCOUNT:….`,
  ],
];

for (const [name, text, ...problems] of SLIPS) {
  test(`says of ${name} where it is, what it is and what to do`, (t) => {
    assert.deepEqual(problemsOf(t, text), problems);
  });
}
