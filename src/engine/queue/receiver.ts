import { describeError, hasErrorCode } from "../../model/errors.ts";
import type { Clock, ScheduledCall } from "../../ports/clock.ts";
import type { QueueMessage, QueueSource } from "../../ports/queue-source.ts";
import type { Random } from "../../ports/random.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import type { QueueExplanation } from "../explanation.ts";
import { type BackoffLimits, backoffMs } from "../invoke/backoff.ts";
import type { BatchScaling } from "./batch-scaling.ts";

export interface ReceiverOptions {
  readonly mapping: string;
  readonly source: QueueSource;
  readonly holdMs: number;
  readonly scaling: BatchScaling;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  readonly limits: BackoffLimits;
  /** Aborts when no more is to be received. */
  readonly signal: AbortSignal;
  /** Messages that may be received beside the `expected` that running receives may bring. */
  room(expected: number): number;
  /** Monotonic: before it, a receive that finds nothing says nothing, as messages of ours are still hidden. */
  hiddenUntilMs(): number;
  onReceived(messages: readonly QueueMessage[], askedMs: number): void;
  /** A receive has ended, or the moment for the next has come: others may start. */
  onReady(): void;
}

/** Long polling, as long as SQS allows. */
const RECEIVE_WAIT_MS = 20_000;
/**
 * The hold of what a receive gives may have begun at any time since it was asked for. A wait of at most half of it leaves
 * the other half for certain: a longer one would bring messages that seem to be lost when they come.
 */
const RECEIVE_WAIT_SHARE = 1 / 2;
/** Receives that run at once when nothing comes. */
const IDLE_RECEIVES = 2;

/** Keeps as many receives running as there is room and work for: more while they come back full, fewer while empty. */
export class Receiver {
  readonly #options: ReceiverOptions;
  #running = 0;
  #wanted: number;
  /** Messages that receives which run now may bring. */
  #expected = 0;
  /** In a row. Receives that were under way together in one outage count once. */
  #failures = 0;
  #lastProblem = "";
  /** All that ever counted: what a receive was asked behind tells whether its failure is one that was seen already. */
  #outages = 0;
  #retryAtMs = Number.NEGATIVE_INFINITY;
  #isThrottled = false;
  #retry: ScheduledCall | undefined;
  #isDry = false;

  constructor(options: ReceiverOptions) {
    this.#options = options;
    this.#wanted = options.scaling.limit;
  }

  /** The last receive found nothing, and nothing of ours was hidden then. */
  get isDry(): boolean {
    return this.#isDry;
  }

  /** `epochMs` tells the time of a monotonic one. */
  explain(epochMs: (monotonicMs: number) => number): QueueExplanation["receiving"] {
    const isFailing = this.#failures > 0;
    const isWaiting = this.#retryAtMs > this.#options.clock.monotonic();
    return {
      receives: this.#running,
      failures: isFailing ? { count: this.#failures, lastProblem: this.#lastProblem } : undefined,
      nextMs: isFailing && isWaiting ? epochMs(this.#retryAtMs) : undefined,
    };
  }

  /** Starts what may start, and plans when more may. */
  go(): void {
    const { clock, source, room, signal } = this.#options;
    this.#retry?.cancel();
    this.#retry = undefined;
    if (signal.aborted) return;
    while (this.#running < this.#wanted) {
      const untilRetryMs = this.#retryAtMs - clock.monotonic();
      if (untilRetryMs > 0) {
        this.#planRetry(untilRetryMs);
        return;
      }
      const messagesMax = room(this.#expected);
      if (messagesMax <= 0) return;
      void this.#receive(Math.min(messagesMax, source.description.receiveMessagesMax));
    }
  }

  /** Nothing is to be received any more. */
  close(): void {
    this.#retry?.cancel();
    this.#retry = undefined;
  }

  /** A timer may come before the moment that it was set for: whoever is woken looks again, and this plans again. */
  #planRetry(inMs: number): void {
    this.#retry = this.#options.clock.schedule(inMs, () => this.#options.onReady());
  }

  async #receive(messagesMax: number): Promise<void> {
    const { clock, source, holdMs, signal } = this.#options;
    this.#setRunning(1);
    this.#expected += messagesMax;
    const askedMs = clock.monotonic();
    const askedBehind = this.#outages;
    try {
      const waitMs = Math.min(RECEIVE_WAIT_MS, holdMs * RECEIVE_WAIT_SHARE);
      const messages = await source.receive({ messagesMax, waitMs, holdMs }, signal);
      this.#answered();
      this.#received(messages, askedMs, messages.length >= messagesMax);
    } catch (error) {
      if (!signal.aborted) this.#failed(error, askedBehind);
    } finally {
      this.#setRunning(-1);
      this.#expected -= messagesMax;
    }
    this.#options.onReady();
  }

  #setRunning(change: 1 | -1): void {
    this.#running += change;
    this.#options.telemetry.gauge("queue_receivers", this.#options.mapping, this.#running);
  }

  #received(messages: readonly QueueMessage[], askedMs: number, isFull: boolean): void {
    const { telemetry, clock, mapping, scaling, hiddenUntilMs, onReceived } = this.#options;
    telemetry.count("polled_events", mapping, messages.length);
    this.#isDry = messages.length === 0 && askedMs >= hiddenUntilMs();
    if (messages.length === 0) {
      scaling.idle(clock.monotonic());
      this.#wanted = Math.max(IDLE_RECEIVES, this.#wanted - 1);
      return;
    }
    if (isFull) this.#wanted = Math.min(scaling.limit, this.#wanted + 1);
    onReceived(messages, askedMs);
  }

  /** The queue works: nobody waits any longer for what came before, unless it asked for fewer calls. */
  #answered(): void {
    this.#failures = 0;
    if (!this.#isThrottled) this.#retryAtMs = Number.NEGATIVE_INFINITY;
  }

  #failed(error: unknown, askedBehind: number): void {
    const { clock, random, limits, telemetry, mapping } = this.#options;
    telemetry.count("source_errors", mapping, 1);
    const isThrottle = hasErrorCode(error, "ERR_MILLRACE_SOURCE_THROTTLED");
    telemetry.mark(isThrottle ? "receive throttled" : "receive failed");
    this.#lastProblem = describeError(error);
    // Asked before the failure that counted last: the same outage, seen once more.
    if (askedBehind < this.#outages) {
      telemetry.mark("receives failed together");
      return;
    }
    const nowMs = clock.monotonic();
    this.#failures++;
    this.#outages++;
    this.#isThrottled = isThrottle;
    this.#retryAtMs = nowMs + backoffMs(this.#failures, limits, random);
    const level = isThrottle ? "debug" : "warn";
    const fields = { mapping, error: this.#lastProblem };
    telemetry.log(level, "messages could not be received; trying again", fields);
  }
}
