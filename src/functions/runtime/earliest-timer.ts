import type { Clock, ScheduledCall } from "../../ports/clock.ts";

/** Fires once, at the earliest of the times that it was told. */
export class EarliestTimer {
  readonly #clock: Clock;
  readonly #fire: () => void;
  #scheduled: ScheduledCall | undefined;
  #atMs = 0;

  constructor(clock: Clock, fire: () => void) {
    this.#clock = clock;
    this.#fire = fire;
  }

  /** On the clock's monotonic scale. */
  at(atMs: number): void {
    if (this.#scheduled !== undefined && this.#atMs <= atMs) return;
    this.#scheduled?.cancel();
    this.#atMs = atMs;
    this.#scheduled = this.#clock.schedule(Math.max(0, atMs - this.#clock.monotonic()), () => {
      this.#scheduled = undefined;
      this.#fire();
    });
  }

  cancel(): void {
    this.#scheduled?.cancel();
    this.#scheduled = undefined;
  }
}
