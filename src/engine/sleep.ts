import type { Clock, ScheduledCall } from "../ports/clock.ts";

/** Waits on the engine's clock. Resolves to `false`, at once, when `signal` aborts first. */
export function sleep(clock: Clock, delayMs: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const onAbort = () => {
      call.cancel();
      resolve(false);
    };
    const call = clock.schedule(delayMs, () => {
      signal.removeEventListener("abort", onAbort);
      resolve(true);
    });
    signal.addEventListener("abort", onAbort, { once: true });
  });
}

/** Resolves when `promise` is settled, either way, or after `delayMs`; leaves no timer behind. */
export function sleepUnless(promise: Promise<unknown>, clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    const call = clock.schedule(delayMs, resolve);
    const done = () => {
      call.cancel();
      resolve();
    };
    promise.then(done, done);
  });
}

/** Calls `work` after every `intervalMs`, until it is cancelled. */
export function every(clock: Clock, intervalMs: number, work: () => void): Pick<ScheduledCall, "cancel"> {
  let next: ScheduledCall;
  const plan = () => {
    next = clock.schedule(intervalMs, () => {
      plan();
      work();
    });
  };
  plan();
  return { cancel: () => next.cancel() };
}
