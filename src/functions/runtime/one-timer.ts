import type { Clock, ScheduledCall } from "../../ports/clock.ts";

/** At most one thing is waited for. */
export class OneTimer {
  readonly #clock: Clock;
  #scheduled: ScheduledCall | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** In the place of what was waited for. */
  arm(ms: number, fire: () => void): void {
    this.disarm();
    this.#scheduled = this.#clock.schedule(ms, () => {
      this.#scheduled = undefined;
      fire();
    });
  }

  disarm(): void {
    this.#scheduled?.cancel();
    this.#scheduled = undefined;
  }
}
