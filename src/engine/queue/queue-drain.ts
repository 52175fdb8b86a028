import type { MappingDoor } from "../../invocation/mapping-door.ts";
import { scheduleAfter, sleepUnless } from "../../lib/sleep.ts";
import type { Clock, ScheduledCall } from "../../ports/clock.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import type { BatchPlaces } from "./batch-places.ts";
import type { BatchingWindow } from "./batching-window.ts";
import type { MessageLedger } from "./message-ledger.ts";
import type { MessageSettlement } from "./message-settlement.ts";
import type { Receiver } from "./receiver.ts";
import type { RunningBatches } from "./running-batches.ts";
import type { RunningWork } from "./running-work.ts";

/** What a stop brings to its end. */
export interface DrainedParts {
  readonly invoker: MappingDoor;
  readonly receiver: Receiver;
  readonly window: BatchingWindow;
  readonly places: BatchPlaces;
  readonly ledger: MessageLedger;
  readonly batches: RunningBatches;
  readonly settlement: MessageSettlement;
  readonly work: RunningWork;
  /** Starts what may start, and calls `drained` when nothing is left. */
  go(): void;
}

const OVER = "the drain of a stop is over";
/** How long a stop waits for releases beyond its drain time. */
const LAST_WORDS_MS = 5_000;

/**
 * How a queue's mapping comes to its end: nothing new is received; what is under way comes back and is run as long as
 * the drain lasts (principle 7); the rest is given back.
 */
export class QueueDrain {
  readonly #mapping: string;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #stop = new AbortController();
  readonly #end = new AbortController();
  readonly #calls = new AbortController();
  /** Monotonic. */
  #startsUntilMs = Number.POSITIVE_INFINITY;
  #hurried: ScheduledCall | undefined;
  #onDrained: (() => void) | undefined;

  constructor(mapping: string, clock: Clock, telemetry: Telemetry) {
    this.#mapping = mapping;
    this.#clock = clock;
    this.#telemetry = telemetry;
  }

  /** Nothing more is received. */
  get stopSignal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Nothing more is started. */
  get endSignal(): AbortSignal {
    return this.#end.signal;
  }

  /** Nobody waits for calls any more. */
  get callSignal(): AbortSignal {
    return this.#calls.signal;
  }

  /** Nothing may start any more: the drain is over, whenever the timer comes that ends it (principle 13). */
  get isOver(): boolean {
    // plant: a-drain-is-over-when-its-timer-says-so
    return this.#end.signal.aborted || this.#clock.monotonic() >= this.#startsUntilMs;
  }

  /** Nothing is left in hand. */
  drained(): void {
    this.#onDrained?.();
  }

  /** A stop is under way, and another is asked for that may be sooner: its drain holds too. */
  hurry(drainMs: number): void {
    if (!this.#stop.signal.aborted || this.#end.signal.aborted) return;
    this.#startsUntilMs = Math.min(this.#startsUntilMs, this.#clock.monotonic() + drainMs);
    this.#hurried?.cancel();
    this.#hurried = scheduleAfter(this.#clock, drainMs, () => this.#onDrained?.());
  }

  /** Once. What is left of the parts then runs on without anybody who waits for it. */
  async run(parts: DrainedParts, drainMs: number, startsMs: number): Promise<void> {
    const { receiver, window, places, work, settlement } = parts;
    const clock = this.#clock;
    this.#stop.abort();
    this.#startsUntilMs = clock.monotonic() + Math.min(startsMs, drainMs);
    receiver.close();
    window.cancel();
    places.close();
    const drained = new Promise<void>((resolve) => {
      this.#onDrained = resolve;
      parts.go();
    });
    // plant: a-queues-stop-does-not-wait-for-what-runs
    // plant: a-stop-gives-back-what-waits-though-it-could-run
    await sleepUnless(drained, clock, Math.min(startsMs, drainMs));
    this.#hurried?.cancel();
    const released = this.#endStarts(parts, settlement);
    if (startsMs < drainMs) await sleepUnless(work.ended(), clock, drainMs - startsMs);
    if (work.size > 0) this.#tellCutShort(parts);
    this.#calls.abort();
    const last = Promise.all([released, work.ended()]).then(() => places.end());
    await sleepUnless(last, clock, LAST_WORDS_MS);
    places.abandon();
  }

  /** What outlasts the drain is given up: nobody hears how it ended. */
  #tellCutShort({ batches }: DrainedParts): void {
    this.#telemetry.mark("drain of a queue cut short");
    const message = "a drain was over before all batches had ended; what is not settled comes again";
    const fields = { mapping: this.#mapping, batches: batches.size, messages: batches.messages };
    this.#telemetry.log("warn", message, fields);
  }

  /** What has not started by now is given back. */
  async #endStarts(
    { invoker, receiver, ledger }: DrainedParts,
    settlement: MessageSettlement,
  ): Promise<void> {
    // plant: what-a-worker-took-up-while-its-hold-was-prolonged-is-kept-at-a-stop
    const prolonging = receiver.letGo();
    const receives = receiver.running;
    if (receives > 0) {
      const message = "receives did not come back before the drain was over; what they bring comes again";
      this.#telemetry.log("warn", message, { mapping: this.#mapping, receives });
    }
    this.#end.abort();
    // plant: batches-that-wait-for-the-function-start-after-stop-2
    invoker.dismiss(this.#mapping);
    if (ledger.buffer.size > 0) this.#telemetry.mark("waiting messages released on stop");
    // plant: waiting-messages-are-kept-on-stop
    const waiting = settlement.giveBackWaiting(OVER);
    await Promise.all([waiting, settlement.giveBackProlonging(prolonging, OVER)]);
  }
}
