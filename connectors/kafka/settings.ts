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
  /** Absent: records are handed on as they are. */
  readonly schemas?: SchemaSettings;
}

/** `schemaRegistryConfig` (kafka §8). */
export interface SchemaSettings {
  /** The URL of a registry, or the ARN of one of AWS Glue. */
  readonly registryUri: string;
  readonly format: "JSON" | "SOURCE";
  readonly attributes: readonly ("KEY" | "VALUE")[];
  readonly access: readonly SourceAccess[];
}

/** Where a topic is, and how it is reached. */
export type TopicPlace = KafkaSettings & Pick<StreamMapping, "eventSourceArn">;

/**
 * One of `sourceAccessConfigurations` (kafka §6): what a secret is for and where it stands, never the secret itself; or
 * a value that is none.
 */
export interface SourceAccess {
  readonly type: TopicAccessType;
  /**
   * `file:` with an absolute path, `env:` with the name of an environment variable, or the ARN of a secret; of
   * `PLAIN_ACCESS_TYPES` the value itself, of `IAM_ACCESS_TYPES` empty.
   */
  readonly uri: string;
}

export const SECRET_ACCESS_TYPES = [
  /** SASL/PLAIN. */
  "BASIC_AUTH",
  "SASL_SCRAM_256_AUTH",
  "SASL_SCRAM_512_AUTH",
  "CLIENT_CERTIFICATE_TLS_AUTH",
  "SERVER_ROOT_CA_CERTIFICATE",
  "OAUTHBEARER_AUTH",
] as const;
/** Said beside a login by OAuth 2.0. */
export const PLAIN_ACCESS_TYPES = [
  "OAUTHBEARER_SCOPE",
  "OAUTHBEARER_AUDIENCE",
  "OAUTHBEARER_LOGICAL_CLUSTER",
  "OAUTHBEARER_IDENTITY_POOL",
] as const;
/** The credentials of this process log in. */
export const IAM_ACCESS_TYPES = ["IAM_AUTH", "IAM_OAUTHBEARER_AUTH"] as const;
export const TOPIC_ACCESS_TYPES = [
  ...SECRET_ACCESS_TYPES,
  ...PLAIN_ACCESS_TYPES,
  ...IAM_ACCESS_TYPES,
] as const;

export type SecretAccessType = (typeof SECRET_ACCESS_TYPES)[number];
export type TopicAccessType = (typeof TOPIC_ACCESS_TYPES)[number];

/** The fields as their schema has checked them. */
interface Fields {
  readonly selfManagedEventSource?: { readonly endpoints: Readonly<Record<string, readonly string[]>> };
  readonly topics?: readonly string[];
  readonly sourceAccessConfigurations?: readonly WrittenAccess[];
  readonly amazonManagedKafkaEventSourceConfig?: SourceConfig;
  readonly selfManagedKafkaEventSourceConfig?: SourceConfig;
}

interface SourceConfig {
  readonly consumerGroupId?: string;
  readonly schemaRegistryConfig?: {
    readonly schemaRegistryURI: string;
    readonly eventRecordFormat: SchemaSettings["format"];
    readonly schemaValidationConfigs: readonly { readonly attribute: "KEY" | "VALUE" }[];
    readonly accessConfigs?: readonly WrittenAccess[];
  };
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
    ...schemaSettings(config, folder),
  };
}

function schemaSettings(config: SourceConfig | undefined, folder: string): Pick<KafkaSettings, "schemas"> {
  const { schemaRegistryConfig: registry } = config ?? {};
  if (registry === undefined || Object.keys(registry).length === 0) return {};
  const schemas = {
    registryUri: registry.schemaRegistryURI,
    format: registry.eventRecordFormat,
    attributes: registry.schemaValidationConfigs.map(({ attribute }) => attribute),
    access: (registry.accessConfigs ?? []).flatMap((entry) => sourceAccess(entry, folder)),
  };
  return { schemas };
}

interface WrittenAccess {
  readonly type: string;
  readonly uri?: string;
}

function sourceAccess({ type, uri = "" }: WrittenAccess, folder: string): SourceAccess[] {
  const known = TOPIC_ACCESS_TYPES.find((each) => each === type);
  if (known === undefined) return [];
  if (!isSecretAccess(known)) return [{ type: known, uri }];
  const secret = parseSecretUri(uri, folder);
  return secret.kind === "fault" ? [] : [{ type: known, uri: secret.uri }];
}

export function isSecretAccess(type: unknown): type is SecretAccessType {
  return SECRET_ACCESS_TYPES.some((each) => each === type);
}

export function isPlainAccess(type: unknown): type is (typeof PLAIN_ACCESS_TYPES)[number] {
  return PLAIN_ACCESS_TYPES.some((each) => each === type);
}
