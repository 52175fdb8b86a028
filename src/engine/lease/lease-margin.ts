import type { EngineSettings } from "../settings.ts";

/** A lease ends for its owner this share of its duration before it may end for others: clocks drift. */
const LEASE_MARGIN_SHARE = 0.1;

/**
 * Monotonic time until which an owner may start work. Counted from before the question: the store may have moved the
 * counter at any time since then.
 */
export function liveUntilMs(
  askedMs: number,
  { leaseDurationMs }: Pick<EngineSettings, "leaseDurationMs">,
): number {
  return askedMs + leaseDurationMs * (1 - LEASE_MARGIN_SHARE);
}
