import type { FaultTexts, ReportFault, SourceClaim, WrittenMapping } from "../ports/connector-parameters.ts";
import { parseSecretUri } from "../secrets/secret-uri.ts";
import { LOGIN_TYPES } from "./broker-access.ts";

const ACCESS = "sourceAccessConfigurations";
/** Accepted for AWS's sake: a process that runs beside the broker needs neither. */
const NETWORK_TYPES = ["VPC_SUBNET", "VPC_SECURITY_GROUP"];

/** What brokers differ in. */
export interface BrokerRules {
  /** `RabbitMQ` */
  readonly title: string;
  readonly endpointName: string;
  /** Protocols of endpoints, the one with TLS first: `amqps`. */
  readonly schemes: readonly [string, string];
  readonly queueBytesMax: number;
  /** Types of access whose `uri` is a name, no secret. */
  readonly nameTypes: readonly string[];
}

/** Rules between the fields of a mapping of a broker's queue (brokers §1). */
export function checkBrokerMapping(mapping: WrittenMapping, rules: BrokerRules, report: ReportFault): void {
  checkQueue(mapping, rules, report);
  checkEndpoints(mapping, rules, report);
  checkAccess(mapping, rules, report);
}

/** With AWS's texts where it has them. */
export function brokerTexts({ title, schemes, queueBytesMax, nameTypes }: BrokerRules): FaultTexts {
  const [safe, plain] = schemes;
  return {
    noQueue: () => ({ message: "The mapping names no queue", remedy: "Give queues: [ QUEUE ]" }),
    queueName: () => ({
      message: `The name of a queue has at most ${queueBytesMax} bytes`,
      remedy: "Name the queue as the broker does",
    }),
    brokerEndpoint: () => ({
      message: "The text is not the address of a broker",
      remedy: `Give ${safe}://HOST:PORT, or ${plain}://HOST:PORT without TLS, without a login or a path`,
    }),
    noLogin: () => ({
      message: `Required '${ACCESS}' parameter is missing.`,
      remedy: "Give BASIC_AUTH, or CLIENT_CERTIFICATE_TLS_AUTH where the broker takes EXTERNAL",
    }),
    accessType: ({ facts }) => ({
      message: `${title} brokers have no ${facts?.["type"]}`,
      remedy: `Give one of ${[...LOGIN_TYPES, ...nameTypes].join(", ")}`,
    }),
    secondLogin: ({ facts }) => ({
      message: `There is ${facts?.["rival"]} already`,
      remedy: "Give one of each type",
    }),
    // AWS documents no text for brokers; this is that of mappings which look alike (kafka §4).
    exists: ({ facts = {} }) => ({
      message: `An event source mapping with event source ("${facts["arn"]}"), function ("${facts["functionArn"]}"), queues ("${facts["queue"]}") already exists. Please update or delete the existing mapping with UUID ${facts["uuid"]}`,
      remedy: "Remove one of the two mappings",
    }),
  };
}

/** A function reads a queue of a broker once. `place`: what tells queues of one name apart. */
export function brokerClaims(mapping: WrittenMapping, ...place: readonly unknown[]): readonly SourceClaim[] {
  const arn = mapping.raw("eventSourceArn");
  const queue = mapping.raw("queues", 0);
  if (typeof queue !== "string") return [];
  const fault = { rule: "exists", path: ["queues"], facts: { arn, queue } };
  return [{ key: ["source", arn, ...place, queue], isOfFunction: true, fault }];
}

/** The `uri` of the access of this type. */
export function accessUri(mapping: WrittenMapping, type: string): unknown {
  const entries = mapping.raw(ACCESS);
  if (!Array.isArray(entries)) return undefined;
  const index = entries.findIndex((_, each) => mapping.raw(ACCESS, each, "type") === type);
  return index < 0 ? undefined : mapping.raw(ACCESS, index, "uri");
}

function checkQueue(mapping: WrittenMapping, { queueBytesMax }: BrokerRules, report: ReportFault): void {
  if (mapping.raw("queues") === undefined) report({ rule: "noQueue", path: [], part: "key" });
  const name = mapping.raw("queues", 0);
  if (typeof name === "string" && Buffer.byteLength(name) > queueBytesMax)
    report({ rule: "queueName", path: ["queues", 0] });
}

function checkEndpoints(mapping: WrittenMapping, rules: BrokerRules, report: ReportFault): void {
  const path = ["endpoints", rules.endpointName];
  const endpoints = mapping.raw(...path);
  if (!Array.isArray(endpoints)) return;
  for (const [index, endpoint] of endpoints.entries()) {
    if (typeof endpoint === "string" && !isEndpoint(endpoint, rules.schemes))
      report({ rule: "brokerEndpoint", path: [...path, index] });
  }
}

function isEndpoint(text: string, schemes: readonly string[]): boolean {
  if (!schemes.some((scheme) => text.startsWith(`${scheme}://`)) || !URL.canParse(text)) return false;
  const { hostname, pathname, username, password, search, hash } = new URL(text);
  const isBare = username === "" && password === "" && search === "" && hash === "";
  return hostname !== "" && isBare && (pathname === "" || pathname === "/");
}

function checkAccess(mapping: WrittenMapping, { nameTypes }: BrokerRules, report: ReportFault): void {
  const types = accessTypes(mapping);
  if (!types.includes("BASIC_AUTH") && !types.includes("CLIENT_CERTIFICATE_TLS_AUTH"))
    report({ rule: "noLogin", path: Array.isArray(mapping.raw(ACCESS)) ? [ACCESS] : [], part: "key" });
  checkLogins(mapping, nameTypes, report);
}

function accessTypes(mapping: WrittenMapping): readonly unknown[] {
  const entries = mapping.raw(ACCESS);
  return Array.isArray(entries) ? entries.map((_, index) => mapping.raw(ACCESS, index, "type")) : [];
}

/** Each of the logins that are given; `nameTypes`: types of access whose `uri` is a name, no secret. */
export function checkLogins(
  mapping: WrittenMapping,
  nameTypes: readonly string[],
  report: ReportFault,
): void {
  const types = accessTypes(mapping);
  for (const [index, type] of types.entries()) {
    const [typePath, uriPath] = [
      [ACCESS, index, "type"],
      [ACCESS, index, "uri"],
    ];
    const uri = mapping.raw(...uriPath);
    if (typeof type !== "string" || NETWORK_TYPES.includes(type)) continue;
    if (types.indexOf(type) < index) report({ rule: "secondLogin", path: typePath, facts: { rival: type } });
    if (!nameTypes.includes(type) && !LOGIN_TYPES.some((each) => each === type)) {
      report({ rule: "accessType", path: typePath, facts: { type } });
      continue;
    }
    if (uri === undefined) report({ rule: "accessUri", path: [ACCESS, index], part: "key", facts: { type } });
    if (nameTypes.includes(type) || typeof uri !== "string") continue;
    const secret = parseSecretUri(uri, mapping.folder);
    if (secret.kind === "fault")
      report({ rule: "secretReference", path: uriPath, facts: { problem: secret.problem } });
  }
}
