import type { StartPoint } from "../../src/model/record.ts";
import type { LogAnew, ShardRead, ShardReader } from "../../src/ports/stream-source.ts";
import { Expansion, type ExpansionOptions } from "./expansion.ts";
import {
  isFault,
  type KinesisApi,
  type KinesisShardEntry,
  type ShardPlace,
  type SubscriptionEvent,
  throwIfAborted,
} from "./kinesis-api.ts";
import { LogWatch, type LogWatchOptions } from "./log-watch.ts";
import { startPlace } from "./reader.ts";
import { RecordBuffer } from "./record-buffer.ts";
import { Subscription } from "./subscription.ts";

/** The service ends a subscription after five minutes: renewed before, no record waits for the end to be noticed. */
const RENEW_MS = 290_000;
/** A consumer's shard is subscribed to again no sooner than this, or the service refuses (streams §2.3). */
export const RESUBSCRIBE_MS = 5_100;
/** Refusals one after another before they count as a failure: somebody else uses the consumer. */
const REFUSALS_MAX = 4;
/** How soon a reader looks for the next event; each look without one doubles it. */
const LOOK_MS_MIN = 10;
const LOOK_MS_MAX = 80;

export interface FanOutReaderOptions extends ExpansionOptions, Omit<LogWatchOptions, "now"> {
  readonly api: KinesisApi;
  readonly shardId: string;
  readonly start: StartPoint;
  readonly onChildShards: (shards: readonly KinesisShardEntry[]) => void;
  readonly now: () => number;
}

/** Reads a shard by enhanced fan-out: pushed by the service, with a throughput of its own, aggregates taken apart. */
export class FanOutReader implements ShardReader {
  readonly #options: FanOutReaderOptions;
  readonly #buffer = new RecordBuffer();
  #subscription: Subscription | undefined;
  #subscribedMs = Number.NEGATIVE_INFINITY;
  /** Behind the last record taken from an event. */
  #place: ShardPlace;
  /** The service's own word for it, which also passes ranges without records. */
  #continuation: string | undefined;
  /** What is left of the last event. */
  readonly #waiting: Expansion;
  #isAtEnd = false;
  #isEndSaid = false;
  #lagMs: number | undefined;
  #hasGap = false;
  #answered: Pick<ShardRead, "answeredMs"> = {};
  readonly #watch: LogWatch;
  #anew: LogAnew | undefined;
  #lookMs = LOOK_MS_MIN;
  #refusals = 0;

  constructor(options: FanOutReaderOptions) {
    this.#options = options;
    this.#watch = new LogWatch(options);
    this.#place = startPlace(options.start);
    const { start } = options;
    this.#waiting = new Expansion(options, start.kind === "after" ? start.position : undefined);
  }

  async read(recordsMax: number, bytesMax: number, signal: AbortSignal): Promise<ShardRead> {
    throwIfAborted(signal);
    if (this.#buffer.isEmpty && this.#waiting.isEmpty && !this.#isAtEnd) {
      const waitMs = await this.#nextEvent(signal);
      if (this.#anew !== undefined) return this.#tellAnew(this.#anew);
      // plant: a-subscription-that-brings-nothing-is-taken-for-an-idle-one
      if (waitMs > 0) return { ...this.#nothing(waitMs), nothingHeard: true };
    }
    if (this.#buffer.isEmpty) this.#buffer.fill(await this.#waiting.take(recordsMax, bytesMax));
    const records = this.#buffer.take(recordsMax, bytesMax);
    const isAllServed = this.#buffer.isEmpty && this.#waiting.isEmpty;
    const trimmed = this.#hasGap;
    this.#hasGap = false;
    return {
      records,
      endOfShard: isAllServed && this.#isAtEnd,
      lagMs: isAllServed ? this.#lagMs : Math.max(1, this.#lagMs ?? 1),
      readAgainAfterMs: 0,
      trimmed,
      ...this.#answered,
      ...this.#watch.told,
    };
  }

  #tellAnew(anew: LogAnew): ShardRead {
    this.#anew = undefined;
    this.#place = { kind: "oldest" };
    this.#continuation = undefined;
    this.#waiting.forgetDelivered();
    return { ...this.#nothing(0), anew };
  }

  async close(): Promise<void> {
    this.#unsubscribe();
  }

  /** Takes the next event over; without one, how long to wait for it. */
  async #nextEvent(signal: AbortSignal): Promise<number> {
    const { now } = this.#options;
    if (this.#subscription !== undefined && now() - this.#subscription.openedMs >= RENEW_MS) {
      this.#unsubscribe();
    }
    if (this.#subscription === undefined) {
      const waitMs = this.#subscribedMs + RESUBSCRIBE_MS - now();
      return waitMs > 0 ? waitMs : await this.#subscribe(signal);
    }
    let event: SubscriptionEvent | "ended" | undefined;
    try {
      event = this.#subscription.take();
    } catch (error) {
      this.#unsubscribe();
      if (isFault(error, "resourceInUse")) return this.#refused(error);
      throw error;
    }
    if (event === "ended") {
      this.#unsubscribe();
      return LOOK_MS_MIN;
    }
    if (event === undefined) {
      this.#lookMs = Math.min(LOOK_MS_MAX, this.#lookMs * 2);
      return this.#lookMs;
    }
    this.#takeOver(event);
    return 0;
  }

  #takeOver({ records, continuation, lagMs, answeredMs, childShards }: SubscriptionEvent): void {
    this.#refusals = 0;
    this.#lookMs = LOOK_MS_MIN;
    this.#waiting.fill(records);
    const last = records.at(-1);
    if (last !== undefined) this.#place = { kind: "after", sequenceNumber: last.sequenceNumber };
    this.#continuation = continuation;
    this.#lagMs = lagMs;
    this.#answered = answeredMs === undefined ? {} : { answeredMs };
    if (childShards.length > 0) this.#options.onChildShards(childShards);
    if (continuation !== undefined) {
      this.#isEndSaid = false;
      return;
    }
    // An end is for good: an event that holds nothing at all is to be said again by a subscription of its own.
    this.#isAtEnd = this.#isEndSaid || records.length > 0 || childShards.length > 0;
    this.#isEndSaid = true;
    this.#unsubscribe();
  }

  /** How long to wait for the first event. */
  async #subscribe(signal: AbortSignal): Promise<number> {
    const { api, shardId, now } = this.#options;
    this.#anew = await this.#watch.look(signal);
    if (this.#anew !== undefined) return 0;
    const end = new AbortController();
    const onAbort = () => end.abort();
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      const events = await api.subscribe(shardId, this.#nextPlace(), end.signal);
      this.#subscription = new Subscription(events, end, now);
      this.#subscribedMs = now();
      this.#watch.accepted();
      return LOOK_MS_MIN;
    } catch (error) {
      end.abort();
      if (isFault(error, "resourceInUse")) return this.#refused(error);
      if (!isFault(error, "invalidArgument", "notFound")) throw error;
      const waitMs = this.#goBack(isFault(error, "notFound"));
      if (waitMs === undefined) throw error;
      return Math.max(LOOK_MS_MIN, waitMs);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  #nextPlace(): ShardPlace {
    return this.#continuation === undefined
      ? this.#place
      : { kind: "after", sequenceNumber: this.#continuation };
  }

  /**
   * From a place that the service does not have any more to the nearest that it may have, once it has said so twice,
   * some seconds apart. How long to wait; `undefined`: there is no other place, or it is for the engine to look whether
   * the shard is there at all.
   */
  #goBack(isNotFound: boolean): number | undefined {
    if (this.#continuation !== undefined) {
      this.#continuation = undefined;
      return 0;
    }
    if (this.#place.kind === "oldest" || this.#place.kind === "timestamp") return undefined;
    const refusal = this.#watch.refused();
    if (refusal.kind === "again") return refusal.afterMs > 0 && isNotFound ? undefined : refusal.afterMs;
    if (isNotFound) return undefined;
    this.#place = { kind: "oldest" };
    // Where it is known to be the same stream, what was delivered is not given again.
    if (this.#watch.logId === undefined) this.#waiting.forgetDelivered();
    this.#hasGap = true;
    return 0;
  }

  #refused(error: unknown): number {
    if (++this.#refusals >= REFUSALS_MAX) {
      this.#refusals = 0;
      throw error;
    }
    return RESUBSCRIBE_MS;
  }

  #unsubscribe(): void {
    this.#subscription?.close();
    this.#subscription = undefined;
  }

  #nothing(readAgainAfterMs: number): ShardRead {
    // Before the first event nothing is known; later the last one's word counts: an idle shard is one at its tip.
    const lagMs = this.#lagMs ?? 1;
    const told = { ...this.#answered, ...this.#watch.told };
    return { records: [], endOfShard: false, lagMs, readAgainAfterMs, trimmed: false, ...told };
  }
}
