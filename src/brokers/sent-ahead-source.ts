import type {
  QueueDescription,
  QueueEvents,
  QueueMessage,
  QueueSource,
  ReceiveBounds,
  Settlement,
} from "../ports/queue-source.ts";
import type { BrokerClient, Sent } from "./broker-client.ts";
import { BrokerFault } from "./broker-fault.ts";
import { asGiven, type DeliveryWindow } from "./delivery-window.ts";
import { OpenQueue } from "./open-queue.ts";
import { Prefetch } from "./prefetch.ts";
import type { SentAheadQueue } from "./sent-ahead-queue.ts";

export interface SentAheadTimes {
  /** Monotonic. */
  readonly nowMs?: () => number;
  /** How long nobody may ask before what was sent ahead goes back. */
  readonly restMs?: number;
  /** How long a source that is closed waits for what it gave to be settled elsewhere. */
  readonly lingerMs?: number;
}

/** The queue sends ahead for the next batch; nobody asks, and somebody else may want it. */
const REST_MS = 1_000;
/** As long as a mapping that begins anew takes up what it left. */
const LINGER_MS = 60_000;
/** A queue that another consumer has is looked at so often. */
const STANDBY_MS = 1_000;
/** What the broker says that it has is on its way; another consumer may have got it. */
const ON_ITS_WAY_MS = 500;
/** Deliveries that wait are looked at so often in the time that they may. */
const LOOKS_PER_AGE = 8;
const AGE_LOOK_MS_MAX = 3_600_000;

/**
 * Reads a queue whose broker sends messages ahead. Looks whether it is there.
 * @throws ERR_MILLRACE_SOURCE_NOT_FOUND and its siblings; the client is then closed.
 */
export async function openSentAhead<D extends Sent>(
  place: SentAheadQueue<D>,
  client: BrokerClient<D>,
  times: SentAheadTimes = {},
): Promise<QueueSource> {
  try {
    const channel = await client.open({ onDelivery: () => undefined, onEnd: () => undefined });
    await channel.ready(place.queue);
    await channel.close();
    return new SentAheadSource(place, client, times);
  } catch (error) {
    await client.close();
    throw error;
  }
}

class SentAheadSource<D extends Sent> implements QueueSource {
  readonly description: QueueDescription;
  readonly events: QueueEvents;
  readonly #place: SentAheadQueue<D>;
  readonly #client: BrokerClient<D>;
  readonly #nowMs: () => number;
  readonly #restMs: number;
  readonly #lingerMs: number;
  readonly #prefetch: Prefetch;
  readonly #waiters = new Set<() => void>();
  readonly #ageTimer: NodeJS.Timeout;
  #open: Promise<OpenQueue<D>> | undefined;
  /** What became of the last channel, until somebody is told. */
  #failure: Error | undefined;
  /** Receives under way. */
  #receives = 0;
  #restTimer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(place: SentAheadQueue<D>, client: BrokerClient<D>, times: SentAheadTimes) {
    const { nowMs = () => performance.now(), restMs = REST_MS, lingerMs = LINGER_MS } = times;
    this.#place = place;
    this.#client = client;
    this.#nowMs = nowMs;
    this.#restMs = restMs;
    this.#lingerMs = lingerMs;
    this.#prefetch = new Prefetch(place);
    this.events = place.events;
    this.description = place.description;
    const lookMs = Math.min(AGE_LOOK_MS_MAX, Math.max(50, place.ageMsMax / LOOKS_PER_AGE));
    this.#ageTimer = setInterval(() => void this.#lookAtAges(), lookMs).unref();
  }

  async receive(
    { messagesMax, waitMs, holdMs }: ReceiveBounds,
    signal: AbortSignal,
  ): Promise<readonly QueueMessage[]> {
    if (signal.aborted || this.#isClosed) return [];
    const untilMs = this.#nowMs() + waitMs;
    const wanted = Math.min(messagesMax, this.description.receiveMessagesMax);
    this.#receives++;
    clearTimeout(this.#restTimer);
    try {
      return await this.#receive({ wanted, holdMs, untilMs, isShort: waitMs === 0 }, signal);
    } finally {
      this.#receives--;
      this.#planRest();
    }
  }

  async acknowledge(messages: readonly QueueMessage[]): Promise<readonly Settlement[]> {
    return this.#settle(messages, (window, own) => window.acknowledge(own));
  }

  async release(messages: readonly QueueMessage[], delayMs: number): Promise<readonly Settlement[]> {
    const hasNoGroup = messages.every(({ groupId }) => groupId === undefined);
    const isForAll = delayMs <= 0 && this.#receives === 0 && hasNoGroup;
    let mayRest = isForAll;
    const answers = this.#settle(messages, (window, own) => {
      // Given back one by one, it would be sent here again, where nobody asks.
      const isLast = window.given <= own.length;
      mayRest &&= isLast;
      return window.release(own, delayMs, isForAll && !isLast && this.#place.takesBackOne);
    });
    if (mayRest) await this.#rest();
    return answers;
  }

  async extend(messages: readonly QueueMessage[], holdMs: number): Promise<readonly Settlement[]> {
    return this.#settle(messages, (window, own) => window.extend(own, holdMs));
  }

  async failed(messages: readonly QueueMessage[], delayMs: number): Promise<readonly Settlement[]> {
    return this.#settle(messages, (window, own) => window.failed(own, delayMs));
  }

  /** What was given and is not settled yet may be settled through another source for a while (law of the port). */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#ageTimer);
    clearTimeout(this.#restTimer);
    this.#wake();
    const open = await this.#open?.catch(() => undefined);
    if (open === undefined || open.window.given === 0) {
      await this.#client.close();
      return;
    }
    await open.stop();
    this.#linger(open, this.#nowMs() + this.#lingerMs);
  }

  #linger(open: OpenQueue<D>, untilMs: number): void {
    open.window.endHolds(false);
    if (open.window.given === 0 || open.window.hasEnded || this.#nowMs() >= untilMs)
      void this.#client.close();
    else setTimeout(() => this.#linger(open, untilMs), LINGER_LOOK_MS).unref();
  }

  async #receive(asked: Asked, signal: AbortSignal): Promise<readonly QueueMessage[]> {
    for (let looks = 0; ; looks++) {
      const open = await this.#opened(asked.untilMs, signal);
      if (open === undefined || signal.aborted || this.#isClosed) return [];
      const { window } = open;
      if (window.nextMs <= this.#nowMs()) window.endHolds(true);
      const taken = window.take(asked.wanted, asked.holdMs);
      if (taken.length > 0) return taken;
      if (this.#failure !== undefined || window.hasEnded) continue;
      // A short look must see what the queue has, though the queue sends it by itself.
      if (asked.isShort && looks === 0) {
        if (await open.hasMore()) asked.untilMs = this.#nowMs() + ON_ITS_WAY_MS;
        continue;
      }
      if (await this.#waited(Math.min(asked.untilMs, window.nextMs), asked.untilMs, signal)) continue;
      // Not every queue that is deleted says so: whoever waited in vain looks whether it is there.
      if (!asked.isShort && !signal.aborted) await open.hasMore();
      if (this.#failure === undefined) return [];
    }
  }

  /** False: the time is up, or nobody wants more. */
  async #waited(nextMs: number, untilMs: number, signal: AbortSignal): Promise<boolean> {
    const nowMs = this.#nowMs();
    if (nowMs >= untilMs || signal.aborted) return false;
    const woken = Promise.withResolvers<void>();
    const wake = () => woken.resolve();
    this.#waiters.add(wake);
    const timer = setTimeout(wake, Math.max(0, nextMs - nowMs));
    signal.addEventListener("abort", wake, { once: true });
    try {
      await woken.promise;
      return true;
    } finally {
      this.#waiters.delete(wake);
      clearTimeout(timer);
      signal.removeEventListener("abort", wake);
    }
  }

  /** `undefined`: another consumer has the queue, and had it as long as this was waited for. */
  async #opened(untilMs: number, signal: AbortSignal): Promise<OpenQueue<D> | undefined> {
    for (;;) {
      const failure = this.#failure;
      this.#failure = undefined;
      if (failure !== undefined) throw failure;
      this.#open ??= this.#begin();
      try {
        return await this.#open;
      } catch (error) {
        this.#open = undefined;
        if (!(error instanceof BrokerFault) || !error.isTaken) throw error;
        const nextMs = this.#nowMs() + STANDBY_MS;
        if (!(await this.#waited(Math.min(nextMs, untilMs), untilMs, signal)) || this.#isClosed)
          return undefined;
      }
    }
  }

  #begin(): Promise<OpenQueue<D>> {
    const opening = OpenQueue.begin({
      client: this.#client,
      place: this.#place,
      prefetch: this.#prefetch,
      nowMs: this.#nowMs,
      onDelivery: () => this.#wake(),
      onEnd: (error) => {
        if (this.#open !== opening) return;
        this.#open = undefined;
        const isCancel = error instanceof BrokerFault && error.isCancel;
        if (!this.#isClosed && !isCancel) this.#failure = error;
        this.#wake();
      },
    });
    return opening;
  }

  #wake(): void {
    for (const wake of this.#waiters) wake();
  }

  #planRest(restMs = this.#restMs): void {
    clearTimeout(this.#restTimer);
    if (this.#receives > 0 || this.#isClosed || this.#open === undefined) return;
    this.#restTimer = setTimeout(() => void this.#rest(), restMs).unref();
  }

  /** Nobody asks and nobody holds anything: what was sent ahead is for whoever asks next, here or elsewhere. */
  async #rest(): Promise<void> {
    const opening = this.#open;
    const open = await opening?.catch(() => undefined);
    if (open === undefined || this.#receives > 0 || this.#open !== opening) return;
    // Given back one by one, they would be sent here again, where nobody asks: a delivery that a queue may count.
    // plant: what-nobody-asks-for-goes-back-one-by-one
    if (open.window.nextMs <= this.#nowMs()) open.window.endHolds(true);
    if (open.window.given > 0 || open.window.hasDelayed) {
      // Not a whole rest behind the end of a hold: a timer may be early.
      this.#planRest(Math.min(this.#restMs, Math.max(1, open.window.nextMs - this.#nowMs())));
      return;
    }
    this.#open = undefined;
    await open.close();
  }

  async #lookAtAges(): Promise<void> {
    const open = await this.#open?.catch(() => undefined);
    open?.window.giveBackOld();
  }

  /** Each by the channel that it came from, whichever source gave it. */
  #settle(
    messages: readonly QueueMessage[],
    settle: (window: DeliveryWindow, own: readonly QueueMessage[]) => readonly Settlement[],
  ): readonly Settlement[] {
    const windows = new Set(messages.map((message) => asGiven(message).window));
    const answers = new Map<QueueMessage, Settlement>();
    for (const window of windows) {
      const own = messages.filter((message) => asGiven(message).window === window);
      const settled = settle(window, own);
      for (const [index, message] of own.entries()) answers.set(message, settled[index] ?? "lost");
    }
    // What goes back here may go to a receive that waits.
    this.#wake();
    this.#planRest();
    return messages.map((message) => answers.get(message) ?? "lost");
  }
}

const LINGER_LOOK_MS = 200;

interface Asked {
  readonly wanted: number;
  readonly holdMs: number;
  /** Monotonic. */
  untilMs: number;
  readonly isShort: boolean;
}
