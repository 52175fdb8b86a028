import { type BackoffLimits, backoffMs } from "../../lib/back-off.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Random } from "../../ports/random.ts";

interface Outage {
  readonly sinceMs: number;
  /** Rounds of tries that failed. */
  failures: number;
  /** Monotonic time of the next round. */
  nextMs: number;
  readonly waiting: Set<() => void>;
}

/**
 * Places of a source that do not answer: an endpoint that many shards are read from, or one shard alone. All shards of
 * a place share one back-off, and the first that is read again wakes the others: an outage of a second is not to cost
 * each of them its own minute.
 */
export class SourceOutages {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #outages = new Map<string, Outage>();

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** A try failed. `true`: nobody has failed there since the place last worked. */
  failed(place: string, limits: BackoffLimits): boolean {
    const nowMs = this.#clock.monotonic();
    const known = this.#outages.get(place);
    const outage = known ?? { sinceMs: nowMs, failures: 0, nextMs: nowMs, waiting: new Set() };
    // Tries that were under way together fail together: they are one failure.
    if (nowMs >= outage.nextMs) {
      outage.failures++;
      outage.nextMs = nowMs + backoffMs(outage.failures, limits, this.#random);
    }
    this.#outages.set(place, outage);
    return known === undefined;
  }

  /** Until the next try is worth while, or `stop` aborts. */
  pause(place: string, stop: AbortSignal): Promise<void> {
    const outage = this.#outages.get(place);
    if (outage === undefined || stop.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const end = () => {
        call.cancel();
        stop.removeEventListener("abort", end);
        outage.waiting.delete(end);
        resolve();
      };
      const call = this.#clock.schedule(Math.max(0, outage.nextMs - this.#clock.monotonic()), end);
      stop.addEventListener("abort", end, { once: true });
      outage.waiting.add(end);
    });
  }

  /** A try succeeded. How long the place was away, milliseconds; `undefined`: it was not, or that is known. */
  worked(place: string): number | undefined {
    const outage = this.#outages.get(place);
    if (outage === undefined) return undefined;
    this.#outages.delete(place);
    for (const end of [...outage.waiting]) end();
    return this.#clock.monotonic() - outage.sinceMs;
  }
}
