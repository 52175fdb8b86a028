import type { Clock, ScheduledCall } from "../ports/clock.ts";

/**
 * Calls `fire` when `delayMs` have passed by the clock, not when a timer thinks so: one that comes early is set again
 * for the rest. Late it may be by any time.
 */
export function scheduleAfter(clock: Clock, delayMs: number, fire: () => void): ScheduledCall {
  const dueMs = clock.monotonic() + delayMs;
  let call: ScheduledCall;
  const plan = (inMs: number) => {
    call = clock.schedule(inMs, () => {
      const leftMs = dueMs - clock.monotonic();
      if (leftMs > 0) plan(leftMs);
      else fire();
    });
  };
  plan(delayMs);
  return { cancel: () => call.cancel() };
}

/** Waits on the engine's clock. Resolves to `false`, at once, when `signal` aborts first. */
export function sleep(clock: Clock, delayMs: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const onAbort = () => {
      call.cancel();
      resolve(false);
    };
    const call = scheduleAfter(clock, delayMs, () => {
      signal.removeEventListener("abort", onAbort);
      resolve(true);
    });
    signal.addEventListener("abort", onAbort, { once: true });
  });
}

/** Resolves when `promise` is settled, either way, or after `delayMs`, never sooner; leaves no timer behind. */
export function sleepUnless(promise: Promise<unknown>, clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    // plant: a-drain-ends-when-a-timer-thinks-so
    const call = scheduleAfter(clock, delayMs, resolve);
    const done = () => {
      call.cancel();
      resolve();
    };
    promise.then(done, done);
  });
}

/** Calls `work` after every `intervalMs`, never sooner, until it is cancelled. */
export function every(clock: Clock, intervalMs: number, work: () => void): Pick<ScheduledCall, "cancel"> {
  let next: ScheduledCall;
  const plan = () => {
    next = scheduleAfter(clock, intervalMs, () => {
      plan();
      work();
    });
  };
  plan();
  return { cancel: () => next.cancel() };
}
