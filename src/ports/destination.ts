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
  deliver(envelope: Envelope, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
