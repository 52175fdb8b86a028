import { isIPv6 } from "node:net";
import {
  MAXIMUM_POLLERS_DEFAULT,
  TOPIC_FUNCTION_TIMEOUT_SECONDS_MAX,
  TOPIC_MAXIMUM_POLLERS_MAX,
} from "../model/limits.ts";
import { parseDestination } from "./destination-address.ts";
import { awsConstraint } from "./issue-texts.ts";
import type { ManifestDocument } from "./manifest-document.ts";
import { checkPollerOrder } from "./poller-checks.ts";
import { parseSecretUri } from "./secret-uri.ts";
import { TOPIC_PARAMETERS, unsupportedParameter } from "./unsupported-parameters.ts";

/** AWS's name for the addresses of a Kafka cluster. */
export const BOOTSTRAP_SERVERS = "KAFKA_BOOTSTRAP_SERVERS";

/** Rules between the fields of a Kafka topic's mapping, with AWS's texts where it has them (queues §1.2, kafka §1). */
export function checkTopicMapping(document: ManifestDocument): void {
  const isSelfManaged = document.raw("spec", "eventSourceArn") === undefined;
  for (const name of ["tumblingWindowInSeconds", "scalingConfig", "strictAwsFifo"]) {
    refuse(document, name, "Remove the field: Kafka mappings have none");
  }
  const [own, other] = isSelfManaged
    ? ["selfManagedKafkaEventSourceConfig", "amazonManagedKafkaEventSourceConfig"]
    : ["amazonManagedKafkaEventSourceConfig", "selfManagedKafkaEventSourceConfig"];
  refuse(document, other, `Use ${own}`);
  checkGroupId(document, own);
  checkTopic(document);
  checkServers(document, isSelfManaged);
  checkAccess(document, isSelfManaged);
  checkPollers(document);
  checkDestinationTopic(document);
}

/** Parameters of topics on a mapping of another source. */
export function refuseTopicParameters(document: ManifestDocument): void {
  for (const name of TOPIC_PARAMETERS) refuse(document, name, "Remove the field: it is for Kafka topics");
}

/** AWS lets functions that Kafka invokes run for 14 minutes at most (kafka §1). */
export function checkTopicFunction(mapping: ManifestDocument, fn: ManifestDocument): void {
  const seconds = fn.raw("spec", "timeoutSeconds");
  if (typeof seconds !== "number" || seconds <= TOPIC_FUNCTION_TIMEOUT_SECONDS_MAX) return;
  const message = `The function may take ${seconds} seconds; a function that Kafka invokes may take ${TOPIC_FUNCTION_TIMEOUT_SECONDS_MAX}`;
  const remedy = `Give the function at ${fn.position} a timeoutSeconds of at most ${TOPIC_FUNCTION_TIMEOUT_SECONDS_MAX}`;
  mapping.report(["spec", "functionName"], message, remedy);
}

function refuse(document: ManifestDocument, name: string, remedy: string): void {
  if (document.raw("spec", name) === undefined) return;
  document.report(["spec", name], unsupportedParameter(name), remedy, "key");
}

function checkGroupId(document: ManifestDocument, config: string): void {
  const path = ["spec", config, "consumerGroupId"];
  const id = document.raw(...path);
  if (typeof id !== "string" || /^[ a-zA-Z0-9\-/*:_+=.@]*$/.test(id)) return;
  const remedy = "Give letters, digits, spaces and - / * : _ + = . @";
  document.report(path, "The text is not the name of a consumer group", remedy);
}

function checkTopic(document: ManifestDocument): void {
  const topics = document.raw("spec", "topics");
  if (topics === undefined) {
    const message = "The mapping names no topic";
    document.report(["spec"], message, "Give topics: [ TOPIC ]", "key");
  }
  const name: unknown = Array.isArray(topics) ? topics[0] : undefined;
  if (typeof name !== "string" || isTopicName(name)) return;
  const remedy = "Give letters, digits, dots, - and _, without a dot in front";
  document.report(["spec", "topics", 0], "The text is not the name of a topic", remedy);
}

function isTopicName(name: string): boolean {
  return /^[a-zA-Z0-9_-][a-zA-Z0-9._-]*$/.test(name);
}

function checkServers(document: ManifestDocument, isSelfManaged: boolean): void {
  const path = isSelfManaged
    ? ["spec", "selfManagedEventSource", "endpoints", BOOTSTRAP_SERVERS]
    : ["spec", "endpoints", BOOTSTRAP_SERVERS];
  if (isSelfManaged && document.raw("spec", "endpoints") !== undefined) {
    const message = "A self-managed source has its endpoints in selfManagedEventSource";
    document.report(["spec", "endpoints"], message, "Remove the field", "key");
  }
  const others = Object.keys(document.raw("spec", "selfManagedEventSource", "endpoints") ?? {});
  for (const name of others.filter((name) => name !== BOOTSTRAP_SERVERS)) {
    const message = `A Kafka cluster has no endpoint ${JSON.stringify(name.slice(0, 80))}`;
    document.report([...path.slice(0, -1), name], message, `Give ${BOOTSTRAP_SERVERS} only`, "key");
  }
  const servers = document.raw(...path);
  if (!Array.isArray(servers)) return;
  for (const [index, server] of servers.entries()) {
    if (typeof server !== "string" || isServer(server)) continue;
    const remedy = "Give HOST:PORT, for example broker-1.example.com:9094, without a scheme or a login";
    document.report([...path, index], "The text is not the address of a broker", remedy);
  }
}

/** AWS's form, a host name or IPv4 address and a port, and an IPv6 address in brackets. */
function isServer(text: string): boolean {
  const [, ipv6, port] =
    /^(?:\[([0-9A-Fa-f:.]+)\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?):(\d{1,5})$/.exec(text) ?? [];
  if (ipv6 !== undefined && !isIPv6(ipv6)) return false;
  return port !== undefined && Number(port) >= 1 && Number(port) <= 65_535;
}

const LOGINS = ["BASIC_AUTH", "SASL_SCRAM_256_AUTH", "SASL_SCRAM_512_AUTH", "CLIENT_CERTIFICATE_TLS_AUTH"];
/** What MSK has none of (kafka §6). */
const NOT_ON_MSK = ["BASIC_AUTH", "SASL_SCRAM_256_AUTH"];

function checkAccess(document: ManifestDocument, isSelfManaged: boolean): void {
  const path = ["spec", "sourceAccessConfigurations"];
  const entries = document.raw(...path);
  if (entries === undefined && isSelfManaged) {
    const message = "Required 'sourceAccessConfigurations' parameter is missing.";
    const remedy = "Give how to log in, or an empty list for a cluster without TLS and login";
    document.report(["spec"], message, remedy, "key");
  }
  if (!Array.isArray(entries)) return;
  const seen = new Set<string>();
  for (const index of entries.keys()) {
    const type = document.raw(...path, index, "type");
    const uri = document.raw(...path, index, "uri");
    if (typeof type !== "string" || typeof uri !== "string" || type.startsWith("VPC_")) continue;
    checkSecret(document, [...path, index, "uri"], uri);
    if (!isSelfManaged && NOT_ON_MSK.includes(type)) {
      const remedy = "Give SASL_SCRAM_512_AUTH or CLIENT_CERTIFICATE_TLS_AUTH";
      document.report([...path, index, "type"], `Amazon MSK has no ${type}`, remedy);
    }
    const rival = LOGINS.includes(type) ? LOGINS.find((login) => seen.has(login)) : undefined;
    if (rival !== undefined || seen.has(type)) {
      const message = `There is ${rival ?? type} already`;
      document.report(
        [...path, index, "type"],
        message,
        "Give one way to log in, and one certificate authority",
      );
    }
    seen.add(type);
  }
}

function checkSecret(document: ManifestDocument, path: readonly PropertyKey[], text: string): void {
  const secret = parseSecretUri(text, document.folder);
  if (secret.kind === "fault") document.report(path, secret.message, secret.remedy);
}

/** Accepted, and without effect: each partition has a reader of its own, and lanes say how much runs at once. */
function checkPollers(document: ManifestDocument): void {
  const path = ["spec", "provisionedPollerConfig", "maximumPollers"];
  const maximum = document.raw(...path);
  if (typeof maximum === "number" && maximum > TOPIC_MAXIMUM_POLLERS_MAX) {
    const constraint = `Member must have value less than or equal to ${TOPIC_MAXIMUM_POLLERS_MAX}`;
    const remedy = `Give at most ${TOPIC_MAXIMUM_POLLERS_MAX}: the source is a Kafka topic`;
    document.report(path, awsConstraint(path, maximum, constraint), remedy);
  }
  checkPollerOrder(document, { minimum: 1, maximum: MAXIMUM_POLLERS_DEFAULT });
}

/** A topic that its own failures went to would never end (kafka §5). */
function checkDestinationTopic(document: ManifestDocument): void {
  const path = ["spec", "destinationConfig", "onFailure", "destination"];
  const text = document.raw(...path);
  if (typeof text !== "string") return;
  const destination = parseDestination(text, document.folder);
  if (destination.kind !== "kafka" || destination.topic !== document.raw("spec", "topics", 0)) return;
  const message = "The failure destination is the topic that the mapping reads";
  document.report(path, message, "Name another topic of the cluster");
}
