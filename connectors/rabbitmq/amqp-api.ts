/** What the connector needs of a client of AMQP 0-9-1. Failures are the errors of the port. */
export interface AmqpApi {
  /** A new channel, on the connection that there is or on a new one. */
  open(events: AmqpEvents): Promise<AmqpChannel>;
  /** Idempotent; what is unsettled goes back to its queues. */
  close(): Promise<void>;
}

export interface AmqpEvents {
  onDelivery(delivery: AmqpDelivery): void;
  /**
   * Nothing comes any more, once: the broker cancelled the consumer, closed the channel or the connection, or is away.
   */
  onEnd(error: Error): void;
}

/** Settlements are written and not answered; on a channel that has ended they do nothing. */
export interface AmqpChannel {
  /** Rejects when the queue is not there, or is read by somebody who has it for himself. */
  consume(queue: string, wanted: { readonly prefetch: number; readonly isExclusive: boolean }): Promise<void>;
  /** Nothing more is sent; what was sent may be settled. */
  cancel(): Promise<void>;
  /** Messages of the queue that nobody has been sent. What this channel was sent before has come when it answers. */
  ready(queue: string): Promise<number>;
  /** `isMultiple`: with all that were delivered before and are not settled. */
  ack(deliveryTag: number, isMultiple: boolean): void;
  /** Back to the queue, at about its old place. */
  requeue(deliveryTag: number): void;
  /** To the queue's dead-letter exchange, or away. */
  reject(deliveryTag: number): void;
  /** All that is unsettled goes back to the queue, in its order. */
  close(): Promise<void>;
}

export interface AmqpDelivery {
  /** Counts from 1 on a channel. */
  readonly deliveryTag: number;
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
