import type { SubscriptionEvent } from "./kinesis-api.ts";

/** Silence after which a subscription counts as lost: the service sends an event, if only an empty one, every 5 s. */
const SILENCE_MS_MAX = 35_000;

/**
 * The events of one SubscribeToShard, one read ahead and no more: what is not taken stays at the service, by the flow
 * control of its connection.
 */
export class Subscription {
  readonly #events: AsyncIterator<SubscriptionEvent>;
  readonly #end: AbortController;
  readonly #now: () => number;
  readonly openedMs: number;
  #askedMs = 0;
  #arrived: IteratorResult<SubscriptionEvent> | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(events: AsyncIterable<SubscriptionEvent>, end: AbortController, now: () => number) {
    this.#events = events[Symbol.asyncIterator]();
    this.#end = end;
    this.#now = now;
    this.openedMs = now();
    this.#ask();
  }

  /** The next event if it is there; `undefined` if not yet; `ended` when the subscription is over or silent. */
  take(): SubscriptionEvent | "ended" | undefined {
    if (this.#failure !== undefined) throw this.#failure.error;
    const arrived = this.#arrived;
    if (arrived === undefined) return this.#now() - this.#askedMs > SILENCE_MS_MAX ? "ended" : undefined;
    if (arrived.done === true) return "ended";
    this.#ask();
    return arrived.value;
  }

  close(): void {
    this.#end.abort();
    // What a closed stream still says is nobody's business.
    this.#events.return?.().catch(() => undefined);
  }

  #ask(): void {
    this.#arrived = undefined;
    this.#askedMs = this.#now();
    this.#events.next().then(
      (result) => {
        this.#arrived = result;
      },
      (error: unknown) => {
        this.#failure = { error };
      },
    );
  }
}
