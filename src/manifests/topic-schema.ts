import { z } from "zod";
import {
  BOOTSTRAP_SERVERS_MAX,
  CONSUMER_GROUP_ID_CHARS_MAX,
  SOURCE_ACCESS_MAX,
  TOPIC_CHARS_MAX,
} from "../model/limits.ts";
import { SOURCE_ACCESS_TYPES } from "../model/mapping.ts";

/** AWS's types for clusters inside a VPC: a process that runs beside the cluster needs neither. */
const NETWORK_ACCESS_TYPES = ["VPC_SUBNET", "VPC_SECURITY_GROUP"] as const;

/** Fields of mappings of Kafka topics (kafka §1). */
export const selfManagedEventSource = z
  .strictObject({
    endpoints: z
      .record(z.string(), z.array(z.string().min(1).max(300)).min(1).max(BOOTSTRAP_SERVERS_MAX))
      .describe(
        "Addresses by AWS's name for their kind: KAFKA_BOOTSTRAP_SERVERS with 1 to 10 times HOST:PORT.",
      ),
  })
  .describe("A source that has no ARN, in place of eventSourceArn: a Kafka cluster of your own.");

export const topics = z
  .array(z.string().min(1).max(TOPIC_CHARS_MAX))
  .min(1)
  .max(1)
  .describe("Kafka only, and required there. The topic to read, exactly one.");

export const sourceAccessConfigurations = z
  .array(
    z.strictObject({
      type: z
        .enum([...SOURCE_ACCESS_TYPES, ...NETWORK_ACCESS_TYPES])
        .describe(
          "What it is for: SASL/PLAIN (BASIC_AUTH), SCRAM, a client certificate, or the certificate authority of the brokers. VPC_SUBNET and VPC_SECURITY_GROUP are accepted and have no effect: millrace uses the network that it runs in.",
        ),
      uri: z
        .string()
        .min(1)
        .describe(
          "Where the secret stands: file:PATH, relative to the folder of this file, env:NAME for an environment variable, or the ARN of a secret of AWS Secrets Manager, which stands under this ARN in the JSON file that the environment variable MILLRACE_SECRETS_FILE names. Its content is the JSON of AWS's secret: {username, password}, {certificate, privateKey, privateKeyPassword} or {certificate}.",
        ),
    }),
  )
  .max(SOURCE_ACCESS_MAX)
  .describe(
    "Kafka only. How to log in and whom to trust. With any of them the connection is TLS, and the brokers' certificates are verified. Required for self-managed clusters: an empty list connects without TLS and without login.",
  );

export const kafkaEventSourceConfig = (cluster: string) =>
  z
    .strictObject({
      consumerGroupId: z
        .string()
        .min(1)
        .max(CONSUMER_GROUP_ID_CHARS_MAX)
        .optional()
        .describe(
          "The consumer group under which offsets are kept, of its own for each mapping. Where the group has committed offsets, they win over startingPosition. Default: the uuid of the mapping.",
        ),
    })
    .describe(`Kafka only: settings of ${cluster}.`);
