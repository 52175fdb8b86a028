import type { Clock, ScheduledCall } from "../../ports/clock.ts";
import type { ByteBudget } from "../budget.ts";
import type { WaitingMessages } from "./waiting-messages.ts";

export interface BatchingWindowOptions {
  readonly windowMs: number;
  readonly buffer: WaitingMessages;
  readonly budget: ByteBudget;
  readonly clock: Clock;
  /** Aborts when nothing more comes that could be waited for. */
  readonly stopSignal: AbortSignal;
  /** The window of what waits is over. */
  onDue(): void;
}

/** How long messages wait for others of their batch: from the oldest that could go now. */
export class BatchingWindow {
  readonly #options: BatchingWindowOptions;
  #timer: ScheduledCall | undefined;

  constructor(options: BatchingWindowOptions) {
    this.#options = options;
  }

  isOver(nowMs: number): boolean {
    const { buffer, budget, stopSignal } = this.#options;
    if (stopSignal.aborted) return true;
    // plant: messages-do-not-wait-for-their-batching-window
    return buffer.isFull || nowMs >= this.endMs || budget.room <= 0;
  }

  /** Monotonic. */
  get endMs(): number {
    const { buffer, windowMs } = this.#options;
    const { oldestMs } = buffer;
    if (oldestMs === undefined) return Number.POSITIVE_INFINITY;
    // plant: messages-wait-for-two-batching-windows
    return oldestMs + windowMs;
  }

  /** Wakes when it ends, as things are now. */
  plan(): void {
    this.cancel();
    const { clock, stopSignal, onDue } = this.#options;
    const delayMs = this.endMs - clock.monotonic();
    if (delayMs === Number.POSITIVE_INFINITY || delayMs <= 0 || stopSignal.aborted) return;
    this.#timer = clock.schedule(delayMs, onDue);
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
