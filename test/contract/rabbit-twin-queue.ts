import { randomUUID } from "node:crypto";
import type { AmqpProperties } from "../../connectors/rabbitmq/amqp-api.ts";

export interface TwinQueueOptions {
  /** Counts deliveries in `x-delivery-count`, and gives up behind `deliveryLimit`. */
  readonly isQuorum?: boolean;
  readonly deliveryLimit?: number;
  readonly isSingleActive?: boolean;
  /** Name of the queue that gets what is rejected. */
  readonly deadLetterQueue?: string;
}

export interface TwinMessage {
  /** Its place in the queue, which it has again when it is given back. */
  readonly place: number;
  readonly content: Buffer;
  readonly properties: AmqpProperties;
  returns: number;
  wasDelivered: boolean;
}

/** A channel, as its queue sees it. */
export interface TwinReader {
  deliver(queue: TwinQueue, message: TwinMessage): void;
  cancelled(): void;
}

interface Consumer {
  readonly channel: TwinReader;
  readonly prefetch: number;
  readonly isExclusive: boolean;
  unsettled: number;
}

export class TwinQueue {
  readonly name: string;
  readonly options: TwinQueueOptions;
  readonly #others: ReadonlyMap<string, TwinQueue>;
  #ready: TwinMessage[] = [];
  readonly #consumers: Consumer[] = [];
  #next = 0;
  #places = 0;
  #isPushing = false;

  constructor(name: string, options: TwinQueueOptions, others: ReadonlyMap<string, TwinQueue>) {
    this.name = name;
    this.options = options;
    this.#others = others;
  }

  get ready(): number {
    return this.#ready.length;
  }

  get contents(): readonly string[] {
    return this.#ready.map(({ content }) => content.toString());
  }

  publish(content: Buffer | string, properties: AmqpProperties = {}): void {
    const withId = { messageId: randomUUID(), ...properties };
    const message = { place: this.#places++, content: Buffer.from(content), properties: withId };
    this.#ready.push({ ...message, returns: 0, wasDelivered: false });
    this.push();
  }

  attach(consumer: Consumer): void {
    const isTaken = this.#consumers.some(({ isExclusive }) => isExclusive);
    const isRefused =
      consumer.isExclusive && (this.#consumers.length > 0 || this.options.isSingleActive === true);
    if (isTaken || isRefused) {
      // As the real one: quorum queues do not look at it.
      if (this.options.isQuorum !== true)
        throw replied(403, `ACCESS_REFUSED - queue '${this.name}' in vhost '/' in exclusive use`);
    }
    this.#consumers.push(consumer);
    this.push();
  }

  detach(channel: TwinReader): void {
    const index = this.#consumers.findIndex((consumer) => consumer.channel === channel);
    if (index >= 0) this.#consumers.splice(index, 1);
    this.push();
  }

  cancelConsumers(): void {
    for (const { channel } of this.#consumers.splice(0)) channel.cancelled();
  }

  giveBack(messages: readonly TwinMessage[]): void {
    const { deliveryLimit = Number.POSITIVE_INFINITY, isQuorum } = this.options;
    for (const message of messages) {
      message.returns++;
      if (isQuorum && message.returns > deliveryLimit) this.deadLetter(message);
      else this.#ready.push(message);
    }
    this.#ready = this.#ready.toSorted((a, b) => a.place - b.place);
    this.push();
  }

  deadLetter(message: TwinMessage): void {
    const { deadLetterQueue } = this.options;
    const target = deadLetterQueue === undefined ? undefined : this.#others.get(deadLetterQueue);
    target?.publish(message.content, message.properties);
  }

  settled(channel: TwinReader): void {
    const consumer = this.#consumers.find((each) => each.channel === channel);
    if (consumer !== undefined) consumer.unsettled--;
    this.push();
  }

  /** Sends what may be sent, a little later, as a network does. */
  push(): void {
    if (this.#isPushing) return;
    this.#isPushing = true;
    setImmediate(() => {
      this.#isPushing = false;
      for (
        let consumer = this.#free();
        consumer !== undefined && this.#ready.length > 0;
        consumer = this.#free()
      ) {
        const message = this.#ready.shift();
        if (message === undefined) return;
        consumer.unsettled++;
        consumer.channel.deliver(this, message);
      }
    });
  }

  #free(): Consumer | undefined {
    const isFree = ({ unsettled, prefetch }: Consumer) => unsettled < prefetch;
    if (this.options.isSingleActive) return this.#consumers.slice(0, 1).find(isFree);
    const free = this.#consumers.filter(isFree);
    return free.length === 0 ? undefined : free[this.#next++ % free.length];
  }
}

/** What the broker closes a channel with. */
export function replied(code: number, text: string): Error {
  return Object.assign(new Error(text), { code });
}
