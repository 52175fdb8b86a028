import { sleep } from "../lib/sleep.ts";
import type { Clock } from "../ports/clock.ts";

/** A rate that changes is heeded so soon. */
const LOOK_MS = 1_000;

/**
 * So many items a second, over all that draw from it: each draws at once what it needs, and who comes next waits until
 * that is paid. So never more pass than the rate says, and one batch.
 */
export class Pace {
  readonly #clock: Clock;
  readonly #rate: () => number | undefined;
  /** Monotonic; what was drawn is paid by then, at the rate of when it was drawn. */
  #paidMs = Number.NEGATIVE_INFINITY;
  #last: Promise<unknown> = Promise.resolve();

  /** `rate`: asked each time; `undefined`: no bound. */
  constructor(clock: Clock, rate: () => number | undefined) {
    this.#clock = clock;
    this.#rate = rate;
  }

  /** In the order of the calls. `false`: `signal` aborted before. */
  draw(items: number, signal: AbortSignal): Promise<boolean> {
    const drawn = this.#last.then(() => this.#draw(items, signal));
    this.#last = drawn;
    return drawn;
  }

  async #draw(items: number, signal: AbortSignal): Promise<boolean> {
    for (;;) {
      if (signal.aborted) return false;
      const rate = this.#rate();
      const nowMs = this.#clock.monotonic();
      if (rate === undefined) return true;
      if (this.#paidMs <= nowMs) {
        // plant: items-that-are-handed-over-are-not-paid-for
        this.#paidMs = nowMs + (items / rate) * 1_000;
        return true;
      }
      await sleep(this.#clock, Math.min(LOOK_MS, this.#paidMs - nowMs), signal);
    }
  }
}
