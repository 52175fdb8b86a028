import type { BrokerChannel, BrokerClient, Sent } from "./broker-client.ts";
import { BrokerFault } from "./broker-fault.ts";
import { DeliveryWindow } from "./delivery-window.ts";
import type { Prefetch } from "./prefetch.ts";
import type { SentAheadQueue } from "./sent-ahead-queue.ts";

export interface OpenQueueOptions<D extends Sent> {
  readonly client: BrokerClient<D>;
  readonly place: SentAheadQueue<D>;
  readonly prefetch: Prefetch;
  /** Monotonic. */
  readonly nowMs: () => number;
  onDelivery(): void;
  /** Nothing comes any more, and nothing can be settled. */
  onEnd(error: Error): void;
}

/** A queue that is being consumed, on a channel of its own. */
export class OpenQueue<D extends Sent> {
  readonly window: DeliveryWindow;
  readonly #options: OpenQueueOptions<D>;
  readonly #channel: BrokerChannel;
  #isExclusive: boolean;
  #isAdapting = false;
  #isStopped = false;

  /** @throws BrokerFault, `isTaken` when another consumer has the queue for itself. */
  static async begin<D extends Sent>(options: OpenQueueOptions<D>): Promise<OpenQueue<D>> {
    const { isExclusive } = options.place;
    try {
      return await beginAs(options, isExclusive);
    } catch (error) {
      if (!isExclusive || !(error instanceof BrokerFault) || !error.isTaken) throw error;
      // A queue with a single active consumer refuses consumers that are exclusive, and needs none.
      return await beginAs(options, false);
    }
  }

  constructor(options: OpenQueueOptions<D>, channel: BrokerChannel, isExclusive: boolean) {
    const { place, nowMs } = options;
    const { order, deliveriesMax, ageMsMax, counts } = place;
    this.#options = options;
    this.#channel = channel;
    this.#isExclusive = isExclusive;
    this.window = new DeliveryWindow({ channel, order, nowMs, deliveriesMax, ageMsMax, counts });
  }

  /** The broker has messages for this consumer which have not come. What it had sent has come when this answers. */
  async hasMore(): Promise<boolean> {
    try {
      const { queue } = this.#options.place;
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

  receives(delivery: D): void {
    if (this.window.hasEnded) return;
    const { prefetch, onDelivery, place } = this.#options;
    const refusal = place.refusalOf?.(delivery);
    if (refusal !== undefined) {
      this.ends(new BrokerFault("ERR_MILLRACE_SOURCE_UNAVAILABLE", refusal));
      void this.#channel.close();
      return;
    }
    prefetch.saw(this.window.add(delivery.deliveryTag, place.toBody(delivery)));
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
    const { place, prefetch } = this.#options;
    await this.#channel.consume(place.queue, {
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

async function beginAs<D extends Sent>(
  options: OpenQueueOptions<D>,
  isExclusive: boolean,
): Promise<OpenQueue<D>> {
  let open: OpenQueue<D> | undefined;
  let hasBegun = false;
  const channel = await options.client.open({
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
