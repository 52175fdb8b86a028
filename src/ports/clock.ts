/** Time. The engine has no other: under a virtual clock it runs the same, only faster. */
export interface Clock {
  /** Wall clock, epoch milliseconds: for ages and for people. May jump. */
  now(): number;
  /** Milliseconds since some start; never goes back: for durations, deadlines and lease expiry. */
  monotonic(): number;
  /** Calls `fire` once after `delayMs` (0 or more), never before this call returns. */
  schedule(delayMs: number, fire: () => void): ScheduledCall;
}

export interface ScheduledCall {
  /** After this `fire` is not called. Idempotent. */
  cancel(): void;
}
