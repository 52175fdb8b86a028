import { parseFunctionName } from "../manifests/function-name.ts";
import { valueAt } from "../manifests/issue-texts.ts";
import type { MappingResource } from "../manifests/resources.ts";
import { BOOTSTRAP_SERVERS } from "../manifests/topic-mapping-checks.ts";
import { alreadyExists, type ControlFault, groupTaken } from "./control-fault.ts";

export interface Claimant {
  readonly uuid: string;
  readonly claims: readonly string[];
}

/**
 * What no two mappings may have in common (streams §1.6): a source and a qualified function; of a topic, each of its
 * servers with it (queues §1.2), and the consumer group that was named, whose offsets two would overwrite.
 */
export function claimsOf(spec: Readonly<Record<string, unknown>>): readonly string[] {
  const { name, qualifier = "" } = parseFunctionName(String(spec["functionName"])) ?? {};
  const topic = valueAt(spec, ["topics", 0]);
  const servers = valueAt(spec, ["selfManagedEventSource", "endpoints", BOOTSTRAP_SERVERS]);
  const places: readonly unknown[] = Array.isArray(servers) ? servers : [spec["eventSourceArn"]];
  const ofTopic = typeof topic === "string" ? [topic] : [];
  const sources = places.map((place) => JSON.stringify(["source", place, ...ofTopic, name, qualifier]));
  const groups = [consumerGroupOf(spec)].filter((group) => group !== undefined).map(groupClaim);
  return [...new Set([...sources, ...groups])];
}

/** The refusal of a mapping with these claims, when one of the others is in its way. */
export function conflictOf(
  resource: MappingResource,
  claims: readonly string[],
  others: readonly Claimant[],
): ControlFault | undefined {
  const rival = others.find((other) => other.claims.some((claim) => claims.includes(claim)));
  if (rival === undefined) return undefined;
  const group = consumerGroupOf(resource.spec);
  const isOfGroup = group !== undefined && rival.claims.includes(groupClaim(group));
  return isOfGroup ? groupTaken(group, rival.uuid) : alreadyExists(resource, rival.uuid);
}

/** `undefined`: it has one of its own, named after its UUID. */
function consumerGroupOf(spec: Readonly<Record<string, unknown>>): string | undefined {
  const configs = ["selfManagedKafkaEventSourceConfig", "amazonManagedKafkaEventSourceConfig"];
  return configs
    .map((config) => valueAt(spec, [config, "consumerGroupId"]))
    .find((group) => typeof group === "string");
}

function groupClaim(group: string): string {
  return JSON.stringify(["group", group]);
}
