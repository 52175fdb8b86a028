import type { StreamMapping } from "../../src/model/mapping.ts";
import type { ShownSettings } from "../../src/ports/connector-parameters.ts";
import { parseSecretUri } from "../../src/secrets/secret-uri.ts";

/** AWS's name for the addresses of a Kafka cluster. */
export const BOOTSTRAP_SERVERS = "KAFKA_BOOTSTRAP_SERVERS";

/** What a mapping of a topic has beyond one of a stream (kafka §1): its shards are the topic's partitions. */
export interface KafkaSettings {
  readonly topic: string;
  /** `host:port`, at least one: where the cluster is found, and what events show of it. */
  readonly bootstrapServers: readonly string[];
  /** 1…200 characters. */
  readonly consumerGroupId: string;
  /** In the order of the manifest; the kinds that concern networks of AWS are left out. */
  readonly access: readonly SourceAccess[];
}

/** Where a topic is, and how it is reached. */
export type TopicPlace = KafkaSettings & Pick<StreamMapping, "eventSourceArn">;

/**
 * One of `sourceAccessConfigurations` (kafka §6): what a secret is for and where it stands, never the secret itself.
 */
export interface SourceAccess {
  readonly type: TopicAccessType;
  /** `file:` with an absolute path, `env:` with the name of an environment variable, or the ARN of a secret. */
  readonly uri: string;
}

export const TOPIC_ACCESS_TYPES = [
  /** SASL/PLAIN. */
  "BASIC_AUTH",
  "SASL_SCRAM_256_AUTH",
  "SASL_SCRAM_512_AUTH",
  "CLIENT_CERTIFICATE_TLS_AUTH",
  "SERVER_ROOT_CA_CERTIFICATE",
] as const;

export type TopicAccessType = (typeof TOPIC_ACCESS_TYPES)[number];

/** The fields as their schema has checked them. */
interface Fields {
  readonly selfManagedEventSource?: { readonly endpoints: Readonly<Record<string, readonly string[]>> };
  readonly topics?: readonly string[];
  readonly sourceAccessConfigurations?: readonly { readonly type: string; readonly uri: string }[];
  readonly amazonManagedKafkaEventSourceConfig?: { readonly consumerGroupId?: string };
  readonly selfManagedKafkaEventSourceConfig?: { readonly consumerGroupId?: string };
}

/** Settings of a mapping that has passed all checks. */
export function kafkaSettings(
  { uuid }: Pick<StreamMapping, "uuid">,
  { own = {}, endpoints = {}, folder = process.cwd() }: ShownSettings,
): KafkaSettings {
  const fields = own as Fields;
  const servers = fields.selfManagedEventSource?.endpoints ?? endpoints;
  const config = fields.selfManagedKafkaEventSourceConfig ?? fields.amazonManagedKafkaEventSourceConfig;
  return {
    topic: fields.topics?.[0] ?? "",
    bootstrapServers: servers[BOOTSTRAP_SERVERS] ?? [],
    consumerGroupId: config?.consumerGroupId ?? uuid,
    access: (fields.sourceAccessConfigurations ?? []).flatMap((entry) => sourceAccess(entry, folder)),
  };
}

function sourceAccess(
  { type, uri }: { readonly type: string; readonly uri: string },
  folder: string,
): SourceAccess[] {
  const known = TOPIC_ACCESS_TYPES.find((each) => each === type);
  const secret = parseSecretUri(uri, folder);
  return known === undefined || secret.kind === "fault" ? [] : [{ type: known, uri: secret.uri }];
}
