const EVERY_MS = 50;
/** Less is the timer's own inexactness. */
const NOTED_MS = 10;

/** A timer that notes how late it comes: what a busy machine costs a process that does nothing. */
export class ControlLoop {
  readonly #late: { readonly atMs: number; readonly lateMs: number }[] = [];
  readonly #timer;
  #dueMs = Date.now() + EVERY_MS;

  constructor() {
    this.#timer = setInterval(() => {
      const nowMs = Date.now();
      const lateMs = nowMs - this.#dueMs;
      if (lateMs >= NOTED_MS) this.#late.push({ atMs: nowMs, lateMs });
      this.#dueMs = nowMs + EVERY_MS;
    }, EVERY_MS);
    this.#timer.unref();
  }

  /** Sum of what it came too late between two moments. */
  stallMs(fromMs: number, toMs: number): number {
    let sum = 0;
    for (const { atMs, lateMs } of this.#late) if (atMs >= fromMs && atMs <= toMs) sum += lateMs;
    return sum;
  }

  get longestMs(): number {
    return this.#late.reduce((longest, { lateMs }) => Math.max(longest, lateMs), 0);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
