import type { ErrorDetails, ErrorSample } from "../model/function-error.ts";
import type { InvocationOutcome } from "../model/outcome.ts";
import type { Invocation } from "../ports/invoker.ts";
import type { ErrorBook } from "./error-book.ts";

interface CalledFunction {
  readonly name: string;
  readonly errorDetails?: ErrorDetails;
}

/** What callers are told of a call: failures stand in the error book, and no text leaves the door as it came. */
export function toldOutcome(
  errors: ErrorBook,
  fn: CalledFunction,
  timeoutMs: number,
  call: Invocation,
  outcome: InvocationOutcome,
): InvocationOutcome {
  const { errorDetails = "full" } = fn;
  switch (outcome.kind) {
    case "functionError":
    case "timedOut": {
      const { name } = fn;
      const { caller, requestId } = call;
      return errors.note(
        { function: name, errorDetails, timeoutMs, caller, requestId, sample: sampleOf(call) },
        outcome,
      );
    }
    case "succeeded": {
      if (outcome.detail === undefined) return outcome;
      const { detail, ...rest } = outcome;
      const logTail = errors.logTailOf(errorDetails, detail);
      return logTail === undefined ? rest : { ...rest, detail: { logTail } };
    }
    case "throttled":
    case "unavailable":
    case "payloadTooLarge":
      return outcome;
  }
}

function sampleOf({ caller: { shardId }, batch }: Invocation): ErrorSample {
  const { position, group } = batch ?? {};
  return {
    ...(shardId === undefined ? {} : { shardId }),
    ...(group === undefined ? {} : { group }),
    ...(position === undefined ? {} : { position }),
  };
}
