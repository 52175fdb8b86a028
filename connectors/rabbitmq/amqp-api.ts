import type { BrokerClient, Sent } from "../../src/brokers/broker-client.ts";

/** A client of AMQP 0-9-1. */
export type AmqpApi = BrokerClient<AmqpDelivery>;

export interface AmqpDelivery extends Sent {
  readonly redelivered: boolean;
  readonly properties: AmqpProperties;
  readonly content: Buffer;
}

/** `undefined`: the sender set none. */
export interface AmqpProperties {
  readonly contentType?: unknown;
  readonly contentEncoding?: unknown;
  readonly headers?: unknown;
  readonly deliveryMode?: unknown;
  readonly priority?: unknown;
  readonly correlationId?: unknown;
  readonly replyTo?: unknown;
  readonly expiration?: unknown;
  readonly messageId?: unknown;
  /** Seconds since 1970. */
  readonly timestamp?: unknown;
  readonly type?: unknown;
  readonly userId?: unknown;
  readonly appId?: unknown;
  readonly clusterId?: unknown;
}
