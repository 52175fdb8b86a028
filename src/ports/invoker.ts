import type { Caller } from "../model/caller.ts";
import type { InvocationOutcome } from "../model/outcome.ts";
import type { TraceCarrier } from "../model/trace-context.ts";
import type { ResponseSink } from "./response-sink.ts";
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
 * - What the name means, a version or an alias, is looked up anew for each call, when it starts. Two calls of one name
 *   may run different versions; one call runs one.
 * - What a function streams goes to the call's `sink`, by the laws of `ResponseSink`, and its outcome follows.
 * - Where no call of the function can start, it is refused at once, also one that waits already.
 */
export interface Invoker {
  /** Never rejects, unless `payload` throws. */
  invoke(call: Invocation): Promise<InvocationResult>;
}

export interface Invocation {
  readonly caller: Caller;
  readonly requestId: string;
  /** As its caller names the function: with the version or alias that is meant. */
  readonly functionArn: string;
  /** Where an alias has weights, the version follows from it; absent: from the request id. */
  readonly routingKey?: string | undefined;
  /** Where a batch was cut by `KeySplit`: `lastPlaceOf` its side, which counts for more than a key. */
  readonly routingPlace?: number | undefined;
  /** What a mapping's call brings. */
  readonly batch?: InvocationBatch;
  /** How long it waits for a place, milliseconds; absent: until there is one. */
  readonly patienceMs?: number;
  /** Asked when the turn has come, so that only what is in flight is encoded. */
  payload(): Uint8Array;
  /** Asked when the turn has come: the lease may have run out, or the engine be stopping, while the call waited. */
  mayStart(): boolean;
  readonly signal: AbortSignal;
  /** The caller takes the response while it is written. */
  readonly sink?: ResponseSink | undefined;
  /** The caller wants the end of what the function prints. Retries of mappings get it in any case. */
  readonly logs?: "tail";
  /** Base64 of JSON: what a caller of Invoke hands to the function. */
  readonly clientContext?: string | undefined;
  /** Called when the call is made, for the span of a batch; absent: the door makes the span, if anything is traced. */
  readonly beginSpan?: (() => OpenSpan) | undefined;
  /** Trace headers that the caller came with, unread. */
  readonly carrier?: TraceCarrier | undefined;
  /** Functions that the chain of events has passed before. */
  readonly lineage?: string | undefined;
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
  /** The call prepares the batch for the mapping's function, by whose call its records are counted. */
  readonly isPrepared?: true;
}

/** `notStarted`: it was not to start any more. `refused`: the door let it not in; the function knows nothing of it. */
export type InvocationResult =
  | InvocationOutcome
  | { readonly kind: "notStarted" }
  | { readonly kind: "refused"; readonly why: RefusalReason };

/** Why no call of a function can start, however long it waits. */
export type ShutReason =
  /** Its reserved concurrency is 0. */
  | "zeroConcurrency"
  /** Nobody declares it, or it has no such version or alias. */
  | "noSuchFunction"
  /** It, or the version that is meant, cannot be opened for now. */
  | "notReady";

export type RefusalReason =
  | ShutReason
  /** What it reserves was used up for as long as the call would wait. */
  | "reservedConcurrency"
  /** It reserves nothing, and its own bound was used up. */
  | "concurrency"
  /** The chain of events has passed the function too often, and it does not allow loops. */
  | "recursion"
  /** It reserves nothing, and what the account has for all such functions was used up. */
  | "accountConcurrency";
