import type { Clock } from "../ports/clock.ts";
import type { FilteredOut } from "./explanation.ts";

/** Counts what was read since the filter last let something pass: one that passes nothing may be meant otherwise. */
export class FilterNotes {
  readonly #clock: Clock;
  #records = 0;
  /** Monotonic. */
  #sinceMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  saw(passed: number, filtered: number): void {
    if (passed > 0) this.#records = 0;
    else if (filtered > 0) {
      if (this.#records === 0) this.#sinceMs = this.#clock.monotonic();
      this.#records += filtered;
    }
  }

  /** `epochMs` tells the time of a monotonic one. */
  explain(epochMs: (monotonicMs: number) => number): FilteredOut | undefined {
    return this.#records === 0 ? undefined : { records: this.#records, sinceMs: epochMs(this.#sinceMs) };
  }
}
