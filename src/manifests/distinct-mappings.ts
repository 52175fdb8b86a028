import type { Place } from "../model/place.ts";
import { functionArn, parseFunctionName } from "./function-name.ts";
import type { ManifestDocument } from "./manifest-document.ts";
import type { MappingContext } from "./mapping-checks.ts";
import { isTopicMapping } from "./mapping-source.ts";
import { mappingUuid } from "./mapping-uuid.ts";
import { parseSourceArn } from "./source-arn.ts";
import { BOOTSTRAP_SERVERS } from "./topic-mapping-checks.ts";

/**
 * One mapping for a source and a function, qualifier included; no two with the same leases and checkpoints; and no two
 * that share the offsets of a consumer group.
 */
export function checkMappingsDistinct(
  mappings: readonly ManifestDocument[],
  { connectors, place }: Pick<MappingContext, "connectors" | "place">,
): void {
  checkUuids(mappings);
  checkSources(mappings.filter((mapping) => !isTopicMapping(mapping, connectors)));
  const topics = mappings.filter((mapping) => isTopicMapping(mapping, connectors));
  checkTopics(topics, place);
  checkGroups(topics);
}

function checkUuids(mappings: readonly ManifestDocument[]): void {
  const known = new Set<string>();
  for (const mapping of mappings) {
    const uuid = uuidOf(mapping);
    if (uuid === undefined) continue;
    if (known.has(uuid) && mapping.raw("spec", "uuid") !== undefined) {
      const remedy = "Give each mapping a uuid of its own, or leave the field out";
      mapping.report(["spec", "uuid"], `Another mapping has the UUID ${uuid}`, remedy);
    }
    known.add(uuid);
  }
}

function checkSources(mappings: readonly ManifestDocument[]): void {
  const known = new Map<string, string>();
  for (const mapping of mappings) {
    const arn = mapping.raw("spec", "eventSourceArn");
    const reference = referenceOf(mapping);
    if (typeof arn !== "string" || reference === undefined) continue;
    const pair = JSON.stringify([arn, reference.name, reference.qualifier]);
    const other = known.get(pair);
    if (other === undefined) {
      known.set(pair, uuidOf(mapping) ?? "");
      continue;
    }
    const pairText =
      parseSourceArn(arn)?.service === "sqs"
        ? `An event source mapping with SQS arn (" ${arn} ") and function (" ${reference.name} ") already exists.`
        : `The event source arn (" ${arn} ") and function (" ${reference.name} ") provided mapping already exists.`;
    mapping.report(["spec", "eventSourceArn"], `${pairText} ${updateOrDelete(other)}`, REMOVE_ONE);
  }
}

/** The same function and topic on the same cluster: one with the same ARN, or with a server in common (queues §1.2). */
function checkTopics(mappings: readonly ManifestDocument[], place: Place): void {
  const known: { readonly pair: string; readonly places: readonly string[]; readonly uuid: string }[] = [];
  for (const mapping of mappings) {
    const arn = mapping.raw("spec", "eventSourceArn");
    const places = typeof arn === "string" ? [arn] : serversOf(mapping);
    const topic = mapping.raw("spec", "topics", 0);
    const reference = referenceOf(mapping);
    if (reference === undefined || typeof topic !== "string") continue;
    const pair = JSON.stringify([topic, reference.name, reference.qualifier]);
    const other = known.find((each) => each.pair === pair && each.places.some((at) => places.includes(at)));
    if (other === undefined) {
      known.push({ pair, places, uuid: uuidOf(mapping) ?? "" });
      continue;
    }
    const pairText =
      `An event source mapping with event source ("${places.join(",")}"), ` +
      `function ("${functionArn(reference, place)}"), topics ("${topic}") already exists.`;
    mapping.report(["spec", "topics"], `${pairText} ${updateOrDelete(other.uuid)}`, REMOVE_ONE);
  }
}

/** Two mappings in one group would each get a part of the partitions, and overwrite one another's offsets. */
function checkGroups(mappings: readonly ManifestDocument[]): void {
  const known = new Map<string, string>();
  for (const mapping of mappings) {
    const configs = ["selfManagedKafkaEventSourceConfig", "amazonManagedKafkaEventSourceConfig"];
    for (const config of configs) {
      const path = ["spec", config, "consumerGroupId"];
      const group = mapping.raw(...path);
      if (typeof group !== "string") continue;
      const other = known.get(group);
      known.set(group, mapping.position);
      if (other === undefined) continue;
      const message = `The mapping at ${other} has the same consumer group`;
      mapping.report(path, message, "Give each mapping a consumerGroupId of its own, or leave the field out");
    }
  }
}

const REMOVE_ONE = "Remove one of the two mappings";

function updateOrDelete(uuid: string): string {
  return `Please update or delete the existing mapping with UUID ${uuid}`;
}

function serversOf(mapping: ManifestDocument): readonly string[] {
  const servers = mapping.raw("spec", "selfManagedEventSource", "endpoints", BOOTSTRAP_SERVERS);
  return Array.isArray(servers) ? servers.filter((server) => typeof server === "string") : [];
}

function referenceOf(mapping: ManifestDocument) {
  const text = mapping.raw("spec", "functionName");
  return typeof text === "string" ? parseFunctionName(text) : undefined;
}

function uuidOf(mapping: ManifestDocument): string | undefined {
  const uuid = mapping.raw("spec", "uuid");
  if (typeof uuid === "string") return uuid.toLowerCase();
  return mapping.name === undefined ? undefined : mappingUuid(mapping.name);
}
