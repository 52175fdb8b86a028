import {
  accessUri,
  type BrokerRules,
  brokerClaims,
  brokerTexts,
  checkBrokerMapping,
} from "../../src/brokers/mapping-checks.ts";
import type {
  FaultTexts,
  ReportFault,
  SourceClaim,
  WrittenMapping,
} from "../../src/ports/connector-parameters.ts";
import { BROKER_ENDPOINTS, VIRTUAL_HOST_DEFAULT } from "./settings.ts";

const RULES: BrokerRules = {
  title: "RabbitMQ",
  endpointName: BROKER_ENDPOINTS,
  schemes: ["amqps", "amqp"],
  // AMQP's own bound of a name.
  queueBytesMax: 255,
  nameTypes: ["VIRTUAL_HOST"],
};

/** Rules between the fields of a mapping of RabbitMQ (brokers §1), with AWS's texts where it has them. */
export function checkRabbitMapping(mapping: WrittenMapping, report: ReportFault): void {
  checkBrokerMapping(mapping, RULES, report);
  checkOrder(mapping, report);
}

export const RABBIT_TEXTS: FaultTexts = {
  ...brokerTexts(RULES),
  concurrencyInOrder: () => ({
    message: "Unsupported ScalingConfig parameter for given event source mapping type.",
    remedy:
      "Give orderBy: header:NAME or orderBy: none, or remove the field: one batch at once keeps the queue's order",
  }),
};

/** A function reads a queue of a virtual host of a broker once. */
export function rabbitClaims(mapping: WrittenMapping): readonly SourceClaim[] {
  return brokerClaims(mapping, accessUri(mapping, "VIRTUAL_HOST") ?? VIRTUAL_HOST_DEFAULT);
}

/** Several batches at once give the queue's order up: that is said, and never slips in. */
function checkOrder(mapping: WrittenMapping, report: ReportFault): void {
  const order = mapping.raw("orderBy") ?? "queue";
  if (order !== "queue" || mapping.raw("scalingConfig", "maximumConcurrency") === undefined) return;
  report({ rule: "concurrencyInOrder", path: ["scalingConfig"], part: "key" });
}
