import type { RunDetail } from "./function-error.ts";

/**
 * What one attempt to invoke a function came to. Closed: every consumer switches over all kinds.
 * Which kinds cost a retry is the engine's rule (streams §5.1), not the target's.
 */
export type InvocationOutcome = OutcomeOfRun | OutcomeWithoutRun;

/**
 * The function began to run. `executedVersion`: of the function; `$LATEST` when it is not given. `errorId`: of a
 * failure that has passed the function's door, whose texts are redacted from there on.
 */
export type OutcomeOfRun =
  /** The function ran and returned; `payload` is its result, raw bytes of at most `RESPONSE_BYTES_MAX`. */
  (
    | { readonly kind: "succeeded"; readonly payload: Uint8Array }
    /** The function ran and failed: threw, exited, ran out of memory, returned too much or something unreadable. */
    | {
        readonly kind: "functionError";
        readonly errorType: string;
        readonly message: string;
        readonly errorId?: string;
      }
    /** The function did not answer by its deadline: counts as a function error. */
    | { readonly kind: "timedOut"; readonly errorId?: string }
  ) & { readonly executedVersion?: string; readonly detail?: RunDetail };

export type OutcomeWithoutRun =
  /** The target refused for lack of capacity; the function did not run. */
  | { readonly kind: "throttled"; readonly retryAfterMs: number | undefined }
  /** The target could not be reached or did not start the function. */
  | { readonly kind: "unavailable"; readonly message: string }
  /** The target does not accept a payload of this size. */
  | { readonly kind: "payloadTooLarge" };

export type OutcomeKind = InvocationOutcome["kind"];
