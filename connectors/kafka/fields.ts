import type { FieldSchema } from "../../src/model/field-schema.ts";
import { SOURCE_ACCESS_FIELD } from "../../src/secrets/source-access.ts";

const text = (maxLength?: number): FieldSchema => ({
  type: "string",
  minLength: 1,
  ...(maxLength === undefined ? {} : { maxLength }),
});

/** Which schemas records are read by (kafka §8). */
const SCHEMA_REGISTRY: FieldSchema = {
  type: "object",
  properties: {
    schemaRegistryURI: {
      ...text(10_000),
      description:
        "The URL of a registry of Confluent's API (https://…), or the ARN of a registry of AWS Glue.",
    },
    eventRecordFormat: {
      type: "string",
      enum: ["JSON", "SOURCE"],
      description:
        "What the event has of key and value, in base64: JSON of what was read, or what was written without the registry's frame. Filter patterns see what was read.",
    },
    schemaValidationConfigs: {
      type: "array",
      minItems: 1,
      maxItems: 2,
      items: {
        type: "object",
        properties: {
          attribute: {
            type: "string",
            enum: ["KEY", "VALUE"],
            description: "The key or the value of records.",
          },
        },
        required: ["attribute"],
      },
      description: "Which of key and value are read by their schemas; the other is handed on as it is.",
    },
    accessConfigs: {
      type: "array",
      maxItems: 3,
      items: {
        type: "object",
        properties: {
          type: {
            type: "string",
            enum: [
              "BASIC_AUTH",
              "CLIENT_CERTIFICATE_TLS_AUTH",
              "SERVER_ROOT_CA_CERTIFICATE",
              "OAUTHBEARER_AUTH",
            ],
            description:
              "What it is for: a user and password, a client certificate, the certificate authority of the registry, or OAuth 2.0.",
          },
          uri: {
            type: "string",
            minLength: 1,
            "x-millrace-secret": true,
            description: "Where the secret stands, as in sourceAccessConfigurations.",
          },
        },
        required: ["type", "uri"],
      },
      description: "How to log in to a registry of Confluent's API, and whom to trust.",
    },
  },
  description:
    "A schema registry: records in Avro, Protobuf and JSON Schema are checked and read by the schema that they name. A record that is not of its schema is given up alone; while the registry does not answer, records wait.",
};

/** Fields of mappings of Kafka topics (kafka §1). */
export const FIELDS: Readonly<Record<string, FieldSchema>> = {
  selfManagedEventSource: {
    type: "object",
    properties: {
      endpoints: {
        type: "object",
        additionalProperties: { type: "array", items: text(300), minItems: 1, maxItems: 10 },
        description:
          "Addresses by AWS's name for their kind: KAFKA_BOOTSTRAP_SERVERS with 1 to 10 times HOST:PORT.",
      },
    },
    required: ["endpoints"],
    description: "A source that has no ARN, in place of eventSourceArn: a Kafka cluster of your own.",
  },
  topics: {
    type: "array",
    items: text(249),
    minItems: 1,
    maxItems: 1,
    description: "Kafka only, and required there. The topic to read, exactly one.",
  },
  sourceAccessConfigurations: SOURCE_ACCESS_FIELD,
  amazonManagedKafkaEventSourceConfig: groupConfig("an MSK cluster"),
  selfManagedKafkaEventSourceConfig: groupConfig("a self-managed cluster"),
};

function groupConfig(cluster: string): FieldSchema {
  const consumerGroupId: FieldSchema = {
    ...text(200),
    description:
      "The consumer group under which offsets are kept, of its own for each mapping. Where the group has committed offsets, they win over startingPosition. Default: the uuid of the mapping.",
  };
  return {
    type: "object",
    properties: { consumerGroupId, schemaRegistryConfig: SCHEMA_REGISTRY },
    description: `Kafka only: settings of ${cluster}.`,
  };
}
