import type { CallTimeouts } from "../model/call-timeouts.ts";
import type { ErrorDetails } from "../model/function-error.ts";
import type { FunctionTarget } from "../ports/function-target.ts";
import type { AliasRoute } from "./alias-route.ts";

/** A function that is open, with all that its name may mean. */
export interface InvocableFunction extends CallTimeouts {
  readonly name: string;
  /** What `$LATEST`, and a name without a qualifier, means. */
  readonly target: FunctionTarget;
  /** Published versions by number; one that cannot be opened is an `UnopenedTarget`. */
  readonly versions?: ReadonlyMap<string, FunctionTarget>;
  readonly aliases?: ReadonlyMap<string, AliasRoute>;
  /** Invocations at once, over all callers of the function; more wait their turn, each caller for its even share. */
  readonly concurrency: number;
  /** It reserves that concurrency, which is then of all processes of a store together. 0: nothing may start. */
  readonly isReserved?: boolean;
  /** Fewer at once while the function refuses calls or takes longer than usual. */
  readonly isConcurrencyAdaptive?: boolean;
  /** A chain of events may pass it without end. */
  readonly allowsLoops?: boolean;
  /** What may be told of its failures; default `full`. */
  readonly errorDetails?: ErrorDetails;
}
