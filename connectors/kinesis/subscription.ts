import { KinesisFault, type SubscriptionEvent } from "./kinesis-api.ts";

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

  /** The next event if it is there; `undefined` if not yet; `ended` when the subscription is over. */
  take(): SubscriptionEvent | "ended" | undefined {
    if (this.#failure !== undefined) throw this.#failure.error;
    const arrived = this.#arrived;
    if (arrived === undefined) {
      if (this.#now() - this.#askedMs > SILENCE_MS_MAX) throw silence();
      return undefined;
    }
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

/** A subscription that is opened again each time and never brings anything is not to look like an idle shard. */
function silence(): KinesisFault {
  const seconds = SILENCE_MS_MAX / 1_000;
  return new KinesisFault(
    "unavailable",
    `A subscription to a Kinesis shard was opened and brought nothing in ${seconds} s, though the service sends an event at least every 5 s. ` +
      "Look whether a proxy between here and the service holds its answers back.",
  );
}
