import type { Clock } from "../../ports/clock.ts";
import type { ReadingNow } from "../explanation.ts";
import { epochOf } from "../invoke/attempt-notes.ts";

/** What the reader of a shard notes of itself, so that one that stands still can be told from one that waits. */
export class ReadNotes {
  readonly #clock: Clock;
  #doing: ReadingNow["doing"] = "nothing";
  #sinceMs: number;
  #untilMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#sinceMs = clock.monotonic();
    this.#untilMs = this.#sinceMs;
  }

  does(doing: ReadingNow["doing"], forMs = 0): void {
    this.#doing = doing;
    this.#sinceMs = this.#clock.monotonic();
    this.#untilMs = this.#sinceMs + forMs;
  }

  /** How long the source has been asked without an answer. */
  get unansweredMs(): number {
    return this.#doing === "asking" ? this.#clock.monotonic() - this.#sinceMs : 0;
  }

  explain(): ReadingNow {
    const epochMs = epochOf(this.#clock);
    return { doing: this.#doing, sinceMs: epochMs(this.#sinceMs), untilMs: epochMs(this.#untilMs) };
  }
}
