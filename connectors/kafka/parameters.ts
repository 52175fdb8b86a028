import type { ConnectorParameters } from "../../src/ports/connector-parameters.ts";
import { checkKafkaMapping, KAFKA_TEXTS } from "./checks.ts";
import { kafkaClaims } from "./claims.ts";
import { FIELDS } from "./fields.ts";
import { BOOTSTRAP_SERVERS, kafkaSettings } from "./settings.ts";
import { destinationTopic, TOPIC_FORM } from "./topic-address.ts";

/** What mappings of Kafka topics have that others have not (kafka §1). */
export const kafkaParameters: ConnectorParameters = {
  title: "Kafka",
  sourceNoun: "Kafka topics",
  filterDataPattern: "any",
  fields: FIELDS,
  refuses: ["tumblingWindowInSeconds", "scalingConfig", "tenant", "strictAwsFifo"],
  takes: ["provisionedPollerConfig"],
  notes: {
    startingPosition: "Kafka: the oldest record is the default.",
    maximumBatchingWindowInSeconds: "Kafka: half a second is the default.",
    maximumRetryAttempts: "Kafka: 10 with a failure destination, unless it is given.",
    tumblingWindowInSeconds: "Kafka has none.",
    destinationConfig:
      "Kafka: the destination may also be kafka://TOPIC, a topic of the same cluster, which gets a message for each record.",
    provisionedPollerConfig:
      "Kafka accepts it, with at least 1 as default, and needs none: each partition has a reader of its own, and parallelizationFactor says how many of its batches run at once.",
    endpoints: "An MSK cluster: KAFKA_BOOTSTRAP_SERVERS.",
  },
  // The consumer group stands in the two configs; a schema registry is changed in a manifest.
  immutable: [
    "topics",
    "selfManagedEventSource",
    "selfManagedKafkaEventSourceConfig",
    "amazonManagedKafkaEventSourceConfig",
  ],
  // Nothing in it says that there is no login.
  keptEmpty: ["sourceAccessConfigurations"],
  defaults: {
    startingPosition: "TRIM_HORIZON",
    batchingWindowMs: 500,
    // Without a bound nothing would ever go to the destination that was named (kafka §4).
    retryAttemptsWithDestination: 10,
    pollers: { minimum: 1, maximum: 200 },
  },
  functionTimeoutSecondsMax: 840,
  destination: {
    scheme: "kafka",
    form: TOPIC_FORM,
    pattern: "kafka://([^.]([a-zA-Z0-9\\-_.]{0,248}))",
    problemOf: (text) => (destinationTopic(text) === undefined ? "The text names no topic" : undefined),
    foreign: "A kafka:// destination is a topic of the cluster that a mapping reads, and this one reads none",
  },
  stateReason: "USER_INITIATED",
  isUnseen: true,
  keepsProgress: true,
  shown(mapping, settings) {
    const { topic, bootstrapServers, consumerGroupId } = kafkaSettings(mapping, settings);
    const { sourceAccessConfigurations = [], ...own } = settings.own ?? {};
    const isOwn = mapping.eventSourceArn === undefined;
    const config = isOwn ? "selfManagedKafkaEventSourceConfig" : "amazonManagedKafkaEventSourceConfig";
    return {
      topics: [topic],
      sourceAccessConfigurations,
      [config]: { ...(own[config] ?? {}), consumerGroupId },
      ...(isOwn ? { selfManagedEventSource: { endpoints: { [BOOTSTRAP_SERVERS]: bootstrapServers } } } : {}),
    };
  },
  sourceName: (settings) => `topic ${kafkaSettings({ uuid: "" }, settings).topic}`,
  check: checkKafkaMapping,
  claims: kafkaClaims,
  texts: KAFKA_TEXTS,
  templateEvents: {
    MSK: {
      moved: {
        Stream: ["eventSourceArn"],
        ConsumerGroupId: ["amazonManagedKafkaEventSourceConfig", "consumerGroupId"],
        SchemaRegistryConfig: ["amazonManagedKafkaEventSourceConfig", "schemaRegistryConfig"],
      },
    },
    SelfManagedKafka: {
      moved: {
        KafkaBootstrapServers: ["selfManagedEventSource", "endpoints", BOOTSTRAP_SERVERS],
        ConsumerGroupId: ["selfManagedKafkaEventSourceConfig", "consumerGroupId"],
        SchemaRegistryConfig: ["selfManagedKafkaEventSourceConfig", "schemaRegistryConfig"],
      },
    },
  },
};
