import { LOGIN_TYPES } from "../../src/brokers/broker-access.ts";
import type {
  FaultTexts,
  ReportFault,
  SourceClaim,
  WrittenMapping,
} from "../../src/ports/connector-parameters.ts";
import { parseSecretUri } from "../../src/secrets/secret-uri.ts";
import { BROKER_ENDPOINTS, VIRTUAL_HOST_DEFAULT } from "./settings.ts";

const ACCESS = "sourceAccessConfigurations";
/** AMQP's own bound of a name. */
const NAME_BYTES_MAX = 255;
/** Accepted for AWS's sake: a process that runs beside the broker needs neither. */
const NETWORK_TYPES = ["VPC_SUBNET", "VPC_SECURITY_GROUP"];

/** Rules between the fields of a mapping of RabbitMQ (brokers §1), with AWS's texts where it has them. */
export function checkRabbitMapping(mapping: WrittenMapping, report: ReportFault): void {
  checkQueue(mapping, report);
  checkEndpoints(mapping, report);
  checkAccess(mapping, report);
  checkOrder(mapping, report);
}

export const RABBIT_TEXTS: FaultTexts = {
  noQueue: () => ({
    message: "The mapping names no queue",
    remedy: "Give queues: [ QUEUE ]",
  }),
  queueName: () => ({
    message: `The name of a queue has at most ${NAME_BYTES_MAX} bytes`,
    remedy: "Name the queue as the broker does",
  }),
  brokerEndpoint: () => ({
    message: "The text is not the address of a broker",
    remedy: "Give amqps://HOST:PORT, or amqp://HOST:PORT without TLS, without a login or a path",
  }),
  noLogin: () => ({
    message: `Required '${ACCESS}' parameter is missing.`,
    remedy: "Give BASIC_AUTH, or CLIENT_CERTIFICATE_TLS_AUTH where the broker takes EXTERNAL",
  }),
  accessType: ({ facts }) => ({
    message: `A RabbitMQ broker has no ${facts?.["type"]}`,
    remedy: `Give one of ${[...LOGIN_TYPES, "VIRTUAL_HOST"].join(", ")}`,
  }),
  secondLogin: ({ facts }) => ({
    message: `There is ${facts?.["rival"]} already`,
    remedy: "Give one of each type",
  }),
  concurrencyInOrder: () => ({
    message: "Unsupported ScalingConfig parameter for given event source mapping type.",
    remedy:
      "Give orderBy: header:NAME or orderBy: none, or remove the field: one batch at once keeps the queue's order",
  }),
  // AWS documents no text for brokers; this is its text for Kafka, whose mappings look alike.
  exists: ({ facts = {} }) => ({
    message: `An event source mapping with event source ("${facts["arn"]}"), function ("${facts["functionArn"]}"), queues ("${facts["queue"]}") already exists. Please update or delete the existing mapping with UUID ${facts["uuid"]}`,
    remedy: "Remove one of the two mappings",
  }),
};

/** A function reads a queue of a virtual host of a broker once. */
export function rabbitClaims(mapping: WrittenMapping): readonly SourceClaim[] {
  const arn = mapping.raw("eventSourceArn");
  const queue = mapping.raw("queues", 0);
  if (typeof queue !== "string") return [];
  const fault = { rule: "exists", path: ["queues"], facts: { arn, queue } };
  return [{ key: ["source", arn, virtualHostOf(mapping), queue], isOfFunction: true, fault }];
}

function virtualHostOf(mapping: WrittenMapping): unknown {
  const entries = mapping.raw(ACCESS);
  if (!Array.isArray(entries)) return VIRTUAL_HOST_DEFAULT;
  const index = entries.findIndex((_, each) => mapping.raw(ACCESS, each, "type") === "VIRTUAL_HOST");
  return index < 0 ? VIRTUAL_HOST_DEFAULT : mapping.raw(ACCESS, index, "uri");
}

function checkQueue(mapping: WrittenMapping, report: ReportFault): void {
  if (mapping.raw("queues") === undefined) report({ rule: "noQueue", path: [], part: "key" });
  const name = mapping.raw("queues", 0);
  if (typeof name === "string" && Buffer.byteLength(name) > NAME_BYTES_MAX)
    report({ rule: "queueName", path: ["queues", 0] });
}

function checkEndpoints(mapping: WrittenMapping, report: ReportFault): void {
  const path = ["endpoints", BROKER_ENDPOINTS];
  const endpoints = mapping.raw(...path);
  if (!Array.isArray(endpoints)) return;
  for (const [index, endpoint] of endpoints.entries()) {
    if (typeof endpoint === "string" && !isEndpoint(endpoint))
      report({ rule: "brokerEndpoint", path: [...path, index] });
  }
}

function isEndpoint(text: string): boolean {
  if (!/^amqps?:\/\//.test(text) || !URL.canParse(text)) return false;
  const { hostname, pathname, username, password, search, hash } = new URL(text);
  const isBare = username === "" && password === "" && search === "" && hash === "";
  return hostname !== "" && isBare && (pathname === "" || pathname === "/");
}

function checkAccess(mapping: WrittenMapping, report: ReportFault): void {
  const entries = mapping.raw(ACCESS);
  const types = Array.isArray(entries) ? entries.map((_, index) => mapping.raw(ACCESS, index, "type")) : [];
  if (!types.includes("BASIC_AUTH") && !types.includes("CLIENT_CERTIFICATE_TLS_AUTH"))
    report({ rule: "noLogin", path: Array.isArray(entries) ? [ACCESS] : [], part: "key" });
  for (const [index, type] of types.entries()) {
    const [typePath, uriPath] = [
      [ACCESS, index, "type"],
      [ACCESS, index, "uri"],
    ];
    const uri = mapping.raw(...uriPath);
    if (typeof type !== "string" || NETWORK_TYPES.includes(type)) continue;
    if (types.indexOf(type) < index) report({ rule: "secondLogin", path: typePath, facts: { rival: type } });
    if (type !== "VIRTUAL_HOST" && !LOGIN_TYPES.some((each) => each === type)) {
      report({ rule: "accessType", path: typePath, facts: { type } });
      continue;
    }
    if (uri === undefined) report({ rule: "accessUri", path: [ACCESS, index], part: "key", facts: { type } });
    if (type === "VIRTUAL_HOST" || typeof uri !== "string") continue;
    const secret = parseSecretUri(uri, mapping.folder);
    if (secret.kind === "fault")
      report({ rule: "secretReference", path: uriPath, facts: { problem: secret.problem } });
  }
}

/** Several batches at once give the queue's order up: that is said, and never slips in. */
function checkOrder(mapping: WrittenMapping, report: ReportFault): void {
  const order = mapping.raw("orderBy") ?? "queue";
  if (order !== "queue" || mapping.raw("scalingConfig", "maximumConcurrency") === undefined) return;
  report({ rule: "concurrencyInOrder", path: ["scalingConfig"], part: "key" });
}
