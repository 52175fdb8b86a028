import type { StartFailure } from "./environment-outcome.ts";

const PAUSE_MS_MIN = 100;
export const PAUSE_MS_MAX = 10_000;

/** The pause after starts that failed: what is broken is not started again and again. */
export class StartPause {
  /** On the clock's monotonic scale. */
  untilMs = 0;
  /** Why the last start failed. */
  lastFailure: StartFailure | undefined;
  #failures = 0;

  /** The last start failed. */
  get isFailing(): boolean {
    return this.#failures > 0;
  }

  failed(nowMs: number, failure: StartFailure): void {
    this.lastFailure = failure;
    this.untilMs = nowMs + Math.min(PAUSE_MS_MAX, PAUSE_MS_MIN * 2 ** Math.min(this.#failures, 10));
    this.#failures += 1;
  }

  succeeded(): void {
    this.#failures = 0;
  }
}
