import type { InvocationOutcome } from "../model/outcome.ts";
import type { SpanContext } from "../model/trace-context.ts";
import type { ResponseSink } from "./response-sink.ts";

/**
 * A function that can be invoked with an event: over HTTP, as a module in a worker thread, as a process.
 *
 * Laws, which the contract suite `test/contract/function-target.ts` checks of every adapter:
 * - Exactly one outcome for each call, no later than one second after its deadline; where the function has to be
 *   started, that comes before its time, and takes ten seconds at most. `invoke` never rejects: what goes wrong is an
 *   outcome.
 * - No retries inside: one call is at most one execution of the function.
 * - Response bytes are bounded (`RESPONSE_BYTES_MAX`); more is a function error.
 * - After `signal` aborts, pending calls end within one second, whatever the function does.
 * - Where there is a `sink`, what the function streams goes there, by the laws of `ResponseSink`; a target that cannot
 *   stream never opens it. Without one all is collected, and bounded as any response.
 * - A call that fails, hangs or kills the function's runtime does not hurt the next call.
 */
export interface FunctionTarget {
  invoke(
    payload: Uint8Array,
    context: InvocationContext,
    signal: AbortSignal,
    sink?: ResponseSink,
  ): Promise<InvocationOutcome>;
  /** Idempotent; pending calls end as if aborted. */
  close(): Promise<void>;
  /** Environments that could take a call at once, of what starts some before anybody calls. */
  readiness?(): Readiness;
}

export interface Readiness {
  readonly ready: number;
  /** The last start of one failed, and none has succeeded since. */
  readonly isFailing: boolean;
}

export interface InvocationContext {
  /** The same for every plain retry of a batch (streams §5.1). */
  readonly requestId: string;
  readonly functionName: string;
  readonly functionArn: string;
  /** Epoch milliseconds. */
  readonly deadlineMs: number;
  /** How long the function may take; `deadlineMs` is the start of the call plus this. */
  readonly timeoutMs: number;
  /** The caller wants the end of what the function prints, `detail.logTail`, also of a run that succeeds. */
  readonly logs?: "tail" | undefined;
  /** Base64 of JSON, for a function that is called by Lambda's Invoke. */
  readonly clientContext?: string | undefined;
  /** The invocation's span, to be handed to the function; absent when nothing is traced. */
  readonly trace?: SpanContext | undefined;
  /** Functions that the chain of events has passed, this call included: a part of X-Ray's header. */
  readonly lineage?: string | undefined;
}
