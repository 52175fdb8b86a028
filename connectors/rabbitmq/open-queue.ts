import type { AmqpApi, AmqpChannel, AmqpDelivery } from "./amqp-api.ts";
import { BrokerFault } from "./broker-fault.ts";
import { DeliveryWindow } from "./delivery-window.ts";
import { createBodyFactory, headerOf } from "./event.ts";
import type { Prefetch } from "./prefetch.ts";
import type { RabbitSettings } from "./settings.ts";

export interface OpenQueueOptions {
  readonly api: AmqpApi;
  readonly settings: RabbitSettings;
  readonly prefetch: Prefetch;
  /** Monotonic. */
  readonly nowMs: () => number;
  readonly ageMsMax: number;
  onDelivery(): void;
  /** Nothing comes any more, and nothing can be settled. */
  onEnd(error: Error): void;
}

/** What a record of a stream has, and a message of a queue has not. */
const STREAM_HEADER = "x-stream-offset";

/** A queue that is being consumed, on a channel of its own. */
export class OpenQueue {
  readonly window: DeliveryWindow;
  readonly #options: OpenQueueOptions;
  readonly #channel: AmqpChannel;
  #isExclusive: boolean;
  #isAdapting = false;
  #isStopped = false;

  /** @throws BrokerFault, `isTaken` when another consumer has the queue for itself. */
  static async begin(options: OpenQueueOptions): Promise<OpenQueue> {
    const isExclusive = options.settings.order.by !== "none";
    try {
      return await beginAs(options, isExclusive);
    } catch (error) {
      if (!isExclusive || !(error instanceof BrokerFault) || !error.isTaken) throw error;
      // A queue with a single active consumer refuses consumers that are exclusive, and needs none.
      return await beginAs(options, false);
    }
  }

  constructor(options: OpenQueueOptions, channel: AmqpChannel, isExclusive: boolean) {
    const { settings, nowMs, ageMsMax } = options;
    const { order, deliveriesMax } = settings;
    this.#options = options;
    this.#channel = channel;
    this.#isExclusive = isExclusive;
    const toBody = createBodyFactory(settings, order);
    this.window = new DeliveryWindow({ channel, order, toBody, nowMs, deliveriesMax, ageMsMax });
  }

  /** The broker has messages for this consumer which have not come. What it had sent has come when this answers. */
  async hasMore(): Promise<boolean> {
    try {
      const { queue } = this.#options.settings;
      const ready = await this.#channel.ready(queue);
      return ready > 0 && this.window.given + this.window.waiting < this.#options.prefetch.current;
    } catch {
      // The end of the channel is told by its event.
      return false;
    }
  }

  /** Nothing more is given; what is given already may be settled. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.window.giveBackWaiting();
    await this.#channel.cancel().catch(() => undefined);
    this.window.giveBackWaiting();
  }

  /** All goes back to the queue at once. */
  async close(): Promise<void> {
    this.#isStopped = true;
    this.window.end();
    await this.#channel.close();
  }

  receives(delivery: AmqpDelivery): void {
    if (this.window.hasEnded) return;
    if (headerOf(delivery.properties.headers, STREAM_HEADER) !== undefined) {
      this.ends(
        new BrokerFault("ERR_MILLRACE_SOURCE_UNAVAILABLE", streamRefusal(this.#options.settings.queue)),
      );
      void this.#channel.close();
      return;
    }
    const { prefetch, onDelivery } = this.#options;
    prefetch.saw(this.window.add(delivery));
    if (this.#isStopped) {
      this.window.giveBackWaiting();
      return;
    }
    onDelivery();
    if (!this.#isAdapting && prefetch.adapt()) void this.#consumeAnew();
  }

  ends(error: Error): void {
    if (this.window.hasEnded) return;
    this.window.end();
    this.#options.onEnd(error);
  }

  async consume(): Promise<void> {
    const { settings, prefetch } = this.#options;
    await this.#channel.consume(settings.queue, {
      prefetch: prefetch.current,
      isExclusive: this.#isExclusive,
    });
  }

  async #consumeAnew(): Promise<void> {
    this.#isAdapting = true;
    try {
      await this.consume();
    } catch (error) {
      this.ends(error instanceof Error ? error : new Error(String(error)));
      await this.#channel.close();
    } finally {
      this.#isAdapting = false;
    }
  }
}

async function beginAs(options: OpenQueueOptions, isExclusive: boolean): Promise<OpenQueue> {
  let open: OpenQueue | undefined;
  let hasBegun = false;
  const channel = await options.api.open({
    onDelivery: (delivery) => open?.receives(delivery),
    // A channel that ends before is told by what was asked of it.
    onEnd: (error) => (hasBegun ? open?.ends(error) : open?.window.end()),
  });
  open = new OpenQueue(options, channel, isExclusive);
  try {
    await open.consume();
    hasBegun = true;
    return open;
  } catch (error) {
    open.window.end();
    await channel.close();
    throw error;
  }
}

function streamRefusal(queue: string): string {
  return (
    `"${queue}" is a stream: its records are read by offset and never taken off, so a mapping of a queue cannot settle ` +
    "them. Name a classic or quorum queue."
  );
}
