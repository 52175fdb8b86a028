import { SOURCE_ACCESS_TYPES, type SourceAccess, type TopicMapping } from "../model/mapping.ts";
import type { MappingManifest } from "./schema.ts";
import { parseSecretUri } from "./secret-uri.ts";
import { BOOTSTRAP_SERVERS } from "./topic-mapping-checks.ts";

type Spec = MappingManifest["spec"];
type TopicSettings = Pick<TopicMapping, "topic" | "bootstrapServers" | "consumerGroupId" | "access">;

/** What a mapping of a Kafka topic has beyond one of a stream. Of a manifest that has passed all checks. */
export function topicSettings(spec: Spec, folder: string, uuid: string): TopicSettings {
  const endpoints = spec.selfManagedEventSource?.endpoints ?? spec.endpoints ?? {};
  const config = spec.selfManagedKafkaEventSourceConfig ?? spec.amazonManagedKafkaEventSourceConfig;
  return {
    topic: spec.topics?.[0] ?? "",
    bootstrapServers: endpoints[BOOTSTRAP_SERVERS] ?? [],
    consumerGroupId: config?.consumerGroupId ?? uuid,
    access: (spec.sourceAccessConfigurations ?? []).flatMap((entry) => sourceAccess(entry, folder)),
  };
}

type Entry = NonNullable<Spec["sourceAccessConfigurations"]>[number];

function sourceAccess({ type, uri }: Entry, folder: string): SourceAccess[] {
  const known = SOURCE_ACCESS_TYPES.find((each) => each === type);
  const secret = parseSecretUri(uri, folder);
  return known === undefined || secret.kind === "fault" ? [] : [{ type: known, uri: secret.uri }];
}
