import { type BrokerLogin, loginsOf } from "../../src/brokers/broker-access.ts";
import type { QueueMapping } from "../../src/model/mapping.ts";
import type { ShownSettings } from "../../src/ports/connector-parameters.ts";

export const KIND = "activemq";

/** The entry of `endpoints` that says where a broker is: AWS finds it by its ARN. */
export const BROKER_ENDPOINTS = "ACTIVEMQ_ENDPOINTS";

/** ActiveMQ's own policy, which AWS keeps: six redeliveries, then the dead letters (brokers §1). */
const DELIVERIES_MAX_DEFAULT = 7;
/** As AWS has it (brokers §1). */
export const BATCHES_MAX_DEFAULT = 5;

export interface ActivemqSettings {
  readonly eventSourceArn: string;
  /** `amqps://HOST:PORT`, at least one: brokers of which one is active. */
  readonly endpoints: readonly string[];
  readonly queue: string;
  readonly logins: readonly BrokerLogin[];
  /** Deliveries that failed before a message is given up to the broker's dead letters. */
  readonly deliveriesMax: number;
  readonly batchSize: number;
  /** Batches at once, at most. */
  readonly batchesMax: number;
}

/** The fields as their schema has checked them. */
interface Fields {
  readonly queues?: readonly string[];
  readonly sourceAccessConfigurations?: readonly { readonly type: string; readonly uri: string }[];
  readonly deliveryLimit?: number;
}

/** Settings of a mapping that has passed all checks. */
export function activemqSettings(
  { eventSourceArn, batchSize, concurrencyMax }: QueueMapping,
  { own = {}, endpoints = {}, folder = process.cwd() }: ShownSettings,
): ActivemqSettings {
  const fields = own as Fields;
  return {
    eventSourceArn,
    endpoints: endpoints[BROKER_ENDPOINTS] ?? [],
    queue: fields.queues?.[0] ?? "",
    logins: loginsOf(fields.sourceAccessConfigurations ?? [], folder),
    deliveriesMax: fields.deliveryLimit ?? DELIVERIES_MAX_DEFAULT,
    batchSize,
    batchesMax: concurrencyMax ?? BATCHES_MAX_DEFAULT,
  };
}
