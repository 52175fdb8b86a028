import {
  type BrokerRules,
  brokerClaims,
  brokerTexts,
  checkBrokerMapping,
} from "../../src/brokers/mapping-checks.ts";
import { DELIVERY_LIMIT_FIELD, QUEUES_FIELD } from "../../src/brokers/mapping-fields.ts";
import type { ConnectorParameters } from "../../src/ports/connector-parameters.ts";
import { SOURCE_ACCESS_FIELD } from "../../src/secrets/source-access.ts";
import { BATCHES_MAX_DEFAULT, BROKER_ENDPOINTS } from "./settings.ts";

const RULES: BrokerRules = {
  title: "ActiveMQ",
  endpointName: BROKER_ENDPOINTS,
  schemes: ["amqps", "amqp"],
  // AWS's bound: the broker has none.
  queueBytesMax: 1000,
  nameTypes: [],
};

/** What a name of a queue must not hold: a topic's address, another broker's, or options of a consumer. */
const ADDRESS = /:\/\/|[?]/;

/** What mappings of ActiveMQ's queues have that others have not (brokers §1, §3). */
export const activemqParameters: ConnectorParameters = {
  title: "ActiveMQ",
  sourceNoun: "ActiveMQ queues",
  fields: {
    queues: QUEUES_FIELD,
    sourceAccessConfigurations: SOURCE_ACCESS_FIELD,
    deliveryLimit: DELIVERY_LIMIT_FIELD,
  },
  refuses: ["provisionedPollerConfig", "tenant", "strictAwsFifo", "functionResponseTypes"],
  notes: {
    batchSize: "ActiveMQ: 100 is the default, up to 10000.",
    maximumBatchingWindowInSeconds: "ActiveMQ: half a second is the default.",
    scalingConfig: "ActiveMQ: five batches at once are the default, as on AWS.",
    endpoints:
      "ActiveMQ: ACTIVEMQ_ENDPOINTS, with amqps://HOST:PORT or amqp://HOST:PORT (AMQP 1.0) for each broker.",
  },
  immutable: ["queues"],
  keptEmpty: ["sourceAccessConfigurations"],
  defaults: { batchSize: 100, batchingWindowMs: 500, concurrencyMax: BATCHES_MAX_DEFAULT },
  functionTimeoutSecondsMax: 840,
  stateReason: "USER_INITIATED",
  check(mapping, report) {
    checkBrokerMapping(mapping, RULES, report);
    const name = mapping.raw("queues", 0);
    if (typeof name === "string" && ADDRESS.test(name)) report({ rule: "queueAddress", path: ["queues", 0] });
  },
  claims: (mapping) => brokerClaims(mapping),
  texts: {
    ...brokerTexts(RULES),
    queueAddress: () => ({
      message: "The text is an address and no name of a queue",
      remedy: "Give the queue's name alone, without queue:// or options behind a question mark",
    }),
  },
  templateEvents: {
    MQ: { moved: { Broker: ["eventSourceArn"] } },
  },
};
