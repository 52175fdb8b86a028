import type { SourceClaim, WrittenMapping } from "../../src/ports/connector-parameters.ts";
import { BOOTSTRAP_SERVERS } from "./settings.ts";

/**
 * A function reads a topic of a cluster once: of one with an ARN, or with a server in common (queues §1.2). And two
 * mappings in one group would each get a part of the partitions, and overwrite one another's offsets.
 */
export function kafkaClaims(mapping: WrittenMapping): readonly SourceClaim[] {
  return [...topicClaims(mapping), ...groupClaims(mapping)];
}

function topicClaims(mapping: WrittenMapping): SourceClaim[] {
  const topic = mapping.raw("topics", 0);
  if (typeof topic !== "string") return [];
  const servers = mapping.raw("selfManagedEventSource", "endpoints", BOOTSTRAP_SERVERS);
  const places: readonly unknown[] = Array.isArray(servers) ? servers : [mapping.raw("eventSourceArn")];
  const facts = { places: places.join(","), topic };
  const fault = { rule: "exists", path: ["topics"], facts };
  return places.map((place) => ({ key: ["source", place, topic], isOfFunction: true, fault }));
}

/** A mapping that names no group has one of its own, after its UUID. */
function groupClaims(mapping: WrittenMapping): SourceClaim[] {
  return ["selfManagedKafkaEventSourceConfig", "amazonManagedKafkaEventSourceConfig"].flatMap((config) => {
    const path = [config, "consumerGroupId"];
    const group = mapping.raw(...path);
    if (typeof group !== "string") return [];
    const fault = { rule: "groupTaken", path, facts: { group } };
    return [{ key: ["group", group], isOfFunction: false, fault }];
  });
}
