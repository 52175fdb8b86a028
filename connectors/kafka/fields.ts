import type { FieldSchema } from "../../src/model/field-schema.ts";
import { SOURCE_ACCESS_TYPES } from "./settings.ts";

/** AWS's types for clusters inside a VPC: a process that runs beside the cluster needs neither. */
const NETWORK_ACCESS_TYPES = ["VPC_SUBNET", "VPC_SECURITY_GROUP"] as const;

const text = (maxLength?: number): FieldSchema => ({
  type: "string",
  minLength: 1,
  ...(maxLength === undefined ? {} : { maxLength }),
});

const access: FieldSchema = {
  type: "object",
  properties: {
    type: {
      type: "string",
      enum: [...SOURCE_ACCESS_TYPES, ...NETWORK_ACCESS_TYPES],
      description:
        "What it is for: SASL/PLAIN (BASIC_AUTH), SCRAM, a client certificate, or the certificate authority of the brokers. VPC_SUBNET and VPC_SECURITY_GROUP are accepted and have no effect: millrace uses the network that it runs in.",
    },
    uri: {
      ...text(),
      "x-millrace-secret": true,
      description:
        "Where the secret stands: file:PATH, relative to the folder of this file, env:NAME for an environment variable, or the ARN of a secret of AWS Secrets Manager, which stands under this ARN in the JSON file that the environment variable MILLRACE_SECRETS_FILE names. Its content is the JSON of AWS's secret: {username, password}, {certificate, privateKey, privateKeyPassword} or {certificate}.",
    },
  },
  required: ["type", "uri"],
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
  sourceAccessConfigurations: {
    type: "array",
    items: access,
    maxItems: 23,
    description:
      "Kafka only. How to log in and whom to trust. With any of them the connection is TLS, and the brokers' certificates are verified. Required for self-managed clusters: an empty list connects without TLS and without login.",
  },
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
    properties: { consumerGroupId },
    description: `Kafka only: settings of ${cluster}.`,
  };
}
