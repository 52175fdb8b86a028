import type { WaitClock } from "../../../src/sqlite/lock-wait.ts";

/** Waits for a lock that end when the test says so. */
export class SteppedWaits implements WaitClock {
  #nowMs = 0;
  #sleepers: (() => void)[] = [];
  #onSleep: (() => void)[] = [];

  monotonic(): number {
    return this.#nowMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.#nowMs += ms;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
    this.#sleepers.push(resolve);
    for (const tell of this.#onSleep.splice(0)) tell();
    return promise;
  }

  /** Resolves as soon as somebody waits. */
  async sleeping(): Promise<void> {
    if (this.#sleepers.length > 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onSleep.push(resolve);
    await promise;
  }

  wake(): void {
    for (const wake of this.#sleepers.splice(0)) wake();
  }

  advance(ms: number): void {
    this.#nowMs += ms;
  }
}
