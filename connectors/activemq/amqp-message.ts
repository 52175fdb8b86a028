import type { Sent } from "../../src/brokers/broker-client.ts";

/** A message of AMQP 1.0, as a client reads it. Each member may be absent or of another kind: it came from outside. */
export interface AmqpMessage {
  readonly durable?: unknown;
  readonly priority?: unknown;
  /** Deliveries before this one that failed, as far as the broker knows. */
  readonly delivery_count?: unknown;
  readonly message_id?: unknown;
  readonly to?: unknown;
  readonly subject?: unknown;
  readonly reply_to?: unknown;
  readonly correlation_id?: unknown;
  readonly content_type?: unknown;
  readonly absolute_expiry_time?: unknown;
  readonly creation_time?: unknown;
  readonly group_id?: unknown;
  readonly message_annotations?: unknown;
  readonly application_properties?: unknown;
  readonly body?: unknown;
}

export interface AmqpDelivery extends Sent {
  /** Epoch milliseconds: when it came here. */
  readonly cameAtMs: number;
  readonly message: AmqpMessage;
}
