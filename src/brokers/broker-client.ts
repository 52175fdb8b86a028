/** A message as a broker sent it, numbered on its channel. */
export interface Sent {
  /** Counts from 1 on a channel. */
  readonly deliveryTag: number;
}

/** What is needed of a client of a broker that sends messages ahead. Failures are the errors of the port. */
export interface BrokerClient<D extends Sent> {
  /** A new channel, on the connection that there is or on a new one. */
  open(events: BrokerEvents<D>): Promise<BrokerChannel>;
  /** Idempotent; what is unsettled goes back to its queues. */
  close(): Promise<void>;
}

export interface BrokerEvents<D extends Sent> {
  onDelivery(delivery: D): void;
  /**
   * Nothing comes any more, once: the broker cancelled the consumer, closed the channel or the connection, or is away.
   */
  onEnd(error: Error): void;
}

/** Settlements are written and not answered; on a channel that has ended they do nothing. */
export interface BrokerChannel {
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
  /** To where the queue puts what it gives up, or away. */
  reject(deliveryTag: number): void;
  /** All that is unsettled goes back to the queue, in its order. */
  close(): Promise<void>;
}
