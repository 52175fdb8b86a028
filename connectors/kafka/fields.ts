import type { FieldSchema } from "../../src/model/field-schema.ts";
import { SOURCE_ACCESS_FIELD } from "../../src/secrets/source-access.ts";

const text = (maxLength?: number): FieldSchema => ({
  type: "string",
  minLength: 1,
  ...(maxLength === undefined ? {} : { maxLength }),
});

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
    properties: { consumerGroupId },
    description: `Kafka only: settings of ${cluster}.`,
  };
}
