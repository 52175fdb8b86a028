import { DELIVERY_LIMIT_FIELD, QUEUES_FIELD } from "../../src/brokers/mapping-fields.ts";
import type { ConnectorParameters } from "../../src/ports/connector-parameters.ts";
import { SOURCE_ACCESS_FIELD } from "../../src/secrets/source-access.ts";
import { checkRabbitMapping, RABBIT_TEXTS, rabbitClaims } from "./checks.ts";

/** What mappings of RabbitMQ queues have that others have not (brokers §1, §2). */
export const rabbitParameters: ConnectorParameters = {
  title: "RabbitMQ",
  sourceNoun: "RabbitMQ queues",
  fields: {
    queues: QUEUES_FIELD,
    sourceAccessConfigurations: SOURCE_ACCESS_FIELD,
    orderBy: {
      type: "string",
      pattern: "^(?:queue|none|header:[\\x21-\\x7e]{1,120})$",
      description:
        "RabbitMQ only, and not AWS's. In which order messages are run: queue, as the queue gives them, one batch after the other; header:NAME, those with the same value of this header, several batches at once, by one process at a time; none, several batches at once by all processes. Default queue, as AWS does. The others need scalingConfig to run more than one batch at once.",
    },
    deliveryLimit: DELIVERY_LIMIT_FIELD,
    consumerTimeoutSeconds: {
      type: "integer",
      minimum: 60,
      maximum: 604_800,
      description:
        "RabbitMQ only, and not AWS's. The broker's consumer_timeout: messages that wait here go back to the queue when half of it is over, since the broker would close the channel. At least twice the function's timeoutSeconds. Default 1800, as the broker's.",
    },
  },
  refuses: ["provisionedPollerConfig", "tenant", "strictAwsFifo", "functionResponseTypes"],
  notes: {
    batchSize: "RabbitMQ: 100 is the default, up to 10000.",
    maximumBatchingWindowInSeconds: "RabbitMQ: half a second is the default.",
    scalingConfig: "RabbitMQ: one batch at once, as on AWS, unless orderBy allows more.",
    endpoints: "RabbitMQ: RABBITMQ_ENDPOINTS, with amqps://HOST:PORT or amqp://HOST:PORT for each node.",
  },
  immutable: ["queues"],
  keptEmpty: ["sourceAccessConfigurations"],
  defaults: { batchSize: 100, batchingWindowMs: 500, concurrencyMax: 1 },
  functionTimeoutSecondsMax: 840,
  stateReason: "USER_INITIATED",
  check: checkRabbitMapping,
  claims: rabbitClaims,
  texts: RABBIT_TEXTS,
  templateEvents: {
    MQ: { moved: { Broker: ["eventSourceArn"] } },
  },
};
