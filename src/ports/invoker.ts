import type { Caller } from "../model/caller.ts";
import type { InvocationOutcome } from "../model/outcome.ts";
import type { OpenSpan } from "./tracing.ts";

/**
 * The one door to a function. Nobody else holds its target, so that its concurrency, its metrics and its logs are of
 * all calls.
 *
 * Laws:
 * - Exactly one result for each call, and at most one execution.
 * - `payload` is asked once at most, when the call has a place; what it throws is thrown on, and the place is given
 *   back.
 * - A place is given back exactly once, whatever throws. No call starts after `mayStart` has said no.
 * - A function that reserves concurrency runs no more calls than that over all processes of a store (decision 0032).
 * - While several callers wait without a break, each has its even share of the places.
 */
export interface Invoker {
  /** Never rejects, unless `payload` throws. */
  invoke(call: Invocation): Promise<InvocationResult>;
}

export interface Invocation {
  readonly caller: Caller;
  readonly requestId: string;
  readonly functionArn: string;
  /** What a mapping's call brings. */
  readonly batch?: InvocationBatch;
  /** How long it waits for a place, milliseconds; absent: until there is one. */
  readonly patienceMs?: number;
  /** Asked when the turn has come, so that only what is in flight is encoded. */
  payload(): Uint8Array;
  /** Asked when the turn has come: the lease may have run out, or the engine be stopping, while the call waited. */
  mayStart(): boolean;
  readonly signal: AbortSignal;
  /** The caller wants the end of what the function prints. Retries of mappings get it in any case. */
  readonly logs?: "tail";
  /** Base64 of JSON: what a caller of Invoke hands to the function. */
  readonly clientContext?: string | undefined;
  /** Called when the call is made; absent when nothing is traced. */
  readonly beginSpan?: (() => OpenSpan) | undefined;
}

export interface InvocationBatch {
  readonly records: number;
  /** Some of the records were in an invocation before. */
  readonly isRetry: boolean;
  /** When the source received the first of the records, as our wall clock has it; `undefined`: nobody knows. */
  readonly arrivalMs: number | undefined;
  /** Where the first of the records stands, and its message group: a failure's sample. */
  readonly position?: string | undefined;
  readonly group?: string | undefined;
}

/** `notStarted`: it was not to start any more. `refused`: there was no place for it in the time that it would wait. */
export type InvocationResult =
  | InvocationOutcome
  | { readonly kind: "notStarted" }
  | { readonly kind: "refused"; readonly why: RefusalReason };

/** What was used up: the concurrency that the function reserves, or what a function has that reserves none. */
export type RefusalReason = "reservedConcurrency" | "concurrency";
