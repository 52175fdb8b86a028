import { type BrokerLogin, loginsOf } from "../../src/brokers/broker-access.ts";
import type { QueueMapping } from "../../src/model/mapping.ts";
import type { ShownSettings } from "../../src/ports/connector-parameters.ts";

export const KIND = "rabbitmq";

/** The entry of `endpoints` that says where a broker is: AWS finds it by its ARN. */
export const BROKER_ENDPOINTS = "RABBITMQ_ENDPOINTS";

export const VIRTUAL_HOST_DEFAULT = "/";
/** RabbitMQ's own default of `consumer_timeout`. */
const CONSUMER_TIMEOUT_SECONDS_DEFAULT = 1_800;

/** In which order messages are run. */
export type RabbitOrder =
  /** As the queue gives them, one batch after the other: AWS's way. */
  | { readonly by: "queue" }
  /** Those with the same value of this header; those without it in none. */
  | { readonly by: "header"; readonly name: string }
  | { readonly by: "none" };

export interface RabbitSettings {
  readonly eventSourceArn: string;
  /** `amqps://HOST:PORT`, at least one: nodes of one cluster. */
  readonly endpoints: readonly string[];
  readonly queue: string;
  readonly virtualHost: string;
  readonly logins: readonly BrokerLogin[];
  readonly order: RabbitOrder;
  /** Deliveries that failed before a message is rejected; `undefined`: none is. */
  readonly deliveriesMax: number | undefined;
  readonly consumerTimeoutMs: number;
  readonly batchSize: number;
  /** Batches at once, at most. */
  readonly batchesMax: number;
}

/** The fields as their schema has checked them. */
interface Fields {
  readonly queues?: readonly string[];
  readonly sourceAccessConfigurations?: readonly { readonly type: string; readonly uri: string }[];
  readonly orderBy?: string;
  readonly deliveryLimit?: number;
  readonly consumerTimeoutSeconds?: number;
}

/** Settings of a mapping that has passed all checks. */
export function rabbitSettings(
  { eventSourceArn, batchSize, concurrencyMax }: QueueMapping,
  { own = {}, endpoints = {}, folder = process.cwd() }: ShownSettings,
): RabbitSettings {
  const fields = own as Fields;
  const access = fields.sourceAccessConfigurations ?? [];
  return {
    eventSourceArn,
    endpoints: endpoints[BROKER_ENDPOINTS] ?? [],
    queue: fields.queues?.[0] ?? "",
    virtualHost: access.find(({ type }) => type === "VIRTUAL_HOST")?.uri ?? VIRTUAL_HOST_DEFAULT,
    logins: loginsOf(access, folder),
    order: orderOf(fields.orderBy),
    deliveriesMax: fields.deliveryLimit,
    consumerTimeoutMs: (fields.consumerTimeoutSeconds ?? CONSUMER_TIMEOUT_SECONDS_DEFAULT) * 1000,
    batchSize,
    batchesMax: concurrencyMax ?? 1,
  };
}

const BY_HEADER = "header:";

function orderOf(text = "queue"): RabbitOrder {
  if (text.startsWith(BY_HEADER)) return { by: "header", name: text.slice(BY_HEADER.length) };
  return { by: text === "none" ? "none" : "queue" };
}
