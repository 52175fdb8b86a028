import { setTimeout as sleep } from "node:timers/promises";
import { firstOf, whenAborted } from "../lib/first-of.ts";
import { SQLITE_BUSY, sqliteErrorCode } from "./sqlite-error.ts";

/** Time as a wait for a lock needs it. */
export interface WaitClock {
  /** Milliseconds since some start; never goes back. */
  monotonic(): number;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const HOST_WAIT_CLOCK: WaitClock = {
  monotonic: () => performance.now(),
  sleep: async (ms, signal) => void (await sleep(ms, undefined, signal === undefined ? {} : { signal })),
};

const FIRST_PAUSE_MS = 2;
const PAUSE_MS_MAX = 50;

/**
 * Work on a file that another process may have locked. Where SQLite itself would hold the event loop until the lock is
 * free, this tries again after pauses, in which everything else goes on. Works wait in the order in which they came.
 */
export class LockWait {
  readonly #clock: WaitClock;
  readonly #waitMs: number;
  #waiting = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(waitMs: number, clock: WaitClock = HOST_WAIT_CLOCK) {
    this.#waitMs = waitMs;
    this.#clock = clock;
  }

  /**
   * Runs `work` at once if it can be, else when the lock is free: for so long as given, after which SQLite's own error
   * is thrown. `work` takes no effect when it throws that.
   */
  async run<T>(work: () => T, signal?: AbortSignal): Promise<T> {
    const giveUpAt = this.#clock.monotonic() + this.#waitMs;
    if (this.#waiting === 0) {
      const outcome = attempt(work);
      if (outcome !== undefined) return outcome.result;
    }
    this.#waiting += 1;
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = promise;
    try {
      await (signal === undefined
        ? before
        : firstOf(
            before,
            whenAborted(signal, () => signal.reason),
          ));
      return await this.#retry(work, giveUpAt, signal);
    } finally {
      this.#waiting -= 1;
      // Who leaves early lets nobody pass those before.
      void before.then(() => resolve());
    }
  }

  async #retry<T>(work: () => T, giveUpAt: number, signal: AbortSignal | undefined): Promise<T> {
    // Ends: time goes on, and behind its end the error is thrown.
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, PAUSE_MS_MAX)) {
      signal?.throwIfAborted();
      if (this.#clock.monotonic() >= giveUpAt) return work();
      const outcome = attempt(work);
      if (outcome !== undefined) return outcome.result;
      await this.#clock.sleep(pauseMs, signal);
    }
  }
}

/** `undefined`: the file is locked. */
function attempt<T>(work: () => T): { readonly result: T } | undefined {
  try {
    return { result: work() };
  } catch (error) {
    if (isLocked(error)) return undefined;
    throw error;
  }
}

/** Also where the error has been put into words already. */
function isLocked(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return sqliteErrorCode(error) === SQLITE_BUSY || sqliteErrorCode(cause) === SQLITE_BUSY;
}
