import { type BackoffLimits, backoffMs, limitsAfter } from "../../lib/back-off.ts";
import type { RepeatedLines } from "../../lib/repeated-lines.ts";
import { assertInvariant, describeError, type Fault, faultOf, hasErrorCode } from "../../model/errors.ts";
import type { Clock, ScheduledCall } from "../../ports/clock.ts";
import type { QueueMessage, QueueSource } from "../../ports/queue-source.ts";
import type { Random } from "../../ports/random.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import type { QueueExplanation } from "../explanation.ts";
import type { SourceProblems } from "../stream/source-problems.ts";
import type { BatchScaling } from "./batch-scaling.ts";
import { type GivenMessages, type Hold, type OpenReceive, openReceive } from "./open-receive.ts";

export interface ReceiverOptions {
  readonly mapping: string;
  readonly source: QueueSource;
  holdMs(): number;
  readonly scaling: BatchScaling;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  readonly lines: RepeatedLines;
  readonly problems: SourceProblems;
  readonly limits: BackoffLimits;
  /** Aborts when no more is to be received. What is under way comes back all the same. */
  readonly signal: AbortSignal;
  /** No batch may start for now, whatever is received: each receive would only bring a message nearer to its end. */
  isShut(): boolean;
  /** Messages that may be received beside those that running receives may bring. */
  room(underWay: ReceivesUnderWay): number;
  /** A stop or a hand-over is near: it must not wait long for what is under way. */
  isHasty(): boolean;
  /** Monotonic: before it, a receive that finds nothing says nothing, as messages of ours are still hidden. */
  hiddenUntilMs(): number;
  /** `adoptedMax`: as many were asked for by the worker before; 0: it was this one. */
  onReceived(messages: readonly QueueMessage[], hold: Hold, adoptedMax: number): void;
  /** A receive has ended, or the moment for the next has come: others may start. */
  onReady(): void;
  onDefect(error: unknown): void;
}

export interface ReceivesUnderWay {
  readonly receives: number;
  /** Messages that they may bring. */
  readonly expected: number;
  /** What has come takes these while its hold is being prolonged: it is in hand. */
  readonly bytes: number;
}

/** Long polling, as long as AWS's queues allow. */
const RECEIVE_WAIT_MS = 20_000;
const HASTY_WAIT_MS = 1_000;
/**
 * The hold of what a receive gives may have begun at any time since it was asked for. A wait of at most half of it
 * leaves the other half for certain: a longer one would bring messages that seem to be lost when they come.
 */
const RECEIVE_WAIT_SHARE = 1 / 2;
/** Receives that run at once when nothing comes. */
const IDLE_RECEIVES = 2;
/** How soon a receiver sees that the function's door is open again. */
const SHUT_LOOK_MS = 1_000;
/** The place of the problems that they have. */
const RECEIVES = "receives";

/** Keeps as many receives running as there is room and work for: more while they come back full, fewer while empty. */
export class Receiver {
  readonly #options: ReceiverOptions;
  readonly #open = new Set<OpenReceive>();
  #wanted: number;
  /** Messages that receives which run now may bring. */
  #expected = 0;
  #bytes = 0;
  /** In a row. Receives that were under way together in one outage count once. */
  #failures = 0;
  #fault: Fault = "passing";
  /** Monotonic: when the last receive ended. */
  #idleSinceMs: number;
  /** All that ever counted: what a receive was asked behind tells whether its failure is one that was seen already. */
  #outages = 0;
  #lastProblem = "";
  #retryAtMs = Number.NEGATIVE_INFINITY;
  #isThrottled = false;
  #retry: ScheduledCall | undefined;
  #isDry = false;

  constructor(options: ReceiverOptions) {
    this.#options = options;
    this.#wanted = options.scaling.limit;
    this.#idleSinceMs = options.clock.monotonic();
  }

  /** The last receive found nothing, and nothing of ours was hidden then. */
  get isDry(): boolean {
    return this.#isDry;
  }

  /** Receives under way. */
  get running(): number {
    return this.#open.size;
  }

  /** What is given back sooner may come again by a receive of ours that is still under way. */
  get untilBackMs(): number {
    const nowMs = this.#options.clock.monotonic();
    return Math.max(0, ...[...this.#open].map(({ askedMs, waitMs }) => askedMs + waitMs - nowMs));
  }

  /** `epochMs` tells the time of a monotonic one. */
  explain(epochMs: (monotonicMs: number) => number): QueueExplanation["receiving"] {
    const isFailing = this.#failures > 0;
    const isWaiting = this.#retryAtMs > this.#options.clock.monotonic();
    return {
      receives: this.running,
      idleSinceMs: epochMs(this.#idleSinceMs),
      failures: isFailing
        ? { count: this.#failures, lastProblem: this.#lastProblem, fault: this.#fault }
        : undefined,
      nextMs: isFailing && isWaiting ? epochMs(this.#retryAtMs) : undefined,
    };
  }

  /** How long a receive has been under way beyond its wait. */
  get silentMs(): number {
    const nowMs = this.#options.clock.monotonic();
    return Math.max(0, ...[...this.#open].map(({ askedMs, waitMs }) => nowMs - askedMs - waitMs));
  }

  /** Starts what may start, and plans when more may. */
  go(): void {
    const { clock, source, room, signal } = this.#options;
    this.#cancelRetry();
    if (signal.aborted) return;
    if (this.#options.isShut()) {
      this.#planRetry(SHUT_LOOK_MS);
      return;
    }
    while (this.running < this.#wanted) {
      const untilRetryMs = this.#retryAtMs - clock.monotonic();
      if (untilRetryMs > 0) {
        // plant: a-failed-receive-ends-the-receiving
        this.#planRetry(untilRetryMs);
        return;
      }
      const messagesMax = room({ receives: this.running, expected: this.#expected, bytes: this.#bytes });
      if (messagesMax <= 0) return;
      this.#ask(Math.min(messagesMax, source.description.receiveMessagesMax));
    }
  }

  /** Those of another worker of the same queue, whose mapping goes on here. */
  adopt(receives: readonly OpenReceive[]): void {
    // What has come already is in hand, and counts against the budget, before anything more is asked for.
    for (const open of receives)
      if (open.answer?.kind === "given") this.#given(open.answer, open, open.messagesMax);
    for (const open of receives) if (open.answer === undefined) void this.#take(open, open.messagesMax);
  }

  /** What is under way is somebody else's from now on. */
  handOver(): readonly OpenReceive[] {
    const open = [...this.#open];
    for (const each of open) this.#remove(each);
    return open;
  }

  /** Those of which all has come, while its hold is being prolonged: nobody waits for the end of that any more. */
  letGo(): readonly OpenReceive[] {
    const open = [...this.#open].filter(({ prolonging }) => prolonging !== undefined);
    for (const each of open) this.#remove(each);
    return open;
  }

  /** Nothing more is asked. */
  close(): void {
    this.#cancelRetry();
  }

  /** A timer may come before the moment that it was set for: whoever is woken looks again, and this plans again. */
  #planRetry(inMs: number): void {
    // plant: a-receiver-that-is-woken-early-plans-nothing
    // plant: a-queues-receiver-forgets-to-wake-up-after-an-outage
    this.#retry = this.#options.clock.schedule(inMs, () => this.#options.onReady());
  }

  #cancelRetry(): void {
    this.#retry?.cancel();
    this.#retry = undefined;
  }

  #ask(messagesMax: number): void {
    const { clock, source, signal, isHasty } = this.#options;
    const holdMs = this.#options.holdMs();
    const longestMs = isHasty() ? HASTY_WAIT_MS : RECEIVE_WAIT_MS;
    // plant: a-receive-waits-longer-than-its-messages-are-held
    const waitMs = Math.min(longestMs, holdMs * RECEIVE_WAIT_SHARE);
    void this.#take(openReceive(source, { messagesMax, waitMs, holdMs }, clock.monotonic(), signal));
  }

  async #take(open: OpenReceive, adoptedMax = 0): Promise<void> {
    const askedBehind = this.#outages;
    this.#open.add(open);
    this.#expected += open.messagesMax;
    this.#bytes += bytesOf(open);
    this.#gauge();
    const outcome = await open.outcome;
    // Handed over meanwhile.
    // plant: a-receive-that-was-handed-over-is-counted-out-again
    if (!this.#open.has(open)) return;
    try {
      this.#remove(open);
      if (outcome.kind === "given") this.#given(outcome, open, adoptedMax);
      else if (!this.#options.signal.aborted) this.#failed(outcome.error, open, askedBehind);
      this.#options.onReady();
    } catch (error) {
      this.#options.onDefect(error);
    }
  }

  #remove(open: OpenReceive): void {
    this.#open.delete(open);
    this.#expected -= open.messagesMax;
    this.#bytes -= bytesOf(open);
    assertInvariant(this.#expected >= 0, "A receive has ended that was not under way");
    this.#idleSinceMs = this.#options.clock.monotonic();
    this.#gauge();
  }

  #gauge(): void {
    this.#options.telemetry.gauge("queue_receivers", this.#options.mapping, this.running);
  }

  #given({ messages, hold }: GivenMessages, open: OpenReceive, adoptedMax: number): void {
    const { telemetry, clock, mapping, scaling, hiddenUntilMs, onReceived } = this.#options;
    this.#answered();
    telemetry.count("polled_events", mapping, messages.length);
    this.#isDry = messages.length === 0 && open.askedMs >= hiddenUntilMs();
    if (messages.length === 0) {
      scaling.idle(clock.monotonic());
      this.#wanted = Math.max(IDLE_RECEIVES, this.#wanted - 1);
      return;
    }
    if (messages.length >= open.messagesMax) this.#wanted = Math.min(scaling.limit, this.#wanted + 1);
    onReceived(messages, hold ?? open, adoptedMax);
  }

  /** The queue works: nobody waits any longer for what came before, unless it asked for fewer calls. */
  #answered(): void {
    this.#failures = 0;
    this.#options.problems.worked(RECEIVES);
    if (!this.#isThrottled) this.#retryAtMs = Number.NEGATIVE_INFINITY;
  }

  #failed(error: unknown, { askedMs, waitMs }: OpenReceive, askedBehind: number): void {
    const { clock, random, limits, telemetry, lines, mapping, problems } = this.#options;
    telemetry.count("source_errors", mapping, 1);
    const isThrottle = hasErrorCode(error, "ERR_MILLRACE_SOURCE_THROTTLED");
    telemetry.mark(isThrottle ? "receive throttled" : "receive failed");
    this.#lastProblem = describeError(error);
    this.#fault = faultOf(error);
    // Asked before the failure that counted last: the same outage, seen once more.
    if (askedBehind < this.#outages) {
      telemetry.mark("receives failed together");
      return;
    }
    this.#failures++;
    this.#outages++;
    const nowMs = clock.monotonic();
    // plant: a-queue-that-cannot-be-received-is-no-problem
    problems.failed(RECEIVES, error, nowMs, Math.max(0, nowMs - askedMs - waitMs));
    this.#isThrottled = isThrottle;
    this.#retryAtMs = nowMs + backoffMs(this.#failures, limitsAfter(error, limits), random);
    const level = isThrottle ? "debug" : "warn";
    const fields = { mapping, error: this.#lastProblem };
    lines.write(level, "messages could not be received; trying again", fields);
  }
}

function bytesOf({ prolonging = [] }: OpenReceive): number {
  return prolonging.reduce((sum, { bytes }) => sum + bytes, 0);
}
