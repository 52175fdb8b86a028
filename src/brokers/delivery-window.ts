import type { QueueMessage, Settlement } from "../ports/queue-source.ts";
import type { BrokerChannel } from "./broker-client.ts";
import type { Delivery } from "./delivery.ts";
import type { DeliveryCounts } from "./delivery-counts.ts";
import { asSent, type MessageOrder, messageOf, type SentBody, type SentMessage } from "./sent-message.ts";

/** A message that was given, with what settles it. */
export interface GivenMessage extends SentMessage {
  readonly window: DeliveryWindow;
  readonly delivery: Delivery;
  /** Which time it was given: only the last one settles. */
  readonly give: number;
}

export interface DeliveryWindowOptions {
  readonly channel: BrokerChannel;
  readonly order: MessageOrder;
  /** Monotonic. */
  readonly nowMs: () => number;
  /** Deliveries of a message before it is rejected, when its function fails. */
  readonly deliveriesMax: number | undefined;
  /** A delivery that is older is given to nobody: the broker waits for its acknowledgement only so long. */
  readonly ageMsMax: number;
  /** Remembers what the broker does not. */
  readonly counts?: DeliveryCounts | undefined;
}

/**
 * What a channel has been sent and has not settled, in the order of the queue. Deliveries wait here until they are
 * given; those that fail wait here again, and hold back what may not overtake them (brokers §2.2).
 */
export class DeliveryWindow {
  readonly #options: DeliveryWindowOptions;
  /** All that the broker waits for, by tag, lowest first. */
  readonly #unsettled = new Map<number, Delivery>();
  /** By tag, lowest first. */
  #waiting: Delivery[] = [];
  /** Given deliveries of each group. */
  readonly #given = new Map<string | undefined, number>();
  #givenCount = 0;
  #hasEnded = false;

  constructor(options: DeliveryWindowOptions) {
    this.#options = options;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }
  get waiting(): number {
    return this.#waiting.length;
  }
  get given(): number {
    return this.#givenCount;
  }

  /** Some wait for a moment that has not come. */
  get hasDelayed(): boolean {
    return this.#waiting.some(({ notBeforeMs }) => notBeforeMs > this.#options.nowMs());
  }

  /** Its size in bytes. */
  add(tag: number, body: SentBody): number {
    const delivery: Delivery = {
      tag,
      body,
      cameMs: this.#options.nowMs(),
      state: "waiting",
      gives: 0,
      failures: 0,
      notBeforeMs: Number.NEGATIVE_INFINITY,
      holdUntilMs: Number.POSITIVE_INFINITY,
    };
    this.#unsettled.set(delivery.tag, delivery);
    this.#waiting.push(delivery);
    return body.element.length;
  }

  /** The next ones that may go, in their order, held for `holdMs`. */
  take(max: number, holdMs: number): readonly GivenMessage[] {
    const nowMs = this.#options.nowMs();
    const taken: Delivery[] = [];
    const passed: Delivery[] = [];
    const passedGroups = new Set<string>();
    let index = 0;
    for (; index < this.#waiting.length && taken.length < max; index++) {
      const delivery = this.#waiting[index];
      if (delivery === undefined) break;
      const { groupId } = delivery.body;
      // plant: what-is-in-hand-is-overtaken-by-what-is-behind-it
      if (delivery.notBeforeMs <= nowMs && !this.#isBehind(groupId, passedGroups)) {
        taken.push(delivery);
        continue;
      }
      passed.push(delivery);
      if (groupId !== undefined) passedGroups.add(groupId);
      // All are of one group: none may overtake it.
      if (this.#options.order.by === "queue") {
        index++;
        break;
      }
    }
    if (taken.length > 0) this.#waiting = passed.concat(this.#waiting.slice(index));
    return taken.map((delivery) => this.#give(delivery, nowMs + holdMs));
  }

  acknowledge(messages: readonly QueueMessage[]): readonly Settlement[] {
    const done = new Set<Delivery>();
    const answers = this.#each(messages, (delivery) => done.add(delivery));
    this.#acknowledge(done);
    return answers;
  }

  extend(messages: readonly QueueMessage[], holdMs: number): readonly Settlement[] {
    const untilMs = this.#options.nowMs() + holdMs;
    return messages.map((message) => {
      const delivery = this.#held(message);
      if (delivery !== undefined) delivery.holdUntilMs = untilMs;
      return delivery === undefined ? "lost" : "settled";
    });
  }

  /** `isForAll`: nobody here waits for them, and the queue may give them to somebody else. */
  release(messages: readonly QueueMessage[], delayMs: number, isForAll: boolean): readonly Settlement[] {
    return this.#each(messages, (delivery) => {
      if (isForAll) this.#requeue(delivery);
      else this.#return(delivery, this.#options.nowMs() + delayMs);
    });
  }

  /** Their function failed: they come again after `delayMs`, or are rejected. */
  failed(messages: readonly QueueMessage[], delayMs: number): readonly Settlement[] {
    const { nowMs, deliveriesMax = Number.POSITIVE_INFINITY, ageMsMax } = this.#options;
    const now = nowMs();
    let isOld = false;
    const answers = this.#each(messages, (delivery) => {
      const { damage, deliveries } = delivery.body;
      delivery.failures++;
      // What the broker counts came before: of a process that ended, say.
      if (damage !== undefined || deliveries - 1 + delivery.failures >= deliveriesMax) this.#reject(delivery);
      else this.#return(delivery, now + delayMs);
      isOld ||= now - delivery.cameMs > ageMsMax;
    });
    if (isOld) this.giveBackOld();
    return answers;
  }

  /** Monotonic: when something here changes by itself. */
  get nextMs(): number {
    const nowMs = this.#options.nowMs();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const { state, notBeforeMs, holdUntilMs } of this.#unsettled.values()) {
      if (state === "given") nextMs = Math.min(nextMs, holdUntilMs);
      else if (notBeforeMs > nowMs) nextMs = Math.min(nextMs, notBeforeMs);
    }
    return nextMs;
  }

  /** Takes back what nobody has settled in its time. `staysHere`: the channel is sent more, and would get it again. */
  endHolds(staysHere: boolean): void {
    const nowMs = this.#options.nowMs();
    for (const delivery of [...this.#unsettled.values()]) {
      if (delivery.state !== "given" || delivery.holdUntilMs > nowMs) continue;
      this.#letGo(delivery);
      if (!staysHere && this.#options.order.by === "none") this.#requeue(delivery);
      else this.#return(delivery, nowMs);
    }
  }

  /**
   * When one that waits is too old, all that wait go back to the queue, in their order: none overtakes another. They
   * come again with the broker's time begun anew.
   */
  giveBackOld(): void {
    const { nowMs, ageMsMax } = this.#options;
    const oldestMs = Math.min(...this.#waiting.map(({ cameMs }) => cameMs));
    // plant: what-waits-outlives-the-brokers-patience
    if (nowMs() - oldestMs > ageMsMax) this.giveBackWaiting();
  }

  giveBackWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const delivery of waiting) this.#requeue(delivery);
  }

  /** The channel is gone: the queue has all that was unsettled. */
  end(): void {
    this.#hasEnded = true;
    // plant: results-of-a-channel-that-is-gone-are-believed
    for (const delivery of this.#unsettled.values()) delivery.state = "gone";
    this.#unsettled.clear();
    this.#waiting = [];
    this.#given.clear();
    this.#givenCount = 0;
  }

  /** Given in an order: behind what is in other hands, only where all go through the same hands one after the other. */
  #isBehind(groupId: string | undefined, passed: ReadonlySet<string>): boolean {
    if (groupId === undefined) return false;
    if (passed.has(groupId)) return true;
    return this.#options.order.by === "group" && (this.#given.get(groupId) ?? 0) > 0;
  }

  #give(delivery: Delivery, holdUntilMs: number): GivenMessage {
    const { groupId } = delivery.body;
    delivery.state = "given";
    delivery.gives++;
    delivery.holdUntilMs = holdUntilMs;
    this.#given.set(groupId, (this.#given.get(groupId) ?? 0) + 1);
    this.#givenCount++;
    // plant: a-broker-that-forgets-deliveries-has-a-message-tried-for-ever
    this.#options.counts?.gave(delivery.body.messageId);
    const { body, gives } = delivery;
    return { ...messageOf(body, gives), window: this, delivery, give: gives };
  }

  /** `undefined`: it is not this one's any more. */
  #held(message: QueueMessage): Delivery | undefined {
    const { delivery, give } = asGiven(message);
    const isOurs = delivery.state === "given" && delivery.gives === give;
    return isOurs && delivery.holdUntilMs > this.#options.nowMs() ? delivery : undefined;
  }

  #each(messages: readonly QueueMessage[], settle: (delivery: Delivery) => void): readonly Settlement[] {
    return messages.map((message) => {
      const delivery = this.#held(message);
      if (delivery === undefined) return "lost";
      this.#letGo(delivery);
      settle(delivery);
      return "settled";
    });
  }

  #letGo(delivery: Delivery): void {
    const { groupId } = delivery.body;
    const left = (this.#given.get(groupId) ?? 1) - 1;
    if (left === 0) this.#given.delete(groupId);
    else this.#given.set(groupId, left);
    this.#givenCount--;
    delivery.state = "gone";
  }

  /** One acknowledgement for all below which nothing is unsettled, and one for each other. */
  #acknowledge(done: ReadonlySet<Delivery>): void {
    const { channel, counts } = this.#options;
    for (const { body } of done) counts?.settled(body.messageId);
    let last: Delivery | undefined;
    let below = 0;
    for (const delivery of this.#unsettled.values()) {
      // plant: an-acknowledgement-of-several-covers-what-is-open
      if (!done.has(delivery)) break;
      last = delivery;
      below++;
      this.#unsettled.delete(delivery.tag);
    }
    if (last !== undefined) channel.ack(last.tag, below > 1);
    if (below === done.size) return;
    for (const { tag } of done) if (this.#unsettled.delete(tag)) channel.ack(tag, false);
  }

  #requeue(delivery: Delivery): void {
    delivery.state = "gone";
    this.#unsettled.delete(delivery.tag);
    this.#options.channel.requeue(delivery.tag);
  }

  #reject(delivery: Delivery): void {
    this.#options.counts?.settled(delivery.body.messageId);
    delivery.state = "gone";
    this.#unsettled.delete(delivery.tag);
    this.#options.channel.reject(delivery.tag);
  }

  /** Back to its old place among those that wait. */
  #return(delivery: Delivery, notBeforeMs: number): void {
    delivery.state = "waiting";
    delivery.notBeforeMs = notBeforeMs;
    let low = 0;
    let high = this.#waiting.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#waiting[middle]?.tag ?? 0) < delivery.tag) low = middle + 1;
      else high = middle;
    }
    this.#waiting.splice(low, 0, delivery);
  }
}

/** Law of QueueSource: only what such a queue gave comes here. */
export function asGiven(message: QueueMessage): GivenMessage {
  return asSent(message) as GivenMessage;
}
