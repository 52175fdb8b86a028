import type { AmqpApi, AmqpDelivery } from "../../connectors/rabbitmq/amqp-api.ts";
import { brokerFault, cancelFault } from "../../connectors/rabbitmq/broker-fault.ts";
import type { BrokerChannel, BrokerEvents } from "../../src/brokers/broker-client.ts";
import {
  replied,
  type TwinMessage,
  TwinQueue,
  type TwinQueueOptions,
  type TwinReader,
} from "./rabbit-twin-queue.ts";

/** RabbitMQ's queues as far as this connector can tell them from the real ones: the same suite runs on both. */
export class RabbitTwin {
  readonly queues = new Map<string, TwinQueue>();
  readonly #connections = new Set<TwinConnection>();
  /** Connections are refused. */
  isAway = false;

  declare(name: string, options: TwinQueueOptions = {}): TwinQueue {
    const queue = this.queues.get(name) ?? new TwinQueue(name, options, this.queues);
    this.queues.set(name, queue);
    return queue;
  }

  delete(name: string): void {
    const queue = this.queues.get(name);
    this.queues.delete(name);
    queue?.cancelConsumers();
  }

  api(): AmqpApi {
    const connection = new TwinConnection(this);
    this.#connections.add(connection);
    return connection;
  }

  /** As a broker that is killed: what was unsettled is in its queues. */
  dropConnections(): void {
    for (const connection of this.#connections) connection.drop(new Error("connection reset"));
  }

  /** As `consumer_timeout`: the channels that have something unsettled are closed by the broker. */
  timeOutConsumers(): void {
    const text =
      '406 (PRECONDITION-FAILED) with message "PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out"';
    for (const connection of this.#connections) connection.closeBusyChannels(replied(406, text));
  }
}

class TwinConnection implements AmqpApi {
  readonly twin: RabbitTwin;
  readonly #channels = new Set<TwinChannel>();
  #isClosed = false;

  constructor(twin: RabbitTwin) {
    this.twin = twin;
  }

  async open(events: BrokerEvents<AmqpDelivery>): Promise<BrokerChannel> {
    if (this.twin.isAway || this.#isClosed) throw brokerFault(new Error("connect ECONNREFUSED"), "twin");
    const channel = new TwinChannel(this.twin, events);
    this.#channels.add(channel);
    return channel;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const channel of this.#channels) await channel.close();
  }

  drop(error: Error): void {
    for (const channel of this.#channels) channel.end(error);
    this.#channels.clear();
  }

  closeBusyChannels(error: Error): void {
    for (const channel of this.#channels) if (channel.isBusy) channel.end(error);
  }
}

class TwinChannel implements BrokerChannel, TwinReader {
  readonly #twin: RabbitTwin;
  readonly #events: BrokerEvents<AmqpDelivery>;
  readonly #unsettled = new Map<number, { readonly queue: TwinQueue; readonly message: TwinMessage }>();
  #queue: TwinQueue | undefined;
  #tags = 0;
  #isOver = false;

  constructor(twin: RabbitTwin, events: BrokerEvents<AmqpDelivery>) {
    this.#twin = twin;
    this.#events = events;
  }

  get isBusy(): boolean {
    return this.#unsettled.size > 0;
  }

  async consume(
    name: string,
    wanted: { readonly prefetch: number; readonly isExclusive: boolean },
  ): Promise<void> {
    this.#queue?.detach(this);
    try {
      this.#queue = this.#find(name);
      this.#queue.attach({ ...wanted, channel: this, unsettled: 0 });
    } catch (error) {
      this.#queue = undefined;
      this.end(error);
      throw brokerFault(error, name);
    }
  }

  async cancel(): Promise<void> {
    this.#queue?.detach(this);
    this.#queue = undefined;
  }

  async ready(name: string): Promise<number> {
    // What the queue has sent has come.
    await new Promise((resolve) => setImmediate(resolve));
    try {
      return this.#find(name).ready;
    } catch (error) {
      this.end(error);
      throw brokerFault(error, name);
    }
  }

  ack(deliveryTag: number, isMultiple: boolean): void {
    this.#settle(deliveryTag, isMultiple, () => undefined);
  }

  requeue(deliveryTag: number): void {
    this.#settle(deliveryTag, false, (queue, message) => queue.giveBack([message]));
  }

  reject(deliveryTag: number): void {
    this.#settle(deliveryTag, false, (queue, message) => queue.deadLetter(message));
  }

  async close(): Promise<void> {
    // What was given back before on this channel has been sent again, perhaps here.
    await new Promise((resolve) => setImmediate(resolve));
    this.#over();
  }

  deliver(queue: TwinQueue, message: TwinMessage): void {
    const deliveryTag = ++this.#tags;
    this.#unsettled.set(deliveryTag, { queue, message });
    const redelivered = message.wasDelivered;
    message.wasDelivered = true;
    const counted = queue.options.isQuorum && message.returns > 0;
    const { headers } = message.properties;
    const properties = counted
      ? { ...message.properties, headers: { ...(headers as object), "x-delivery-count": message.returns } }
      : message.properties;
    this.#events.onDelivery({ deliveryTag, redelivered, properties, content: message.content });
  }

  cancelled(): void {
    this.#queue = undefined;
    // The queue is gone, with all that it had.
    this.#unsettled.clear();
    this.#isOver = true;
    this.#events.onEnd(cancelFault("twin"));
  }

  end(error: unknown): void {
    if (this.#isOver) return;
    this.#over();
    this.#events.onEnd(brokerFault(error, this.#queue?.name ?? "twin"));
  }

  #over(): void {
    this.#isOver = true;
    const back = [...this.#unsettled.values()];
    this.#unsettled.clear();
    for (const queue of new Set(back.map((each) => each.queue)))
      queue.giveBack(back.filter((each) => each.queue === queue).map(({ message }) => message));
    this.#queue?.detach(this);
  }

  #settle(tag: number, isMultiple: boolean, what: (queue: TwinQueue, message: TwinMessage) => void): void {
    if (this.#isOver) return;
    const tags = isMultiple ? [...this.#unsettled.keys()].filter((each) => each <= tag) : [tag];
    for (const each of tags) {
      const settled = this.#unsettled.get(each);
      if (settled === undefined) {
        this.end(replied(406, `PRECONDITION_FAILED - unknown delivery tag ${each}`));
        return;
      }
      this.#unsettled.delete(each);
      what(settled.queue, settled.message);
      settled.queue.settled(this);
    }
  }

  #find(name: string): TwinQueue {
    const queue = this.#twin.queues.get(name);
    if (queue === undefined) throw replied(404, `NOT_FOUND - no queue '${name}' in vhost '/'`);
    return queue;
  }
}
