import type { Clock } from "../ports/clock.ts";

/** Who waits for the end of something. Only the first call of either counts. */
export interface Waiter<T> {
  resolve(value: T): void;
  reject(error: unknown): void;
}

/**
 * A way in which a wait may end beside its work: an abort, a time that is up, the end of what lives longer than the
 * wait. Returns how to take it back: that is called as soon as the wait is over, so that nothing of it stays behind.
 */
export type Interruption<T> = (waiter: Waiter<T>) => () => void;

/**
 * Settles as `work` does, unless an interruption comes first; the work then goes on unseen.
 *
 * In the place of `Promise.race`, which leaves a reaction on each of its promises for as long as that lives: a race
 * against one that lives as long as a connection keeps every answer of that connection in memory. Here what lives
 * longer than the wait is an interruption, and what has lost keeps nothing that was won.
 */
export function firstOf<T, U = never>(
  work: PromiseLike<T>,
  ...interruptions: readonly Interruption<U>[]
): Promise<T | U> {
  return new Promise((resolve, reject) => {
    const wait = new Wait<T | U>(resolve, reject);
    for (const interruption of interruptions) wait.begin(interruption);
    work.then(
      (value) => wait.resolve(value),
      (error: unknown) => wait.reject(error),
    );
  });
}

/** Rejects with the error that is made when the signal aborts. */
export function whenAborted(signal: AbortSignal, errorOf: () => unknown): Interruption<never> {
  return ({ reject }) => {
    const abort = () => reject(errorOf());
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
    return () => signal.removeEventListener("abort", abort);
  };
}

/** Resolves so when the time is up. */
export function whenLate<T>(clock: Pick<Clock, "schedule">, ms: number, value: T): Interruption<T> {
  return ({ resolve }) => {
    const timer = clock.schedule(ms, () => resolve(value));
    return () => timer.cancel();
  };
}

/** Settles as another promise does, which is waited for this once only: each wait leaves some bytes on it. */
export function whenSettled<T>(other: PromiseLike<T>): Interruption<T> {
  return (waiter) => {
    other.then(waiter.resolve, waiter.reject);
    return () => undefined;
  };
}

/** The failure of something that lives long, and those who wait beside it now. It fails once at most. */
export class Failing {
  #failure: { readonly error: unknown } | undefined;
  readonly #waiters = new Set<Waiter<never>>();

  /** Those who wait now; when nobody does, it is zero: nothing of past waits is kept. */
  get waiting(): number {
    return this.#waiters.size;
  }

  /** Rejects with the failure, also with one that was before. */
  readonly whenFailed: Interruption<never> = (waiter) => {
    if (this.#failure !== undefined) waiter.reject(this.#failure.error);
    else this.#waiters.add(waiter);
    return () => this.#waiters.delete(waiter);
  };

  fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = { error };
    for (const waiter of [...this.#waiters]) waiter.reject(error);
    this.#waiters.clear();
  }
}

/** What has ended refers to nobody: a promise that has lost may hold this object for as long as it lives. */
class Wait<T> implements Waiter<T> {
  #settle: Waiter<T> | undefined;
  #takeBack: (() => void)[] = [];

  constructor(resolve: (value: T) => void, reject: (error: unknown) => void) {
    this.#settle = { resolve, reject };
  }

  begin(interruption: Interruption<T>): void {
    if (this.#settle === undefined) return;
    const takeBack = interruption(this);
    if (this.#settle === undefined) takeBack();
    else this.#takeBack.push(takeBack);
  }

  readonly resolve = (value: T): void => this.#end()?.resolve(value);

  readonly reject = (error: unknown): void => this.#end()?.reject(error);

  #end(): Waiter<T> | undefined {
    const settle = this.#settle;
    this.#settle = undefined;
    for (const takeBack of this.#takeBack.splice(0)) takeBack();
    return settle;
  }
}
