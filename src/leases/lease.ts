import type { Clock } from "../ports/clock.ts";
import type { HeldLease } from "../ports/progress-store.ts";

export interface LeaseTimes {
  /** A lease whose counter stands still for so long may be taken over. */
  readonly leaseDurationMs: number;
  /** How often it is renewed, and the leases of others are looked at. */
  readonly leaseRenewalMs: number;
}

/** A lease ends for its owner this share of its duration before it may end for others: clocks drift. */
const LEASE_MARGIN_SHARE = 0.1;

/**
 * Monotonic time until which an owner may start work. Counted from before the question: the store may have moved the
 * counter at any time since then.
 */
export function liveUntilMs(
  askedMs: number,
  { leaseDurationMs }: Pick<LeaseTimes, "leaseDurationMs">,
): number {
  return askedMs + leaseDurationMs * (1 - LEASE_MARGIN_SHARE);
}

/** A lease of this process, as far as this process knows. */
export class Lease {
  readonly held: HeldLease;
  readonly #clock: Clock;
  /** Monotonic time from which on nothing may start, unless a renewal came before. */
  liveUntilMs: number;
  /** Monotonic: when it, or its last renewal, was asked for. */
  askedMs: number;
  /** It has run out by our own clock, which was counted. */
  isExpired = false;
  isRenewing = false;
  /** It is being given back: whoever does that sees to all that becomes of it. */
  isEnding = false;
  /** Who asked for it. */
  handingTo: string | undefined;

  constructor(held: HeldLease, clock: Clock, askedMs: number, times: LeaseTimes) {
    this.held = held;
    this.#clock = clock;
    this.askedMs = askedMs;
    this.liveUntilMs = liveUntilMs(askedMs, times);
  }

  get shardId(): string {
    return this.held.shardId;
  }

  /** Work may start under it, by our own clock. */
  get isLive(): boolean {
    return this.#clock.monotonic() < this.liveUntilMs;
  }
}
