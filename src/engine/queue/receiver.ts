import { describeError, hasErrorCode } from "../../model/errors.ts";
import type { Clock } from "../../ports/clock.ts";
import type { QueueMessage, QueueSource } from "../../ports/queue-source.ts";
import type { Random } from "../../ports/random.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import type { QueueExplanation } from "../explanation.ts";
import { type BackoffLimits, backoffMs } from "../invoke/backoff.ts";
import { sleep } from "../sleep.ts";
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
  /** A receive has ended: others may start. */
  onEnded(): void;
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
  #failures = 0;
  #lastProblem = "";
  #retryAtMs = Number.NEGATIVE_INFINITY;
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
    return {
      receives: this.#running,
      failures: isFailing ? { count: this.#failures, lastProblem: this.#lastProblem } : undefined,
      nextMs: isFailing ? epochMs(this.#retryAtMs) : undefined,
    };
  }

  /** Starts what may start. */
  go(): void {
    const { clock, source, room } = this.#options;
    const nowMs = clock.monotonic();
    while (this.#running < this.#wanted && nowMs >= this.#retryAtMs) {
      const messagesMax = room(this.#expected);
      if (messagesMax <= 0) return;
      void this.#receive(Math.min(messagesMax, source.description.receiveMessagesMax));
    }
  }

  async #receive(messagesMax: number): Promise<void> {
    const { clock, source, holdMs, signal } = this.#options;
    this.#running++;
    this.#expected += messagesMax;
    const askedMs = clock.monotonic();
    try {
      const waitMs = Math.min(RECEIVE_WAIT_MS, holdMs * RECEIVE_WAIT_SHARE);
      const messages = await source.receive({ messagesMax, waitMs, holdMs }, signal);
      this.#failures = 0;
      this.#received(messages, askedMs, messages.length >= messagesMax);
    } catch (error) {
      if (!signal.aborted) await this.#failed(error);
    } finally {
      this.#running--;
      this.#expected -= messagesMax;
    }
    this.#options.onEnded();
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

  async #failed(error: unknown): Promise<void> {
    const { clock, random, limits, telemetry, mapping, signal } = this.#options;
    this.#failures++;
    const pauseMs = backoffMs(this.#failures, limits, random);
    this.#retryAtMs = clock.monotonic() + pauseMs;
    telemetry.count("source_errors", mapping, 1);
    const isThrottle = hasErrorCode(error, "ERR_MILLRACE_SOURCE_THROTTLED");
    telemetry.mark(isThrottle ? "receive throttled" : "receive failed");
    const level = isThrottle ? "debug" : "warn";
    this.#lastProblem = describeError(error);
    const fields = { mapping, error: this.#lastProblem };
    telemetry.log(level, "messages could not be received; trying again", fields);
    await sleep(clock, pauseMs, signal);
  }
}
