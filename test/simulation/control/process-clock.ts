import type { Clock } from "../../../src/ports/clock.ts";
import type { SeededRandom } from "../random.ts";
import { timerErrorMs, type VirtualTime } from "../virtual-clock.ts";

/**
 * The clock of one process: while it is paused nothing of it goes on, and all that was due comes at once, in any order.
 */
export class ProcessClock implements Clock {
  readonly #time: VirtualTime;
  readonly #random: SeededRandom;
  #pausedUntilMs = 0;
  #pausedMs = 0;
  #isDead = false;

  constructor(time: VirtualTime, random: SeededRandom) {
    this.#time = time;
    this.#random = random;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** It stands still, or has not yet come to what was due meanwhile. */
  get isPaused(): boolean {
    return this.#time.now <= this.#pausedUntilMs;
  }

  /** When it last went on after a pause. */
  get resumedMs(): number {
    return this.#pausedUntilMs;
  }

  /** When its last pause began. */
  get pausedMs(): number {
    return this.#pausedMs;
  }

  now(): number {
    return this.#time.now;
  }

  monotonic(): number {
    return this.#time.now;
  }

  schedule(delayMs: number, fire: () => void) {
    let isCancelled = false;
    const arrive = () => {
      if (isCancelled || this.#isDead) return;
      if (this.#time.now < this.#pausedUntilMs) {
        this.#time.schedule(this.#pausedUntilMs - this.#time.now, arrive);
        return;
      }
      isCancelled = true;
      fire();
    };
    this.#time.schedule(Math.max(0.001, delayMs + timerErrorMs(this.#random)), arrive);
    return {
      cancel: () => {
        isCancelled = true;
      },
    };
  }

  pause(ms: number): void {
    if (!this.isPaused) this.#pausedMs = this.#time.now;
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, this.#time.now + ms);
  }

  die(): void {
    this.#isDead = true;
  }
}
