import type { Clock } from "../../../src/ports/clock.ts";

interface Timer {
  readonly atMs: number;
  readonly ordinal: number;
  readonly fire: () => void;
}

/** Virtual time that goes on when it is told to, in few operations: a walk takes a million steps. */
export class HostClock implements Clock {
  #nowMs = 0;
  #ordinal = 0;
  readonly #timers: Timer[] = [];

  now(): number {
    return this.#nowMs;
  }

  monotonic(): number {
    return this.#nowMs;
  }

  get timers(): number {
    return this.#timers.length;
  }

  schedule(delayMs: number, fire: () => void): { cancel(): void } {
    this.#ordinal += 1;
    const timer = { atMs: this.#nowMs + delayMs, ordinal: this.#ordinal, fire };
    this.#timers.push(timer);
    return { cancel: () => this.#remove(timer) };
  }

  advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (let due = this.#due(endMs); due !== undefined; due = this.#due(endMs)) {
      this.#remove(due);
      this.#nowMs = Math.max(this.#nowMs, due.atMs);
      due.fire();
    }
    this.#nowMs = endMs;
  }

  #due(endMs: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.atMs > endMs) continue;
      const isSooner =
        first === undefined ||
        timer.atMs < first.atMs ||
        (timer.atMs === first.atMs && timer.ordinal < first.ordinal);
      if (isSooner) first = timer;
    }
    return first;
  }

  #remove(timer: Timer): void {
    const index = this.#timers.indexOf(timer);
    if (index < 0) return;
    const last = this.#timers.pop();
    if (last !== undefined && last !== timer) this.#timers[index] = last;
  }
}
