import type { Clock } from "../ports/clock.ts";
import { Wakening } from "./wakening.ts";

export interface WakeableLoopOptions {
  readonly clock: Clock;
  /** Aborts when no further turn is to come. A turn that runs is not cut short. */
  readonly signal: AbortSignal;
  /** Asked after each turn: how long until the next, unless somebody wakes the loop. Milliseconds. */
  pauseMs(): number;
  /** Never rejects. */
  turn(): Promise<void>;
}

/** Turns of work, one at a time. Whoever wakes the loop during a turn has another one at once. */
export class WakeableLoop {
  readonly #options: WakeableLoopOptions;
  readonly #wakening = new Wakening();

  constructor(options: WakeableLoopOptions) {
    this.#options = options;
  }

  /** Resolves after the last turn. */
  async run(): Promise<void> {
    const { clock, signal, turn, pauseMs } = this.#options;
    const wake = () => this.#wakening.wake();
    signal.addEventListener("abort", wake, { once: true });
    while (!signal.aborted) {
      await turn();
      if (!signal.aborted) await this.#wakening.sleep(clock, pauseMs());
      this.#wakening.reset();
    }
    signal.removeEventListener("abort", wake);
  }

  wake(): void {
    this.#wakening.wake();
  }
}
