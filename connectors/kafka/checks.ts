import { isIPv6 } from "node:net";
import type { FaultTexts, ReportFault, WrittenMapping } from "../../src/ports/connector-parameters.ts";
import { ACCESS_TEXTS, checkAccess } from "./access-checks.ts";
import { checkSchemas, SCHEMA_TEXTS } from "./schema-checks.ts";
import { BOOTSTRAP_SERVERS } from "./settings.ts";
import { destinationTopic } from "./topic-address.ts";

/** `provisionedPollerConfig` (kafka §7). */
const MAXIMUM_POLLERS_MAX = 2_000;

/** Rules between the fields of a topic's mapping, with AWS's texts where it has them (queues §1.2, kafka §1). */
export function checkKafkaMapping(mapping: WrittenMapping, report: ReportFault): void {
  const isSelfManaged = mapping.raw("eventSourceArn") === undefined;
  const [own, other] = isSelfManaged
    ? ["selfManagedKafkaEventSourceConfig", "amazonManagedKafkaEventSourceConfig"]
    : ["amazonManagedKafkaEventSourceConfig", "selfManagedKafkaEventSourceConfig"];
  if (mapping.raw(other) !== undefined) {
    const facts = { remedy: `Use ${own}` };
    report({ rule: "unsupportedParameter", path: [other], part: "key", facts });
  }
  checkGroupId(mapping, own, report);
  checkSchemas(mapping, own, report);
  checkTopic(mapping, report);
  checkServers(mapping, isSelfManaged, report);
  checkAccess(mapping, isSelfManaged, report);
  checkPollers(mapping, report);
  checkDestinationTopic(mapping, report);
}

export const KAFKA_TEXTS: FaultTexts = {
  groupId: () => ({
    message: "The text is not the name of a consumer group",
    remedy: "Give letters, digits, spaces and - / * : _ + = . @",
  }),
  noTopic: () => ({ message: "The mapping names no topic", remedy: "Give topics: [ TOPIC ]" }),
  topicName: () => ({
    message: "The text is not the name of a topic",
    remedy: "Give letters, digits, dots, - and _, without a dot in front",
  }),
  endpointsElsewhere: () => ({
    message: "A self-managed source has its endpoints in selfManagedEventSource",
    remedy: "Remove the field",
  }),
  clusterEndpoint: ({ path }) => ({
    message: `A Kafka cluster has no endpoint ${JSON.stringify(String(path.at(-1)).slice(0, 80))}`,
    remedy: `Give ${BOOTSTRAP_SERVERS} only`,
  }),
  broker: () => ({
    message: "The text is not the address of a broker",
    remedy: "Give HOST:PORT, for example broker-1.example.com:9094, without a scheme or a login",
  }),
  ...ACCESS_TEXTS,
  ...SCHEMA_TEXTS,
  exists: ({ facts = {} }) => ({
    message: `An event source mapping with event source ("${facts["places"]}"), function ("${facts["functionArn"]}"), topics ("${facts["topic"]}") already exists. Please update or delete the existing mapping with UUID ${facts["uuid"]}`,
    remedy: "Remove one of the two mappings",
  }),
  // AWS documents that a consumer group is of one mapping, and not what it says of a second.
  groupTaken: ({ facts = {} }) => ({
    message:
      facts["at"] === undefined
        ? `An event source mapping with consumer group id ("${facts["group"]}") already exists. Please update or delete the existing mapping with UUID ${facts["uuid"]}`
        : `The mapping at ${facts["at"]} has the same consumer group`,
    remedy: "Give each mapping a consumerGroupId of its own, or leave the field out",
  }),
  ownTopic: () => ({
    message: "The failure destination is the topic that the mapping reads",
    remedy: "Name another topic of the cluster",
  }),
};

function checkGroupId(mapping: WrittenMapping, config: string, report: ReportFault): void {
  const path = [config, "consumerGroupId"];
  const id = mapping.raw(...path);
  if (typeof id !== "string" || /^[ a-zA-Z0-9\-/*:_+=.@]*$/.test(id)) return;
  report({ rule: "groupId", path });
}

function checkTopic(mapping: WrittenMapping, report: ReportFault): void {
  const topics = mapping.raw("topics");
  if (topics === undefined) report({ rule: "noTopic", path: [], part: "key" });
  const name: unknown = Array.isArray(topics) ? topics[0] : undefined;
  if (typeof name !== "string" || /^[a-zA-Z0-9_-][a-zA-Z0-9._-]*$/.test(name)) return;
  report({ rule: "topicName", path: ["topics", 0] });
}

function checkServers(mapping: WrittenMapping, isSelfManaged: boolean, report: ReportFault): void {
  const path = isSelfManaged
    ? ["selfManagedEventSource", "endpoints", BOOTSTRAP_SERVERS]
    : ["endpoints", BOOTSTRAP_SERVERS];
  if (isSelfManaged && mapping.raw("endpoints") !== undefined)
    report({ rule: "endpointsElsewhere", path: ["endpoints"], part: "key" });
  const others = Object.keys(mapping.raw("selfManagedEventSource", "endpoints") ?? {});
  for (const name of others.filter((each) => each !== BOOTSTRAP_SERVERS))
    report({ rule: "clusterEndpoint", path: [...path.slice(0, -1), name], part: "key" });
  const servers = mapping.raw(...path);
  if (!Array.isArray(servers)) return;
  for (const [index, server] of servers.entries()) {
    if (typeof server !== "string" || isServer(server)) continue;
    report({ rule: "broker", path: [...path, index] });
  }
}

/** AWS's form, a host name or IPv4 address and a port, and an IPv6 address in brackets. */
export function isServer(text: string): boolean {
  const [, ipv6, port] =
    /^(?:\[([0-9A-Fa-f:.]+)\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?):(\d{1,5})$/.exec(text) ?? [];
  if (ipv6 !== undefined && !isIPv6(ipv6)) return false;
  return port !== undefined && Number(port) >= 1 && Number(port) <= 65_535;
}

/** Accepted, and without effect: each partition has a reader of its own, and lanes say how much runs at once. */
function checkPollers(mapping: WrittenMapping, report: ReportFault): void {
  const path = ["provisionedPollerConfig", "maximumPollers"];
  const value = mapping.raw(...path);
  if (typeof value !== "number" || value <= MAXIMUM_POLLERS_MAX) return;
  const constraint = `Member must have value less than or equal to ${MAXIMUM_POLLERS_MAX}`;
  const remedy = `Give at most ${MAXIMUM_POLLERS_MAX}: the source is a Kafka topic`;
  report({ rule: "constraint", path, facts: { value, constraint, remedy } });
}

/** A topic that its own failures went to would never end (kafka §5). */
function checkDestinationTopic(mapping: WrittenMapping, report: ReportFault): void {
  const path = ["destinationConfig", "onFailure", "destination"];
  const text = mapping.raw(...path);
  if (typeof text !== "string") return;
  const topic = destinationTopic(text);
  if (topic !== undefined && topic === mapping.raw("topics", 0)) report({ rule: "ownTopic", path });
}
