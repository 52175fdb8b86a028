import type { Clock } from "../ports/clock.ts";

/** Lets sleepers be woken. A wakening that nobody sleeps for is kept until `reset`. */
export class Wakening {
  #isWoken = false;
  readonly #sleepers = new Set<() => void>();

  wake(): void {
    this.#isWoken = true;
    for (const sleeper of [...this.#sleepers]) sleeper();
  }

  reset(): void {
    this.#isWoken = false;
  }

  /** `true`: woken; `false`: the time has passed. */
  sleep(clock: Clock, timeoutMs: number): Promise<boolean> {
    if (this.#isWoken) return Promise.resolve(true);
    return new Promise((resolve) => {
      const end = (isWoken: boolean) => {
        call.cancel();
        this.#sleepers.delete(wake);
        resolve(isWoken);
      };
      const wake = () => end(true);
      const call = clock.schedule(timeoutMs, () => end(false));
      this.#sleepers.add(wake);
    });
  }
}
