import type { Clock, ScheduledCall } from "../../../../src/ports/clock.ts";

/**
 * A clock that moves only when a test says so. Wall time starts at a round instant and equals monotonic time plus it.
 */
export class ManualClock implements Clock {
  static readonly startMs = Date.UTC(2026, 0, 1);
  #elapsedMs = 0;
  /** Calls come so much too early, as Node's do: it cuts the fractions of a millisecond off. */
  earlyMs = 0;
  /** How far the host's wall clock is ahead of the source's. */
  wallOffsetMs = 0;
  #sequence = 0;
  #calls: { dueMs: number; sequence: number; fire: () => void }[] = [];

  now(): number {
    return this.sourceNow() + this.wallOffsetMs;
  }

  /** The clock of the source, which is right. */
  sourceNow(): number {
    return ManualClock.startMs + this.#elapsedMs;
  }

  monotonic(): number {
    return this.#elapsedMs;
  }

  schedule(delayMs: number, fire: () => void): ScheduledCall {
    const inMs = Math.max(Math.min(1, delayMs), delayMs - this.earlyMs, 0);
    const call = { dueMs: this.#elapsedMs + inMs, sequence: this.#sequence++, fire };
    this.#calls.push(call);
    return {
      cancel: () => {
        this.#calls = this.#calls.filter((other) => other !== call);
      },
    };
  }

  get pendingCalls(): number {
    return this.#calls.length;
  }

  async advance(ms: number): Promise<void> {
    const endMs = this.#elapsedMs + ms;
    await settlePromises();
    for (;;) {
      const next = this.#calls.toSorted((a, b) => a.dueMs - b.dueMs || a.sequence - b.sequence)[0];
      if (next === undefined || next.dueMs > endMs) break;
      this.#calls = this.#calls.filter((other) => other !== next);
      this.#elapsedMs = Math.max(this.#elapsedMs, next.dueMs);
      next.fire();
      await settlePromises();
    }
    this.#elapsedMs = endMs;
  }
}

/** All promise jobs run before the next macrotask. */
function settlePromises(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
