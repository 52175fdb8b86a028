import type { Connection, Delivery, EventContext, Receiver, Session } from "rhea";
import type { BrokerChannel, BrokerEvents } from "../../src/brokers/broker-client.ts";
import { inTime } from "../../src/brokers/in-time.ts";
import { amqpFault } from "./amqp-fault.ts";
import type { AmqpDelivery } from "./amqp-message.ts";
import { UNSETTLED_SPAN_MAX } from "./rhea-connection.ts";

/**
 * One receiver, in a session of its own. The broker may send as many messages as it has credit for: what is settled is
 * given again as credit.
 */
export class RheaChannel implements BrokerChannel {
  readonly #connection: Connection;
  readonly #place: string;
  readonly #events: BrokerEvents<AmqpDelivery>;
  /** By tag, lowest first. */
  readonly #unsettled = new Map<number, Delivery>();
  /** They go back when nothing comes any more: ActiveMQ would send them here again. */
  readonly #returning: Delivery[] = [];
  #session: Session | undefined;
  #receiver: Receiver | undefined;
  #tags = 0;
  #prefetch = 0;
  /** Messages that the broker may still send. */
  #credit = 0;
  #isDraining = false;
  #isOver = false;

  constructor(connection: Connection, place: string, events: BrokerEvents<AmqpDelivery>) {
    this.#connection = connection;
    this.#place = place;
    this.#events = events;
    connection.on("disconnected", this.#onLost);
    connection.on("connection_error", this.#onLost);
    connection.on("connection_close", this.#onLost);
  }

  async consume(queue: string, { prefetch }: { readonly prefetch: number }): Promise<void> {
    await this.#attached(queue);
    this.#prefetch = prefetch;
    this.#grant();
  }

  async cancel(): Promise<void> {
    this.#prefetch = 0;
    await this.#drained();
    for (const delivery of this.#returning.splice(0)) delivery.release();
  }

  /** What the queue had for this consumer has come when it answers. */
  async ready(queue: string): Promise<number> {
    await this.#attached(queue);
    await this.#drained();
    this.#grant();
    return 0;
  }

  ack(deliveryTag: number, isMultiple: boolean): void {
    for (const delivery of this.#taken(deliveryTag, isMultiple)) delivery.accept();
    this.#grant();
  }

  requeue(deliveryTag: number): void {
    for (const delivery of this.#taken(deliveryTag, false)) {
      if (this.#prefetch > 0) this.#returning.push(delivery);
      else delivery.release();
    }
  }

  reject(deliveryTag: number): void {
    for (const delivery of this.#taken(deliveryTag, false)) delivery.reject();
    this.#grant();
  }

  async close(): Promise<void> {
    const session = this.#session;
    const isAlone = this.#isOver || session === undefined;
    this.#end();
    if (isAlone || this.#connection.is_closed()) return;
    const over = Promise.withResolvers<void>();
    session.once("session_close", () => over.resolve());
    session.once("session_error", () => over.resolve());
    this.#connection.once("disconnected", () => over.resolve());
    this.#receiver?.close();
    session.close();
    await inTime(over.promise).catch(() => undefined);
  }

  /** The receiver, which the first that asks opens. @throws the broker's reason */
  async #attached(queue: string): Promise<void> {
    if (this.#isOver) throw amqpFault(new Error("the connection was closed"), this.#place, "queue");
    if (this.#receiver !== undefined) return;
    const opened = Promise.withResolvers<void>();
    const session = this.#connection.create_session({ incoming: UNSETTLED_SPAN_MAX });
    this.#session = session;
    session.on("session_error", (context: EventContext) =>
      this.#fails(context.session?.error, opened.reject),
    );
    session.on("session_close", (context: EventContext) =>
      this.#fails(context.session?.error, opened.reject),
    );
    session.open();
    const receiver = session.open_receiver({
      source: { address: queue, capabilities: ["queue"] },
      credit_window: 0,
      autoaccept: false,
    });
    this.#receiver = receiver;
    let isRefused = false;
    receiver.on("receiver_open", () => {
      // A broker that refuses answers with no source, and says why by the end that follows.
      isRefused = receiver.source?.address === undefined || receiver.source.address === null;
      if (!isRefused) opened.resolve();
    });
    const onEnd = () => this.#fails(receiver.error, opened.reject);
    receiver.on("receiver_error", onEnd);
    receiver.on("receiver_close", onEnd);
    receiver.on("message", (context: EventContext) => this.#receives(context));
    const lost = () => opened.reject(new Error("the connection was closed"));
    this.#connection.once("disconnected", lost);
    try {
      await inTime(opened.promise);
    } catch (error) {
      this.#end();
      if (!session.is_closed()) session.close();
      throw amqpFault(error, this.#place, "queue");
    } finally {
      this.#connection.removeListener("disconnected", lost);
    }
  }

  #receives({ delivery, message }: EventContext): void {
    if (delivery === undefined || message === undefined || this.#isOver) return;
    this.#credit--;
    const deliveryTag = ++this.#tags;
    this.#unsettled.set(deliveryTag, delivery);
    this.#events.onDelivery({ deliveryTag, cameAtMs: Date.now(), message });
  }

  #taken(deliveryTag: number, isMultiple: boolean): readonly Delivery[] {
    if (this.#isOver) return [];
    const taken: Delivery[] = [];
    for (const [tag, delivery] of this.#unsettled) {
      if (tag > deliveryTag) break;
      if (tag < deliveryTag && !isMultiple) continue;
      taken.push(delivery);
      this.#unsettled.delete(tag);
    }
    return taken;
  }

  /** As much credit as makes the prefetch full. */
  #grant(): void {
    const receiver = this.#receiver;
    if (receiver === undefined || this.#isOver || this.#isDraining) return;
    const room = this.#prefetch - this.#unsettled.size - this.#returning.length - this.#credit;
    // Few at a time: each is a frame.
    if (room <= 0 || (room * 4 < this.#prefetch && this.#credit > 0)) return;
    this.#credit += room;
    receiver.add_credit(room);
  }

  /** All that the broker has for the credit has come, and the credit is gone. */
  async #drained(): Promise<void> {
    const receiver = this.#receiver;
    if (receiver === undefined || this.#isOver || this.#isDraining || this.#credit === 0) return;
    this.#isDraining = true;
    const drained = Promise.withResolvers<void>();
    receiver.once("receiver_drained", () => drained.resolve());
    receiver.drain_credit();
    try {
      await inTime(drained.promise);
      this.#credit = 0;
    } catch (error) {
      this.#fails(error, () => undefined);
      throw amqpFault(error, this.#place, "queue");
    } finally {
      this.#isDraining = false;
      receiver.drain = false;
    }
  }

  readonly #onLost = ({ error }: EventContext): void => {
    this.#fails(error ?? this.#connection.error, () => undefined);
  };

  #fails(error: unknown, reject: (reason: unknown) => void): void {
    const reason = error ?? new Error("the broker ended it without a reason");
    reject(reason);
    if (this.#isOver) return;
    this.#end();
    this.#events.onEnd(amqpFault(reason, this.#place, "queue"));
  }

  #end(): void {
    this.#isOver = true;
    this.#unsettled.clear();
    this.#returning.length = 0;
    this.#connection.removeListener("disconnected", this.#onLost);
    this.#connection.removeListener("connection_error", this.#onLost);
    this.#connection.removeListener("connection_close", this.#onLost);
  }
}
