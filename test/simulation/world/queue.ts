import type { Settlement } from "../../../src/ports/queue-source.ts";
import type { SeededRandom } from "../random.ts";
import type { VirtualTime } from "../virtual-clock.ts";
import {
  endDelivery,
  isThere,
  type NewMessage,
  type QueueShape,
  type ReceiveRequest,
  type SimDelivery,
  type SimMessage,
} from "./queue-message.ts";

interface Waiter {
  readonly request: ReceiveRequest;
  readonly until: number;
}

export const RECEIVE_MESSAGES_MAX = 10;

/** One queue, as its servers hold it: shared by all processes. */
export class SimQueue {
  #shape: QueueShape;
  #visibilityMsMax: number;
  #isRemoved = false;
  readonly messages: SimMessage[] = [];
  readonly #time: VirtualTime;
  readonly #random: SeededRandom;
  #live: SimMessage[] = [];
  #gone = 0;
  /** How many messages are left of each group. */
  readonly #groups = new Map<string, number>();
  #waiters: Waiter[] = [];
  #wakeAt = Number.POSITIVE_INFINITY;

  constructor(shape: QueueShape, time: VirtualTime, random: SeededRandom) {
    this.#shape = shape;
    this.#visibilityMsMax = shape.visibilityMs;
    this.#time = time;
    this.#random = random;
  }

  get shape(): QueueShape {
    return this.#shape;
  }

  get isRemoved(): boolean {
    return this.#isRemoved;
  }

  /** By its owner, while it is read. */
  reshape(change: Partial<Pick<QueueShape, "visibilityMs" | "receivesMax">>): void {
    this.#shape = { ...this.#shape, ...change };
    this.#visibilityMsMax = Math.max(this.#visibilityMsMax, this.#shape.visibilityMs);
  }

  /** With all that it holds. */
  remove(): void {
    for (const message of this.#live) if (isThere(message)) message.deletedAt = this.#time.now;
    this.#live = [];
    this.#groups.clear();
    this.#gone = 0;
    this.#isRemoved = true;
  }

  /** Another queue of this name. */
  remake(change: Pick<QueueShape, "visibilityMs">): void {
    this.reshape(change);
    this.#isRemoved = false;
  }

  /** Neither deleted nor redriven. */
  get left(): number {
    return this.#live.length - this.#gone;
  }

  /** Of those that are left, messages that no event can hold. */
  get unmadeLeft(): number {
    return this.#live.filter((message) => isThere(message) && message.unmade !== undefined).length;
  }

  /** How long those may hold back their groups, receive after receive, until the queue takes them away. */
  get unmadeHoldsMs(): number {
    const { isFifo, receivesMax = 1 } = this.#shape;
    return isFifo ? this.unmadeLeft * receivesMax * this.#visibilityMsMax : 0;
  }

  /** Somebody could be given a message now. */
  get hasVisible(): boolean {
    const now = this.#time.now;
    const { isFifo } = this.shape;
    const blocked = new Set<string>();
    return this.#live.some((message) => {
      if (!isThere(message) || (isFifo && blocked.has(message.groupId))) return false;
      if (message.hiddenUntil <= now) return !isFifo || !this.#blockedGroups(now).has(message.groupId);
      blocked.add(message.groupId);
      return false;
    });
  }

  /** Deleted or redriven. */
  get over(): number {
    return this.messages.length - this.left;
  }

  send(message: NewMessage): SimMessage {
    const sent: SimMessage = {
      ...message,
      id: this.messages.length,
      messageId: `message-${this.messages.length}`,
      sentAt: this.#time.now,
      receiveCount: 0,
      hiddenUntil: Number.NEGATIVE_INFINITY,
      delivery: undefined,
      deletedAt: undefined,
      redrivenAt: undefined,
    };
    this.messages.push(sent);
    this.#live.push(sent);
    this.#groups.set(sent.groupId, (this.#groups.get(sent.groupId) ?? 0) + 1);
    this.#wake(this.#time.now);
    return sent;
  }

  /** Answers at once, or waits for a first message. */
  receive(request: ReceiveRequest): void {
    const deliveries = this.#take(request);
    if (deliveries.length > 0 || request.waitMs <= 0) {
      request.answer(deliveries);
      return;
    }
    const waiter = { request, until: this.#time.now + request.waitMs };
    this.#waiters.push(waiter);
    this.#time.schedule(request.waitMs, () => {
      if (!this.#waiters.includes(waiter)) return;
      this.#waiters = this.#waiters.filter((other) => other !== waiter);
      request.answer([]);
    });
    this.#planWake();
  }

  acknowledge(delivery: SimDelivery): Settlement {
    if (!this.#isHeld(delivery)) return "lost";
    delivery.sent.deletedAt = this.#time.now;
    this.#remove(delivery.sent);
    if (this.shape.isFifo) this.#wake(this.#time.now);
    return "settled";
  }

  /** The hold ends `forMs` from now. */
  hide(delivery: SimDelivery, forMs: number): Settlement {
    if (!this.#isHeld(delivery)) return "lost";
    delivery.sent.hiddenUntil = this.#time.now + forMs;
    this.#wake(delivery.sent.hiddenUntil);
    return "settled";
  }

  /** By itself, before its time: a queue may lose what it knew of a hold, or its owner's tool end it. */
  endHold(delivery: SimDelivery): void {
    if (!this.#isHeld(delivery)) return;
    const { now } = this.#time;
    delivery.sent.hiddenUntil = now;
    delivery.over ??= { at: now, by: "expired", byQueue: true };
    this.#wake(now);
  }

  #isHeld(delivery: SimDelivery): boolean {
    const { sent } = delivery;
    if (sent.deletedAt !== undefined || sent.redrivenAt !== undefined) return false;
    return sent.delivery === delivery && sent.hiddenUntil > this.#time.now;
  }

  #leave({ groupId }: SimMessage): void {
    const left = (this.#groups.get(groupId) ?? 1) - 1;
    if (left === 0) this.#groups.delete(groupId);
    else this.#groups.set(groupId, left);
    this.#gone++;
  }

  #remove(message: SimMessage): void {
    this.#leave(message);
    if (this.#gone < 32 || this.#gone < this.#live.length / 2) return;
    this.#live = this.#live.filter(isThere);
    this.#gone = 0;
  }

  #take(request: ReceiveRequest): SimDelivery[] {
    const deliveries: SimDelivery[] = [];
    if (request.isGone()) return deliveries;
    const { isFifo, receivesMax } = this.shape;
    const now = this.#time.now;
    const wanted = Math.min(request.messagesMax, RECEIVE_MESSAGES_MAX);
    const blocked = this.#blockedGroups(now);
    const live = this.#live;
    // A standard queue gives what comes to hand.
    const first = isFifo || this.#random.chance(0.5) ? 0 : this.#random.int(0, Math.max(0, live.length - 1));
    for (let offset = 0; offset < live.length && deliveries.length < wanted; offset++) {
      // Of a queue with order nothing more can be given.
      if (isFifo && blocked.size === this.#groups.size) break;
      const message = live[(first + offset) % live.length];
      if (message === undefined || !isThere(message)) continue;
      const isHeld = message.hiddenUntil > now;
      // plant: the-simulated-queue-gives-messages-of-a-held-group
      if (isHeld && isFifo) blocked.add(message.groupId);
      if (isHeld && (isFifo || !request.duplicates())) continue;
      if (isFifo && blocked.has(message.groupId)) continue;
      if (!isHeld && receivesMax !== undefined && message.receiveCount >= receivesMax) {
        endDelivery(message, now);
        message.redrivenAt = now;
        this.#leave(message);
        continue;
      }
      deliveries.push(this.#deliver(message, request));
    }
    return deliveries;
  }

  #blockedGroups(now: number): Set<string> {
    const blocked = new Set<string>();
    if (!this.shape.isFifo || !this.shape.isGroupHeldByAny) return blocked;
    for (const message of this.#live) {
      if (isThere(message) && message.hiddenUntil > now) blocked.add(message.groupId);
    }
    return blocked;
  }

  #deliver(sent: SimMessage, { process, holdMs }: ReceiveRequest): SimDelivery {
    const now = this.#time.now;
    endDelivery(sent, now);
    sent.receiveCount++;
    sent.hiddenUntil = now + holdMs;
    const delivery: SimDelivery = {
      messageId: sent.messageId,
      groupId: this.shape.isFifo ? sent.groupId : undefined,
      receiveCount: sent.receiveCount,
      bytes: sent.bytes,
      encodedBytes: sent.encodedBytes,
      damage: sent.unmade === "damaged" ? "it cannot be read" : undefined,
      sent,
      process,
      takenAt: now,
      deliveredAt: undefined,
      heldUntilLocalMs: Number.NEGATIVE_INFINITY,
      toldLost: false,
      hasLapsed: false,
      over: undefined,
    };
    sent.delivery = delivery;
    return delivery;
  }

  #serveWaiters(): void {
    while (this.#waiters.length > 0) {
      const [waiter, ...rest] = this.#waiters;
      if (waiter === undefined) return;
      const isGone = waiter.request.isGone();
      const deliveries = isGone ? [] : this.#take(waiter.request);
      if (!isGone && deliveries.length === 0) break;
      this.#waiters = rest;
      if (!isGone) waiter.request.answer(deliveries);
    }
    this.#planWake();
  }

  /** Receives that wait look again when the next hold ends. */
  #planWake(): void {
    if (this.#waiters.length === 0) return;
    let next = Number.POSITIVE_INFINITY;
    for (const message of this.#live) {
      if (isThere(message) && message.hiddenUntil > this.#time.now)
        next = Math.min(next, message.hiddenUntil);
    }
    this.#wake(next);
  }

  #wake(at: number): void {
    if (this.#waiters.length === 0 || at >= this.#wakeAt || at === Number.POSITIVE_INFINITY) return;
    this.#wakeAt = at;
    this.#time.schedule(at - this.#time.now, () => {
      if (this.#wakeAt !== at) return;
      this.#wakeAt = Number.POSITIVE_INFINITY;
      this.#serveWaiters();
    });
  }
}
