/** Time. The engine has no other: under a virtual clock it runs the same, only faster. */
export interface Clock {
  /** Wall clock, epoch milliseconds: for ages and for people. May jump. */
  now(): number;
  /** Milliseconds since some start; never goes back: for durations, deadlines and lease expiry. */
  monotonic(): number;
  /**
   * Calls `fire` once after about `delayMs` (0 or more), never before this call returns. It may come up to two
   * milliseconds early, as Node cuts fractions off, and late by any time: whoever waits for a moment looks again, and
   * plans again.
   */
  schedule(delayMs: number, fire: () => void): ScheduledCall;
}

export interface ScheduledCall {
  /** After this `fire` is not called. Idempotent. */
  cancel(): void;
}
