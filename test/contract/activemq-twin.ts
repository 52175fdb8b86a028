import { randomUUID } from "node:crypto";
import { amqpFault } from "../../connectors/activemq/amqp-fault.ts";
import type { AmqpDelivery, AmqpMessage } from "../../connectors/activemq/amqp-message.ts";
import type { BrokerChannel, BrokerClient, BrokerEvents } from "../../src/brokers/broker-client.ts";

interface Kept {
  /** Its place in the queue, which it has again when its consumer leaves. */
  readonly place: number;
  readonly message: AmqpMessage;
  redeliveries: number;
}

/** ActiveMQ as far as the connector can tell it from the real one: the same suite runs on both. */
export class ActivemqTwin {
  readonly deadLetters: AmqpMessage[] = [];
  readonly #queues = new Map<string, TwinQueue>();
  readonly #channels = new Set<TwinChannel>();
  /** Connections are refused. */
  isAway = false;

  queue(name: string): TwinQueue {
    const queue = this.#queues.get(name) ?? new TwinQueue();
    this.#queues.set(name, queue);
    return queue;
  }

  client(): BrokerClient<AmqpDelivery> {
    const own = new Set<TwinChannel>();
    let isClosed = false;
    return {
      open: async (events) => {
        if (this.isAway || isClosed) throw amqpFault(new Error("connect ECONNREFUSED"), "twin", "login");
        const channel = new TwinChannel(this, events);
        own.add(channel);
        this.#channels.add(channel);
        return channel;
      },
      close: async () => {
        isClosed = true;
        for (const channel of own) await channel.close();
      },
    };
  }

  /** As a broker that is killed: what was sent comes again, and is counted. */
  dropConnections(): void {
    for (const channel of this.#channels) channel.drop();
    this.#channels.clear();
  }
}

class TwinQueue {
  #ready: Kept[] = [];
  readonly #readers: TwinChannel[] = [];
  /** Who has a group. */
  readonly #owners = new Map<unknown, TwinChannel>();
  #places = 0;
  #next = 0;

  get ready(): number {
    return this.#ready.length;
  }

  send(message: AmqpMessage): void {
    const withId = { message_id: `ID:${randomUUID()}`, ...message };
    this.#ready.push({ place: this.#places++, message: withId, redeliveries: 0 });
    this.push();
  }

  attach(reader: TwinChannel): void {
    if (!this.#readers.includes(reader)) this.#readers.push(reader);
    this.push();
  }

  detach(reader: TwinChannel, back: readonly Kept[]): void {
    const index = this.#readers.indexOf(reader);
    if (index >= 0) this.#readers.splice(index, 1);
    for (const [group, owner] of this.#owners) if (owner === reader) this.#owners.delete(group);
    this.#ready = [...this.#ready, ...back].toSorted((a, b) => a.place - b.place);
    this.push();
  }

  /** Sends what there is credit for, a little later, as a network does. */
  push(): void {
    setImmediate(() => {
      const left: Kept[] = [];
      for (const kept of this.#ready) {
        const reader = this.#readerOf(kept);
        if (reader === undefined) left.push(kept);
        else reader.deliver(this, kept);
      }
      this.#ready = left;
    });
  }

  #readerOf({ message }: Kept): TwinChannel | undefined {
    const { group_id: group } = message;
    const owner = group === undefined ? undefined : this.#owners.get(group);
    if (owner !== undefined) return owner.hasCredit ? owner : undefined;
    const free = this.#readers.filter(({ hasCredit }) => hasCredit);
    const reader = free[this.#next++ % Math.max(1, free.length)];
    if (group !== undefined && reader !== undefined) this.#owners.set(group, reader);
    return reader;
  }
}

class TwinChannel implements BrokerChannel {
  readonly #twin: ActivemqTwin;
  readonly #events: BrokerEvents<AmqpDelivery>;
  readonly #unsettled = new Map<number, Kept>();
  #queue: TwinQueue | undefined;
  #prefetch = 0;
  #tags = 0;
  #isOver = false;

  constructor(twin: ActivemqTwin, events: BrokerEvents<AmqpDelivery>) {
    this.#twin = twin;
    this.#events = events;
  }

  get hasCredit(): boolean {
    return this.#unsettled.size < this.#prefetch;
  }

  async consume(name: string, { prefetch }: { readonly prefetch: number }): Promise<void> {
    this.#prefetch = prefetch;
    this.#queue = this.#twin.queue(name);
    this.#queue.attach(this);
  }

  async cancel(): Promise<void> {
    this.#prefetch = 0;
  }

  async ready(): Promise<number> {
    await new Promise((resolve) => setImmediate(resolve));
    return 0;
  }

  ack(deliveryTag: number, isMultiple: boolean): void {
    for (const tag of [...this.#unsettled.keys()])
      if (tag === deliveryTag || (isMultiple && tag < deliveryTag)) this.#unsettled.delete(tag);
    this.#queue?.push();
  }

  /** It goes back when this consumer leaves, and no sooner. */
  requeue(): void {}

  reject(deliveryTag: number): void {
    const kept = this.#unsettled.get(deliveryTag);
    if (this.#unsettled.delete(deliveryTag) && kept !== undefined) this.#twin.deadLetters.push(kept.message);
    this.#queue?.push();
  }

  async close(): Promise<void> {
    this.#leave(0);
  }

  drop(): void {
    if (this.#isOver) return;
    this.#leave(1);
    this.#events.onEnd(amqpFault(new Error("connection reset"), "twin", "queue"));
  }

  deliver(queue: TwinQueue, kept: Kept): void {
    this.#queue = queue;
    const deliveryTag = ++this.#tags;
    this.#unsettled.set(deliveryTag, kept);
    const { message, redeliveries } = kept;
    const counted = redeliveries > 0 ? { ...message, delivery_count: redeliveries } : message;
    this.#events.onDelivery({ deliveryTag, cameAtMs: Date.now(), message: counted });
  }

  #leave(redeliveries: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const back = [...this.#unsettled.values()];
    this.#unsettled.clear();
    for (const kept of back) kept.redeliveries += redeliveries;
    this.#queue?.detach(this, back);
  }
}
