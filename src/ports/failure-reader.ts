import type { FailureSummary } from "../model/failure-summary.ts";

/**
 * Reads what a failure destination keeps, and changes nothing there.
 *
 * Laws, which the contract suite `test/contract/failure-reader.ts` checks of every adapter:
 * - What a delivery answered with (`Delivered.at`) is found by `read`, as long as the destination keeps it.
 * - `scan` gives each failure of the mapping within the times, in any order, with the `at` that `read` finds it by;
 *   what is no failure is passed over.
 * - Failures reject with `ERR_MILLRACE_DESTINATION_UNAVAILABLE`.
 */
export interface FailureReader {
  /** `undefined`: it is not there any more. */
  read(at: string, signal: AbortSignal): Promise<KeptFailure | undefined>;
  scan(wanted: ScanBounds, signal: AbortSignal): AsyncIterable<FoundFailure>;
  /** The place of what was found at several, under one id; absent: each is found whole. */
  join?(places: readonly string[]): string;
  close(): Promise<void>;
}

export interface ScanBounds {
  /** UUID. */
  readonly mapping: string;
  /** Epoch milliseconds: from this on, and before that. */
  readonly sinceMs: number;
  readonly untilMs: number;
}

/** As the destination keeps it. */
export interface KeptFailure {
  /** AWS's document, without the event. */
  readonly document: Readonly<Record<string, unknown>>;
  /** The event, or its parts in order; none: the destination keeps no events. */
  readonly events: readonly Uint8Array[];
  /** The id that it was delivered with; absent: others wrote it. */
  readonly failureId?: string | undefined;
}

export interface FoundFailure extends KeptFailure {
  readonly at: string;
  readonly summary: FailureSummary;
}
