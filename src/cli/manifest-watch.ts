import type { Clock, ScheduledCall } from "../ports/clock.ts";

const LOOK_MS = 1_000;

/**
 * Looks every second whether what `read` gives is another, and says so once it has stood still from one look to the
 * next: a file that is being written is not read half.
 */
export class ManifestWatch {
  readonly #read: () => string;
  readonly #clock: Pick<Clock, "schedule">;
  readonly #onChange: () => void;
  /** What was told of, or there from the start. */
  #known: string;
  #seen: string;
  #timer: ScheduledCall;

  constructor(read: () => string, clock: Pick<Clock, "schedule">, onChange: () => void) {
    this.#read = read;
    this.#clock = clock;
    this.#onChange = onChange;
    this.#known = read();
    this.#seen = this.#known;
    this.#timer = this.#plan();
  }

  stop(): void {
    this.#timer.cancel();
  }

  #plan(): ScheduledCall {
    return this.#clock.schedule(LOOK_MS, () => {
      const now = this.#read();
      const isWhole = now === this.#seen;
      this.#seen = now;
      this.#timer = this.#plan();
      if (!isWhole || now === this.#known) return;
      this.#known = now;
      this.#onChange();
    });
  }
}
