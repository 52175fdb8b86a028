import type { Envelope } from "../model/envelope.ts";

/**
 * Where goes what was given up.
 *
 * Laws, which the contract suite `test/contract/destination.ts` checks of every adapter:
 * - `deliver` resolves when the envelope is durably accepted, and not before.
 * - It rejects with `ERR_MILLRACE_DESTINATION_UNAVAILABLE` when another try may succeed (the caller tries again, and
 *   nothing is settled meanwhile), with `ERR_MILLRACE_DESTINATION_REJECTED` when none can (the caller drops and
 *   counts).
 * - The same envelope delivered twice carries the same `id`.
 */
export interface Destination {
  /** Nothing: what was delivered cannot be found there again. */
  deliver(envelope: Envelope, signal: AbortSignal): Promise<Delivered | undefined>;
  close(): Promise<void>;
}

export interface Delivered {
  /** What a reader of the destination finds it by. */
  readonly at: string;
}
